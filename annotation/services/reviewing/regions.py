"""A manager goes back on a region's truth: restores an earlier revision, or asks people again.

Decides what may be restored and what may be asked again; refuses to change a row of history: both write new ones.
"""

from django.db import transaction

from annotation import answers, clock, mapping
from annotation.errors import BadInput, Conflict, Missing, Refused
from annotation.models import Annotation, GroundTruthRevision, Membership, Region, Study
from annotation.services import ledger, picks, truth
from annotation.states import Method, RegionState, Role

LONGEST_NOTE = 500
_DECIDED = (RegionState.SETTLED, RegionState.EXCLUDED)


@transaction.atomic
def restore(*, region: Region, member: Membership, number: int, reason: str) -> GroundTruthRevision:
    """Write what revision `number` said as the newest revision, under today's protocol, and end the work on the region.

    The restored label keeps its confidence, and its posterior where the classes are still the same. BadInput where
    the revision says nothing that could stand today, Conflict where it stands already.
    """
    check(member, reason)
    # Nothing is decided while a new version of the classes comes into force.
    Study.objects.select_for_update(no_key=True).get(pk=region.study_id)
    study = Study.objects.select_related("protocol").get(pk=region.study_id)
    truth.lock_regions([region.pk])
    region = Region.objects.select_related("current_revision").get(pk=region.pk)
    source = GroundTruthRevision.objects.filter(region=region, number=number).select_related("protocol").first()
    if source is None:
        raise Missing(f"The region has no revision {number}.")
    if not (source.is_settled or source.is_excluded):
        raise BadInput(f"Revision {number} only says that the region is open: send it back to annotators instead.")
    answer = carry_over(source, study=study)
    _refuse_what_stands(region, source=source, answer=answer, study=study)
    at = clock.now()
    revision = truth.revise(
        region=region,
        study=study,
        answer=answer,
        confidence=source.confidence,
        posterior=source.posterior if source.protocol_id == study.protocol_id else {},
        method=Method.RESTORE,
        evidence=[],
        snapshot=None,
        actor=member,
        reason=f"Revision {number} restored: {reason.strip()}",
        at=at,
        is_settled=source.is_settled,
        is_excluded=source.is_excluded,
    )
    assert revision is not None  # an actor's word is written even where it changes nothing
    truth.close(region, is_excluded=source.is_excluded, at=at)
    ledger.append(study=study, kind="restore", payload={"revision": revision.content(), "restores": number}, at=at)
    return revision


@transaction.atomic
def send_back(*, region: Region, member: Membership, reason: str, note: str = "") -> Region:
    """Ask people again about a region that somebody has answered; `note` is shown to them, `reason` is kept for good.

    Conflict where people are being asked already, or nobody has answered yet.
    """
    check(member, reason)
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"The note is shown beside the picture: keep it under {LONGEST_NOTE} characters.")
    if region.current_revision_id is None and not Annotation.objects.filter(region=region).exists():
        raise Conflict("Nobody has answered this region yet: there is nothing to send back.")
    batch = picks.recheck(study=member.study, regions=[region], reason=reason.strip(), note=note.strip(), actor=member)
    if batch is None:
        raise Conflict("People are being asked about this region already, or an adjudicator is: wait for them.")
    return Region.objects.select_related("slide", "current_revision").get(pk=region.pk)


def check(member: Membership, reason: str) -> None:
    """Refused for all but managers; BadInput without a reason."""
    if member.role != Role.MANAGER or not member.is_active:
        raise Refused("Only a manager of the study may do this.")
    if not reason.strip():
        raise BadInput("A decision over the truth needs a reason.")


def carry_over(source: GroundTruthRevision, *, study: Study) -> dict[str, object] | None:
    """The revision's answer in today's classes; BadInput where there is none."""
    if source.answer is None or source.protocol_id == study.protocol_id:
        return source.answer
    today = mapping.exact_codes(study).get(source.protocol_id, {}).get(answers.label_of(source.answer))
    if today is None:
        raise BadInput(
            f"The class '{source.label}' of protocol {source.protocol.number} has no exact successor today: "
            "decide over the region instead."
        )
    return {**source.answer, "label": today}


def _refuse_what_stands(
    region: Region, *, source: GroundTruthRevision, answer: dict[str, object] | None, study: Study
) -> None:
    now = region.current_revision
    if now is None or region.state not in _DECIDED:
        return
    standing = (now.is_settled, now.is_excluded, now.answer, now.protocol_id)
    if standing == (source.is_settled, source.is_excluded, answer, study.protocol_id):
        raise Conflict(f"What revision {source.number} says stands already: there is nothing to restore.")
