"""Sets a person's answers of some hours aside: they no longer count, and the truth is what remains without them.

Decides what becomes of each region that rested on them; refuses to change a row of history: the answers are taken back
by new rows that a manager wrote, named in the ledger's entry. Gold, repeats and checks stay: they judge the person.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from annotation import clock
from annotation.errors import BadInput, Conflict, Missing
from annotation.models import (
    Annotation,
    Assignment,
    GroundTruthRevision,
    Membership,
    Pick,
    Region,
    ReleaseItem,
    Study,
    opaque,
)
from annotation.services import ledger, picks, truth
from annotation.services.reviewing.regions import check
from annotation.states import AnswerKind, AssignmentKind, AssignmentState, Method, PickState, RegionState

KIND = "set-aside"
"""Of the ledger's entry."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """What happened, or would: answers, and of their regions how many settle on what remains (with the same label, with
    another), are open again, go to an adjudicator, wait as before, or stand by a person's decision; how many a release
    holds, which stays as it is.
    """

    position: int | None
    answers: int
    kept: int
    relabelled: int
    reopened: int
    adjudicated: int
    waiting: int
    decided: int
    released: int


def restore_session(
    *,
    study: Study,
    person: Membership,
    since: datetime,
    until: datetime,
    member: Membership,
    reason: str,
    dry_run: bool = False,
) -> SetAside:
    """Set the answers of `person` from `since` to `until` (both included) aside, in one ledger entry.

    `dry_run` does the same and takes it all back, so that what it tells is what would happen. Conflict where no answer
    of that time counts any more.
    """
    check(member, reason)
    if person.study_id != study.pk or member.study_id != study.pk:
        raise Missing("There is no such person in this study.")
    if since > until:
        raise BadInput("The session ends before it begins: give the earlier moment first.")
    with transaction.atomic():
        done = _set_aside(
            study, person=person, since=since, until=until, member=member, reason=reason.strip(), is_real=not dry_run
        )
        if dry_run:
            transaction.set_rollback(True)
    return done


def _set_aside(
    study: Study,
    *,
    person: Membership,
    since: datetime,
    until: datetime,
    member: Membership,
    reason: str,
    is_real: bool,
) -> SetAside:
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    study = Study.objects.select_related("protocol").get(pk=study.pk)
    found = list(counting(person, since=since, until=until))
    lock_people([person.pseudonym], study=study, assignments=[row.assignment_id for row in found])
    lock_all([row.region_id for row in found])
    rows = counting(person, since=since, until=until).filter(pk__in=[row.pk for row in found])
    taken = list(rows.select_related("region", "annotator", "protocol", "assignment"))
    if not taken:
        raise Conflict(f"No answer of {person.pseudonym} from that time counts: there is nothing to set aside.")
    at = clock.now()
    said = f"Answers of {person.pseudonym} were set aside: {reason}"
    withdrawals = Annotation.objects.bulk_create([_withdrawal(row, at) for row in _numbered(person, taken)])
    fates: Counter[str] = Counter()
    revisions = []
    again: list[Region] = []
    for region, last in _regions(study, taken):
        own = [row for row in taken if row.region_id == region.pk]
        fate, revision = _decide(region, last, own, study=study, member=member, reason=said, at=at)
        fates[fate] += 1
        revisions += [revision] if revision else []
        again += [region] if fate == "reopened" and not _reopen_pick(last, own) else []
    if again:
        picks.ask_again(study=study, regions=again, reason=said, at=at)
    position = None
    if is_real:
        contents = [row.content() for row in withdrawals] + [row.content() for row in revisions]
        payload = {"by": member.pseudonym, "person": person.pseudonym, "reason": reason, "rows": contents}
        payload |= {"since": since.isoformat(), "until": until.isoformat()}
        position = ledger.append(study=study, kind=KIND, payload=payload, at=at).position
    released = (
        ReleaseItem.objects.filter(region__in={row.region_id for row in taken}).values("region").distinct().count()
    )
    counts = {name: fates[name] for name in ("kept", "relabelled", "reopened", "adjudicated", "waiting", "decided")}
    return SetAside(position=position, answers=len(taken), released=released, **counts)


def counting(person: Membership, *, since: datetime, until: datetime) -> QuerySet[Annotation]:
    """The person's answers of that time that are evidence, were not taken back, and not given anew since."""
    rows = Annotation.objects.filter(annotator=person, assignment_kind__in=truth.EVIDENCE_KINDS)
    rows = rows.exclude(kind=AnswerKind.WITHDRAWN).filter(
        corrections=None, created_at__gte=since, created_at__lte=until
    )
    return rows.order_by("region_id", "id")


def lock_people(pseudonyms: Collection[str], *, study: Study, assignments: Collection[int] = ()) -> None:
    """Hold what these people claim, answer and undo by, in their own order of locks: nothing of theirs is written."""
    people = Membership.objects.filter(study=study, pseudonym__in=pseudonyms)
    keys = list(people.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))
    mine = Assignment.objects.filter(Q(annotator__in=keys, state=AssignmentState.LEASED) | Q(pk__in=assignments))
    list(mine.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def lock_all(regions: Sequence[int]) -> None:
    """Lock regions with all their picks, also those that have ended: an undo may be about to open one again."""
    of_regions = Pick.objects.filter(region__in=regions)
    list(of_regions.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))
    truth.lock_regions(regions)


def _numbered(person: Membership, rows: Sequence[Annotation]) -> list[tuple[Annotation, int]]:
    """Each answer with the next free number of the person on its region."""
    counted = Annotation.objects.filter(annotator=person, region__in=[row.region_id for row in rows]).order_by()
    last = dict(counted.values_list("region").annotate(last=Max("number")))
    found = []
    for row in rows:
        last[row.region_id] += 1
        found.append((row, last[row.region_id]))
    return found


def _withdrawal(numbered: tuple[Annotation, int], at: datetime) -> Annotation:
    row, number = numbered
    return Annotation(
        study_id=row.study_id,
        region=row.region,
        annotator=row.annotator,
        number=number,
        parent=row,
        assignment=row.assignment,
        assignment_kind=row.assignment_kind,
        protocol=row.protocol,
        kind=AnswerKind.WITHDRAWN,
        answer=None,
        idempotency_key=opaque.token(),
        created_at=at,
    )


def _regions(study: Study, rows: Sequence[Annotation]) -> list[tuple[Region, Pick | None]]:
    """The regions of the answers as they are now that they are locked, each with its last pick."""
    ids = {row.region_id for row in rows}
    last = {pick.region_id: pick for pick in Pick.objects.filter(region__in=ids).order_by("pk")}
    found: list[tuple[Region, Pick | None]] = []
    for region in Region.objects.filter(pk__in=ids).select_related("current_revision").order_by("public_id"):
        pick = last.get(region.pk)
        if pick is not None:
            pick.region, pick.study = region, study
        found.append((region, pick))
    return found


def _decide(
    region: Region,
    pick: Pick | None,
    taken: Sequence[Annotation],
    *,
    study: Study,
    member: Membership,
    reason: str,
    at: datetime,
) -> tuple[str, GroundTruthRevision | None]:
    """What becomes of one region, and the revision that says so."""
    current = region.current_revision
    gone = {row.pk for row in taken}
    if current is not None and (current.is_excluded or current.is_settled) and not gone & set(current.annotation_ids):
        return "decided", None
    if current is None or not current.is_settled:
        _give_slots_back(pick, taken)
        return "waiting", None
    is_adjudication = any(
        row.assignment_kind == AssignmentKind.ADJUDICATE for row in taken if row.pk in current.annotation_ids
    )
    if not is_adjudication and pick is not None and pick.state == PickState.SETTLED:
        label = current.label
        anew = truth.settle_anew(pick=pick, actor=member, reason=reason, at=at)
        if anew is not None:
            return "kept" if anew.label == label else "relabelled", anew
    opened = truth.reopen(region=region, study=study, reason=reason, method=Method.WITHDRAWAL, at=at, actor=member)
    if is_adjudication and pick is not None:
        truth.escalate(pick=pick)
        return "adjudicated", opened
    return "reopened", opened


def _give_slots_back(pick: Pick | None, taken: Sequence[Annotation]) -> None:
    """Somebody else is asked where an open pick loses an opinion; a tie that has lost one may be none any more."""
    if pick is None or all(row.assignment_kind == AssignmentKind.ADJUDICATE for row in taken):
        return
    adjudicating = pick.assignments.filter(state=AssignmentState.LEASED, kind=AssignmentKind.ADJUDICATE)
    unused = truth.count_unused(pick=pick)
    if pick.state == PickState.OPEN or (
        pick.state == PickState.ADJUDICATION and unused > 0 and not adjudicating.exists()
    ):
        _open(pick, slots=max(unused, 0))


def _reopen_pick(pick: Pick | None, taken: Sequence[Annotation]) -> bool:
    """Ask for the opinions that are missing by the pick they came from; False where it has none to ask for."""
    unused = truth.count_unused(pick=pick) if pick is not None else 0
    if pick is None or unused < 1:
        return False
    _open(pick, slots=unused)
    return True


def _open(pick: Pick, *, slots: int) -> None:
    pick.state, pick.slots_open, pick.closed_at = PickState.OPEN, slots, None
    pick.save(update_fields=["state", "slots_open", "closed_at"])
    Region.objects.filter(pk=pick.region_id).update(state=RegionState.QUEUED)
