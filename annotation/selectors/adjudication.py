"""What an adjudicator judges by: the answers, the posterior, why the region is here, and settled regions around it.

Decides what a holder of an adjudication sees beyond the lease; refuses to name anybody, and to hand out work.
"""

import math
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from annotation import answers, clock
from annotation.errors import Missing
from annotation.models import (
    Assignment,
    Gold,
    GroundTruthRevision,
    Membership,
    Pick,
    Region,
)
from annotation.selectors import queue as queue_reads
from annotation.services import queue, truth
from annotation.states import AssignmentKind, AssignmentState, Method, PickState, RegionState, Stratum

MOST_COUNTED = 500
MOST_NEIGHBOURS = 8
MOST_NEAR = 400
NEAR_WIDTHS = 5
"""How many widths of the region around it are looked at."""
RECENT_REASONS = 6
WORTH_SHOWING = 0.05


@dataclass(frozen=True, slots=True)
class Chance:
    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A settled region near by; `right` and `down` are the way to it in level-0 pixels, centre to centre."""

    region: Region
    label: str
    right: int
    down: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Adjudications that wait: those this person may take, and those others must (he or she has answered them)."""

    ready: int
    not_yours: int
    is_capped: bool


@dataclass(frozen=True, slots=True)
class Case:
    """What lies before the adjudicator. `state` is one of disagreement, agreed, incomplete and unanswered."""

    state: str
    said: list[str]
    opinions: list[queue_reads.Opinion]
    skips: list[str]
    posterior: list[Chance]
    in_question: list[str]
    note: str
    neighbours: list[Neighbour]
    reasons: list[str]


def held(*, member: Membership, token: str) -> Assignment:
    """The live adjudication of that token; Missing for every other token, kind and person."""
    found = (
        Assignment.objects.filter(
            token=token,
            annotator=member,
            kind=AssignmentKind.ADJUDICATE,
            state=AssignmentState.LEASED,
            expires_at__gt=clock.now(),
        )
        .select_related("study__protocol", "region__slide", "pick", "annotator")
        .first()
    )
    if found is None:
        raise Missing("There is no such adjudication, or it is not yours.")
    return found


def read(assignment: Assignment) -> Case:
    """Everything the holder of an adjudication judges by."""
    region, study = assignment.region, assignment.study
    opinions = queue_reads.opinions(assignment)
    if assignment.pick_id is None:
        return _between(assignment, opinions)
    belief = truth.believe(region, study=study)
    labels = {one.label for one in belief.opinions}
    skips = _skips(assignment)
    posterior = _rank(belief) if opinions else []
    likely = [one.code for one in posterior if one.probability >= WORTH_SHOWING]
    return Case(
        state=_state(len(opinions), len(labels)),
        said=_explain(assignment, opinions=opinions, labels=labels, skips=skips),
        opinions=opinions,
        skips=skips,
        posterior=posterior,
        in_question=[*likely, *sorted(labels - set(likely))],
        note=assignment.pick.note if assignment.pick else "",
        neighbours=neighbours(assignment),
        reasons=recent_reasons(assignment.annotator),
    )


def _between(assignment: Assignment, opinions: list[queue_reads.Opinion]) -> Case:
    """A region of an acceptance sample: the classes in question and the picture, nothing of what is believed."""
    return Case(
        state="disagreement",
        said=[_SAID["disagreement"], "Each class that is in question stands here once."],
        opinions=opinions,
        skips=[],
        posterior=[],
        in_question=[answers.label_of(one.answer) for one in opinions],
        note="",
        neighbours=neighbours(assignment),
        reasons=recent_reasons(assignment.annotator),
    )


def waiting(member: Membership) -> Waiting:
    """How many adjudications wait, counted no further than `MOST_COUNTED`."""
    open_ties = Pick.objects.filter(study=member.study_id, state=PickState.ADJUDICATION, slots_open__gt=0)
    every = open_ties[:MOST_COUNTED].count()
    ready = queue.count_left(member=member, kind="adjudicate", most=MOST_COUNTED)
    return Waiting(ready=ready, not_yours=max(every - ready, 0), is_capped=every == MOST_COUNTED)


def neighbours(assignment: Assignment) -> list[Neighbour]:
    """The nearest settled regions of the slide with their labels.

    Not among them: gold, which tests people, and what this person has answered, which may come again as a repeat.
    """
    region = assignment.region
    near = list(_near(region, member_id=assignment.annotator_id)[:MOST_NEAR])
    found = [
        Neighbour(
            region=row,
            label=row.current_revision.label if row.current_revision else "",
            right=row.x + row.width // 2 - region.x - region.width // 2,
            down=row.y + row.height // 2 - region.y - region.height // 2,
        )
        for row in near
    ]
    return sorted(found, key=lambda one: (math.hypot(one.right, one.down), one.region.pk))[:MOST_NEIGHBOURS]


def recent_reasons(member: Membership) -> list[str]:
    """The reasons this person gave last, each once, newest first."""
    rows = GroundTruthRevision.objects.filter(actor=member, method=Method.ADJUDICATION).order_by("-id")
    return list(dict.fromkeys(rows.values_list("reason", flat=True)[:50]))[:RECENT_REASONS]


def _near(region: Region, *, member_id: int) -> QuerySet[Region]:
    """A window of the slide, by the index over its rectangles."""
    reach_x, reach_y = NEAR_WIDTHS * region.width, NEAR_WIDTHS * region.height
    own = Assignment.objects.filter(
        region=OuterRef("pk"), annotator=member_id, state__in=[AssignmentState.LEASED, AssignmentState.SUBMITTED]
    )
    gold = Gold.objects.filter(region=OuterRef("pk"), retired_at=None)
    window = Region.objects.filter(
        slide=region.slide_id,
        x__range=(max(region.x - reach_x, 0), region.x + reach_x),
        y__range=(max(region.y - reach_y, 0), region.y + reach_y),
        state=RegionState.SETTLED,
    )
    window = window.exclude(pk=region.pk).filter(~Exists(own), ~Exists(gold))
    return window.select_related("slide", "current_revision").order_by("x", "y")


def _rank(belief: truth.Belief) -> list[Chance]:
    pairs = zip(belief.codes, belief.posterior.tolist(), strict=True)
    return [Chance(code, value) for code, value in sorted(pairs, key=lambda pair: -pair[1])]


def _skips(assignment: Assignment) -> list[str]:
    """Why people passed the region over, without who."""
    rows = Assignment.objects.filter(region=assignment.region_id, state=AssignmentState.SKIPPED)
    return sorted(rows.exclude(skip_reason="").values_list("skip_reason", flat=True)[:50])


def _state(answers: int, labels: int) -> str:
    if answers == 0:
        return "unanswered"
    if labels > 1:
        return "disagreement"
    return "agreed" if answers > 1 else "incomplete"


_SAID = {
    "disagreement": "The answers differ.",
    "agreed": "The answers agree: this is no disagreement.",
    "incomplete": "Only one answer was given: this is unfinished work, not a disagreement.",
    "unanswered": "Nobody has answered yet: this is unfinished work, not a disagreement.",
}


def _explain(assignment: Assignment, *, opinions: list[Any], labels: set[str], skips: list[str]) -> list[str]:
    """Why the region is here, in sentences."""
    state = _state(len(opinions), len(labels))
    said = [_SAID[state]]
    pick = assignment.pick
    if skips:
        people = "1 person" if len(skips) == 1 else f"{len(skips)} people"
        said.append(f"{people} skipped it.")
    if pick is not None and pick.stratum == Stratum.RECHECK:
        said.append("A manager asked for it again.")
    elif state == "agreed":
        said.append("Together they are less sure than the study wants, or nobody was left to ask.")
    elif state != "disagreement" and not skips:
        said.append("Nobody was left to ask.")
    if any(one.is_flagged for one in opinions):
        said.append("Somebody flagged it.")
    return said
