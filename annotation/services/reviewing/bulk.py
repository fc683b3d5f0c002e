"""Takes back what one ledger entry did: its regions go back to what stood before it, as new revisions.

Decides which regions can go back, and which were changed since and are left alone; refuses to undo an answer (its
author does, or `sessions`). The entry written is of the same make, so it can be taken back in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation import clock
from annotation.chain import Link
from annotation.errors import BadInput, Conflict, Missing
from annotation.models import Annotation, GroundTruthRevision, LedgerEntry, Membership, Pick, Region, Study, opaque
from annotation.releasing import standing
from annotation.services import ledger, picks, truth
from annotation.services.reviewing.regions import carry_over, check
from annotation.services.reviewing.sessions import KIND as SET_ASIDE
from annotation.services.reviewing.sessions import lock_all, lock_people
from annotation.states import SLOT_KINDS, AnswerKind, Method, PickState, RegionState

KIND = "take-back"
_ONE_ANSWER = frozenset({"annotation", "withdrawal"})
_TOLD = 200


@dataclass(slots=True)
class TakenBack:
    """What happened, or would: how many regions went back, are asked again, and answers that count again.

    `changed`: left alone, as something was written about them since. `stuck`: what stood before has no class today.
    `same`: it stands already. The first 200 names of each.
    """

    position: int | None = None
    restored: int = 0
    reopened: int = 0
    answers: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"changed": 0, "stuck": 0, "same": 0})
    changed: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)

    def leave(self, why: str, region: str) -> None:
        """Note a region that stays as it is."""
        self.counts[why] += 1
        names: list[str] = getattr(self, why)
        if len(names) < _TOLD:
            names.append(region)


@dataclass(slots=True)
class _Work:
    """One entry's rows, and what is being written instead of them."""

    study: Study
    entry: LedgerEntry
    member: Membership
    reason: str
    at: datetime
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    withdrawn: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[GroundTruthRevision] = field(default_factory=list)
    closed: dict[bool, list[int]] = field(default_factory=lambda: {True: [], False: []})
    opened: list[Region] = field(default_factory=list)
    again: dict[int, Annotation] = field(default_factory=dict)
    done: TakenBack = field(default_factory=TakenBack)


def restore_bulk(
    *, study: Study, position: int, member: Membership, reason: str, also_changed: bool = False, dry_run: bool = False
) -> TakenBack:
    """Put the regions of the entry at `position` back to what stood before it, in one new entry.

    Regions written about since are left alone unless `also_changed`. `dry_run` does the same and takes it all back.
    BadInput for an entry that changed no truth or is one person's answer, Conflict where nothing can go back.
    """
    check(member, reason)
    if member.study_id != study.pk:
        raise Missing("There is no such entry.")
    with transaction.atomic():
        done = _take_back(study, position, member=member, reason=reason.strip(), also=also_changed, is_real=not dry_run)
        if dry_run:
            transaction.set_rollback(True)
    return done


def _take_back(study: Study, position: int, *, member: Membership, reason: str, also: bool, is_real: bool) -> TakenBack:
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    study = Study.objects.select_related("protocol").get(pk=study.pk)
    entry = LedgerEntry.objects.filter(study=study, position=position).first()
    if entry is None:
        raise Missing(f"The ledger has no entry {position}.")
    work = _Work(study, entry, member, f"Entry {position} taken back: {reason}", clock.now())
    _read(work)
    names = {*work.last, *(one["region"] for one in work.withdrawn)}
    lock_people({one["annotator"] for one in work.withdrawn}, study=study)
    lock_all(list(Region.objects.filter(study=study, public_id__in=names).order_by("pk").values_list("pk", flat=True)))
    rows = Region.objects.filter(study=study, public_id__in=names).select_related("current_revision__protocol")
    regions = {row.public_id: row for row in rows.order_by("public_id")}
    free = _sort_out(work, regions, also=also)
    _answer_again(work, regions, free)
    _plan(work, free)
    if not (work.revisions or work.again):
        raise Conflict(_why_nothing(work.done))
    contents = [row.content() for row in work.again.values()] + _write(work)
    if is_real:
        payload = {"by": member.pseudonym, "reason": reason, "rows": contents, "takes_back": position}
        work.done.position = ledger.append(study=study, kind=KIND, payload=payload, at=work.at).position
    return work.done


def _read(work: _Work) -> None:
    """The entry's revisions by region, first and last, and the answers it took back."""
    entry = work.entry
    if entry.kind in _ONE_ANSWER:
        raise BadInput(
            f"Entry {entry.position} is one person's answer: restore the region, or set the person's session aside."
        )
    for content in standing.contents(Link(entry.position, entry.kind, entry.payload, "", "")):
        if entry.kind == KIND and content["row"] == "annotation":
            raise BadInput(
                f"Entry {entry.position} gave answers of {content['annotator']} back: set them aside again instead."
            )
        if content["row"] == "revision":
            work.first.setdefault(content["region"], content["number"])
            work.last[content["region"]] = content["number"]
        elif content["kind"] == AnswerKind.WITHDRAWN and entry.kind == SET_ASIDE:
            work.withdrawn.append(content)
    if not (work.last or work.withdrawn):
        raise BadInput(f"Entry {entry.position} ({entry.kind}) changed no truth: there is nothing to take back.")


def _sort_out(work: _Work, regions: dict[str, Region], *, also: bool) -> list[Region]:
    """The regions that nothing was written about since the entry."""
    free = []
    for name, region in regions.items():
        number = region.current_revision.number if region.current_revision else 0
        is_changed = name in work.last and number != work.last[name]
        if is_changed and not also:
            work.done.leave("changed", name)
        else:
            free.append(region)
    return free


def _answer_again(work: _Work, regions: dict[str, Region], free: Sequence[Region]) -> None:
    """Write the answers that the entry set aside once more, in their authors' names: the ledger says who did it."""
    open_to = {region.public_id for region in free}
    wanted = {(one["region"], one["annotator"], one["number"]) for one in work.withdrawn if one["region"] in open_to}
    if not wanted:
        return
    rows = Annotation.objects.filter(study=work.study, kind=AnswerKind.WITHDRAWN, region__public_id__in=open_to)
    rows = rows.filter(corrections=None).select_related("parent__protocol", "annotator", "region", "assignment__pick")
    found = [
        row for row in rows.order_by("id") if (row.region.public_id, row.annotator.pseudonym, row.number) in wanted
    ]
    last: dict[tuple[int, int], int] = {}
    for region, author, number in Annotation.objects.filter(region__public_id__in=open_to).values_list(
        "region_id", "annotator_id", "number"
    ):
        last[region, author] = max(number, last.get((region, author), 0))
    for row in found:
        if not _takes_its_slot(row, is_settled=row.region.public_id in work.last):
            work.done.leave("changed", row.region.public_id)
            continue
        last[row.region_id, row.annotator_id] += 1
        again = _again(row, number=last[row.region_id, row.annotator_id], at=work.at)
        assert row.parent is not None
        work.again[row.parent.pk] = again
    Annotation.objects.bulk_create(list(work.again.values()))
    work.done.answers = len(work.again)


def _takes_its_slot(row: Annotation, *, is_settled: bool) -> bool:
    """Take the slot back that the set-aside answer left open; False where somebody else has it by now."""
    pick = row.assignment.pick
    if is_settled or pick is None or row.assignment_kind not in SLOT_KINDS:
        return True
    pick = Pick.objects.get(pk=pick.pk)
    if pick.state != PickState.OPEN:
        return True
    if pick.slots_open < 1:
        return False
    pick.slots_open -= 1
    pick.save(update_fields=["slots_open"])
    return True


def _again(row: Annotation, *, number: int, at: datetime) -> Annotation:
    """The answer that `row` took back; seconds and comment stay with the first one, where they count, or are erased."""
    first = row.parent
    assert first is not None
    return Annotation(
        study_id=row.study_id,
        region=row.region,
        annotator=row.annotator,
        number=number,
        parent=row,
        assignment=row.assignment,
        assignment_kind=first.assignment_kind,
        protocol=first.protocol,
        kind=first.kind,
        answer=first.answer,
        label=first.label,
        is_flagged=first.is_flagged,
        suggestion=first.suggestion,
        idempotency_key=opaque.token(),
        created_at=at,
    )


def _plan(work: _Work, free: Sequence[Region]) -> None:
    """Say for each region what its next revision is."""
    names = [region.public_id for region in free if region.public_id in work.first]
    rows = GroundTruthRevision.objects.filter(study=work.study, region__public_id__in=names).select_related("protocol")
    before = {(row.region_id, row.number): row for row in rows}
    for region in free:
        if region.public_id not in work.first:
            continue
        source = before.get((region.pk, work.first[region.public_id] - 1))
        if source is not None and (source.is_settled or source.is_excluded):
            _go_back(work, region, source)
        else:
            _open_again(work, region)


def _go_back(work: _Work, region: Region, source: GroundTruthRevision) -> None:
    now = region.current_revision
    try:
        answer = carry_over(source, study=work.study)
    except BadInput:
        work.done.leave("stuck", region.public_id)
        return
    stands = (source.is_settled, source.is_excluded, answer, work.study.protocol_id)
    is_same = now is not None and (now.is_settled, now.is_excluded, now.answer, now.protocol_id) == stands
    if is_same and not work.again:
        work.done.leave("same", region.public_id)
        return
    evidence = _evidence(work, source)
    is_today = source.protocol_id == work.study.protocol_id
    work.revisions.append(
        _next(
            work,
            region,
            is_settled=source.is_settled,
            is_excluded=source.is_excluded,
            answer=answer,
            label="" if answer is None else str(answer.get("label", "")),
            confidence=source.confidence,
            posterior=source.posterior if is_today else {},
            annotation_ids=[row.pk for row in evidence],
            evidence=[[row.annotator.pseudonym, row.number] for row in evidence],
            snapshot=source.snapshot if evidence else None,
        )
    )
    work.closed[source.is_excluded].append(region.pk)
    work.done.restored += 1


def _evidence(work: _Work, source: GroundTruthRevision) -> list[Annotation]:
    """What a truth rests on that comes back together with its answers; any other restored one is a person's word."""
    if not work.again:
        return []
    rows = Annotation.objects.filter(pk__in=source.annotation_ids).select_related("annotator")
    return [work.again.get(row.pk, row) for row in rows.order_by("annotator__pseudonym")]


def _open_again(work: _Work, region: Region) -> None:
    now = region.current_revision
    if now is None or not (now.is_settled or now.is_excluded):
        work.done.leave("same", region.public_id)
        return
    work.revisions.append(_next(work, region, is_settled=False))
    work.opened.append(region)
    work.done.reopened += 1


def _next(work: _Work, region: Region, **fields: Any) -> GroundTruthRevision:
    parent = region.current_revision
    return GroundTruthRevision(
        study=work.study,
        region=region,
        number=parent.number + 1 if parent else 1,
        parent=parent,
        method=Method.RESTORE,
        protocol=work.study.current_protocol,
        actor=work.member,
        reason=work.reason,
        created_at=work.at,
        **fields,
    )


def _write(work: _Work) -> list[dict[str, Any]]:
    """Write the revisions, end the work on what is decided, queue what is open; what the ledger vouches for."""
    contents = truth.write_all(work.revisions)
    for is_excluded, keys in work.closed.items():
        live = Pick.objects.filter(region__in=keys, state__in=truth.LIVE_PICKS)
        live.update(state=PickState.SETTLED, slots_open=0, closed_at=work.at)
        state = RegionState.EXCLUDED if is_excluded else RegionState.SETTLED
        Region.objects.filter(pk__in=keys).update(state=state)
    if work.opened:
        picks.ask_again(study=work.study, regions=work.opened, reason=work.reason, at=work.at)
    return contents


def _why_nothing(done: TakenBack) -> str:
    said = {
        "changed": "{} changed since (restore them one by one, or take them back all the same)",
        "stuck": "{} whose class of that time has no exact successor today (decide over them)",
        "same": "{} where that stands already",
    }
    parts = [said[why].format(count) for why, count in done.counts.items() if count]
    return f"Nothing can go back: {'; '.join(parts)}."
