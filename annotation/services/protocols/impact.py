"""What publishing the draft would do, counted before it is done.

Decides nothing and writes nothing; the regions are those that `carrying` and `asking` would take.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Count

from annotation import clock, mapping
from annotation.errors import Missing
from annotation.models import Assignment, ClassExample, Gold, ModelVersion, Protocol, Study
from annotation.services import picks, truth
from annotation.services.protocols import asking, carrying, drafts, mappings
from annotation.states import AssignmentState, MappingKind, ModelState

_ANSWERS = """
    SELECT protocol_id, label, count(*) FROM (
        SELECT DISTINCT ON (region_id, annotator_id) protocol_id, label, kind
        FROM annotation_annotation
        WHERE study_id = %(study)s AND assignment_kind = ANY(%(kinds)s)
        ORDER BY region_id, annotator_id, id DESC
    ) newest
    WHERE kind <> 'withdrawn' GROUP BY 1, 2
"""
_SECONDS = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM (
        SELECT seconds FROM annotation_annotation
        WHERE study_id = %(study)s AND seconds IS NOT NULL ORDER BY id DESC LIMIT 5000
    ) recent
"""


@dataclass(slots=True)
class ClassImpact:
    """What becomes of one class of the version in force."""

    source: str
    kind: MappingKind
    targets: tuple[str, ...]
    is_exact: bool
    truths: int = 0
    answers: int = 0


@dataclass(slots=True)
class Impact:
    """`truths` and `answers` are (hold exactly, become stale); hours rest on the study's own answers."""

    number: int
    classes: list[ClassImpact]
    new_classes: list[str]
    truths: tuple[int, int] = (0, 0)
    answers: tuple[int, int] = (0, 0)
    rewritten: int = 0
    queued: int = 0
    queued_settled: int = 0
    queued_audit: int = 0
    withdrawn_picks: int = 0
    opinions: int = 0
    seconds_per_answer: float | None = None
    hours: float | None = None
    leases: int = 0
    gold_stale: int = 0
    examples_stale: int = 0
    model: int | None = None
    model_loses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def impact(*, study: Study) -> Impact:
    """The counts for the study's draft; Missing where no later version is drafted."""
    study = Study.objects.select_related("protocol").get(pk=study.pk)
    draft = drafts.draft_of(study)
    if draft is None or study.protocol is None:
        raise Missing("There is no draft of a later version.")
    plans = mappings.read(draft)
    after = mapping.with_next(study, draft=draft)
    found = Impact(draft.number, *_classes(plans, draft))
    _count_labels(found, study, after)
    _count_asked(found, study, after)
    _count_others(found, study, after, step=mapping.exact_step(draft))
    found.notes = _note(found, plans, draft, study.protocol)
    return found


def _classes(plans: list[mappings.MappingPlan], draft: Protocol) -> tuple[list[ClassImpact], list[str]]:
    classes = [ClassImpact(plan.source, plan.kind, plan.targets, plan.is_exact) for plan in plans]
    reached = {target for plan in plans for target in plan.targets}
    return classes, [code for code in draft.codes if code not in reached]


def _count_labels(found: Impact, study: Study, after: mapping.Codes) -> None:
    settled = carrying.settled(study).values_list("protocol_id", "label").annotate(count=Count("pk")).order_by()
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, {"study": study.pk, "kinds": [kind.value for kind in truth.EVIDENCE_KINDS]})
        answers = cursor.fetchall()
        cursor.execute(_SECONDS, {"study": study.pk})
        found.seconds_per_answer = cursor.fetchone()[0]
    today = mapping.exact_codes(study)
    by_source = {one.source: one for one in found.classes}
    found.truths = _share_out(list(settled), today, after, by_source, "truths")
    found.answers = _share_out(answers, today, after, by_source, "answers")


def _share_out(
    counts: list[tuple[int, str, int]],
    today: mapping.Codes,
    after: mapping.Codes,
    by_source: dict[str, ClassImpact],
    what: str,
) -> tuple[int, int]:
    """How many hold and how many become stale; what was stale before is neither."""
    totals: Counter[bool] = Counter()
    for protocol_id, label, count in counts:
        source = by_source.get(today.get(protocol_id, {}).get(label, ""))
        if source is not None:
            setattr(source, what, getattr(source, what) + count)
            totals[label in after.get(protocol_id, {})] += count
    return totals[True], totals[False]


def _count_asked(found: Impact, study: Study, after: mapping.Codes) -> None:
    again = asking.count(study, after=after)
    found.rewritten = carrying.carried(study, after=after).count()
    found.queued, found.queued_audit, found.opinions = again["regions"], again["audit"], again["opinions"]
    found.queued_settled = found.queued - again["begun"]
    found.withdrawn_picks = picks.withdrawable(study).count() if found.queued else 0
    if found.seconds_per_answer is not None:
        found.hours = found.opinions * found.seconds_per_answer / 3600


def _count_others(found: Impact, study: Study, after: mapping.Codes, *, step: dict[str, str]) -> None:
    live = Assignment.objects.filter(study=study, state=AssignmentState.LEASED, expires_at__gt=clock.now())
    found.leases = live.count()
    gold = Gold.objects.filter(region__study=study, retired_at=None).values_list("protocol_id", "label")
    found.gold_stale = sum(
        count for protocol, label, count in gold.annotate(count=Count("pk")).order_by()
        if label not in after.get(protocol, {})
    )  # fmt: skip
    shown = ClassExample.objects.filter(label_class__protocol=study.protocol_id)
    found.examples_stale = shown.exclude(label_class__code__in=step).count()
    active = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).select_related("training_set").first()
    if active is not None:
        found.model = active.number
        codes = after.get(active.training_set.protocol_id, {})
        found.model_loses = [code for code in active.class_codes if code not in codes]


def _note(found: Impact, plans: list[mappings.MappingPlan], draft: Protocol, before: Protocol) -> list[str]:
    """What a manager may not have thought of."""
    notes = [
        f"'{code}' is new, and no class goes to it: regions that are settled keep their class, "
        "also where they would be of the new one. Where that can be, map their class as split."
        for code in found.new_classes
    ]
    words = dict(before.classes.values_list("code", "definition"))
    now = dict(draft.classes.values_list("code", "definition"))
    notes += [
        f"The definition of '{plan.source}' changes, but its answers are to hold: right where only words change."
        for plan in plans
        if plan.kind == MappingKind.SAME and words[plan.source].split() != now[plan.source].split()
    ]
    if found.examples_stale:
        notes.append(f"{found.examples_stale} examples belong to classes that end here, and are shown no more.")
    if found.gold_stale:
        notes.append(f"{found.gold_stale} gold regions have no class any more, and check nobody from then on.")
    if found.model_loses:
        notes.append(f"Model {found.model} does not know the new classes: it goes on ranking until one is trained.")
    return notes
