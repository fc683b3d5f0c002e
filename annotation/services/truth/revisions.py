"""The next revision of a region: from an answer, from a named person's word, or that it is open again.

Decides whether a revision is written at all; refuses to know how the opinions came to a label (`settlement`).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from annotation import answers as answer_forms
from annotation import canonical, clock
from annotation.errors import BadInput
from annotation.models import GroundTruthRevision, Membership, Pick, Region, ReliabilitySnapshot, Study
from annotation.services import ledger
from annotation.services.truth.belief import Opinion, class_codes
from annotation.states import AnswerKind, Method, PickState, RegionState

LIVE_PICKS = (PickState.OPEN, PickState.ADJUDICATION)
_AT_ONCE = 2000
_POINT = """
    UPDATE annotation_region SET current_revision_id = written.id
    FROM annotation_groundtruthrevision written
    WHERE written.id = ANY(%s) AND annotation_region.id = written.region_id
"""


def lock_regions(region_ids: Iterable[int]) -> None:
    """Lock regions with their live picks, picks first: the order in which a submit locks.

    Read what is decided upon afterwards: a row that was waited for has changed meanwhile.
    """
    wanted = list(region_ids)
    live = Pick.objects.filter(region__in=wanted, state__in=LIVE_PICKS)
    list(live.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    list(Region.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk"))


def parse_answer(answer: Any, *, study: Study, codes: Collection[str] | None = None) -> dict[str, Any]:
    """The canonical form of an answer to this study's question; BadInput where it does not hold.

    `codes` are those of another version than the one in force.
    """
    form = answer_forms.parse(answer, codes=class_codes(study) if codes is None else codes)
    if form["kind"] != AnswerKind.CLASS:
        raise BadInput("This study asks for one class per region.")
    return form


@transaction.atomic
def decide(
    *,
    region: Region,
    member: Membership,
    answer: dict[str, Any] | None,
    reason: str,
    method: Method = Method.CONSISTENCY,
    exclude: bool = False,
) -> GroundTruthRevision:
    """A named person decides over a region, or leaves it out of the dataset (`exclude`), with a reason."""
    if not reason.strip():
        raise BadInput("A decision over the truth needs a reason.")
    if (answer is None) == (not exclude):
        raise BadInput("Give an answer, or exclude the region; not both and not neither.")
    # Nothing is decided while a new version of the classes comes into force.
    Study.objects.select_for_update(no_key=True).get(pk=region.study_id)
    study = Study.objects.select_related("protocol").get(pk=region.study_id)
    form = None if answer is None else parse_answer(answer, study=study)
    lock_regions([region.pk])
    region = Region.objects.select_related("current_revision").get(pk=region.pk)
    at = clock.now()
    revision = revise(
        region=region,
        study=study,
        answer=form,
        confidence=None if exclude else 1.0,
        posterior={},
        method=method,
        evidence=[],
        snapshot=None,
        actor=member,
        reason=reason,
        at=at,
        is_settled=not exclude,
        is_excluded=exclude,
    )
    assert revision is not None  # an actor's word is written even where it changes nothing
    close(region, is_excluded=exclude, at=at)
    ledger.append(study=study, kind="revision", payload={"revision": revision.content()}, at=at)
    return revision


def close(region: Region, *, is_excluded: bool, at: datetime) -> None:
    """End the work on a region over which a named person has decided."""
    live = Pick.objects.filter(region=region, state__in=LIVE_PICKS)
    live.update(state=PickState.SETTLED, slots_open=0, closed_at=at)
    state = RegionState.EXCLUDED if is_excluded else RegionState.SETTLED
    Region.objects.filter(pk=region.pk).update(state=state)


def reopen(
    *, region: Region, study: Study, reason: str, method: Method, at: datetime, actor: Membership | None = None
) -> GroundTruthRevision | None:
    """Write that a settled region is open again; nothing where it was not settled."""
    current = region.current_revision
    if current is None or not current.is_settled:
        return None
    return revise(
        region=region,
        study=study,
        answer=None,
        confidence=None,
        posterior={},
        method=method,
        evidence=[],
        snapshot=None,
        actor=actor,
        reason=reason,
        at=at,
        is_settled=False,
    )


def revise(
    *,
    region: Region,
    study: Study,
    answer: dict[str, Any] | None,
    confidence: float | None,
    posterior: dict[str, float],
    method: Method,
    evidence: Sequence[Opinion],
    snapshot: ReliabilitySnapshot | None,
    actor: Membership | None,
    reason: str,
    at: datetime,
    is_settled: bool = True,
    is_excluded: bool = False,
) -> GroundTruthRevision | None:
    """Write the next revision where label, settled state or protocol change, or a person has spoken; else nothing."""
    parent = region.current_revision
    unchanged = (
        parent is not None
        and actor is None
        and (parent.is_settled, parent.is_excluded, parent.answer, parent.protocol_id)
        == (is_settled, is_excluded, answer, study.protocol_id)
    )
    if unchanged:
        return None
    revision = GroundTruthRevision.objects.create(
        study=study,
        region=region,
        number=parent.number + 1 if parent else 1,
        parent=parent,
        is_settled=is_settled,
        is_excluded=is_excluded,
        answer=answer,
        label=answer_forms.label_of(answer),
        confidence=None if confidence is None else canonical.rounded(confidence),
        posterior={code: canonical.rounded(value) for code, value in posterior.items()},
        method=method,
        annotation_ids=[one.annotation_id for one in evidence],
        evidence=[[one.pseudonym, one.number] for one in evidence],
        protocol=study.current_protocol,
        snapshot=snapshot,
        actor=actor,
        reason=reason,
        created_at=at,
    )
    Region.objects.filter(pk=region.pk).update(current_revision=revision)
    region.current_revision = revision
    return revision


def write_all(revisions: Sequence[GroundTruthRevision]) -> list[dict[str, Any]]:
    """Write many revisions, one for each region, point the regions at them, and return what the ledger vouches for.

    For one entry over all of them. The regions are locked by the caller, who has read their newest revisions since.
    """
    written = GroundTruthRevision.objects.bulk_create(revisions, batch_size=_AT_ONCE)
    with connection.cursor() as cursor:
        cursor.execute(_POINT, [[row.pk for row in written]])
    return [row.content() for row in written]
