"""What the fixes of findings do to the truth: ask again, hand over, decide, merge duplicates, carry over, leave out.

Decides which regions get which revision, each region once; refuses to know when a finding may be decided (`findings`).
The caller holds the locks of the findings and regions, and vouches for the returned rows in one ledger entry.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation import answers as answer_forms
from annotation.errors import BadInput, Conflict
from annotation.models import Finding, GroundTruthRevision, Membership, Pick, Region, Study
from annotation.rules import Fix
from annotation.services import picks, truth
from annotation.states import AuditHalf, Method, PickState, RegionState

_PERSONAL = frozenset({Method.ADJUDICATION, Method.CONSISTENCY, Method.RESTORE})


@dataclass(frozen=True, slots=True)
class Word:
    """A named person's decision over one region; without an answer it is left out of the dataset."""

    region: Region
    reason: str
    answer: dict[str, Any] | None = None
    method: Method = Method.CONSISTENCY


def carry_out(
    chosen: Sequence[tuple[Finding, Fix]],
    *,
    member: Membership,
    reason: str,
    answer: dict[str, Any] | None,
    at: datetime,
) -> list[dict[str, Any]]:
    """Do what was chosen for each finding; returns what the ledger must vouch for.

    Regions to be asked again go into one batch, whatever number of findings named them.
    """
    form = None if answer is None else truth.parse_answer(answer, study=member.study)
    by_fix: dict[Fix, list[Finding]] = defaultdict(list)
    for row, fix in chosen:
        by_fix[fix].append(row)
    words = _gather_words(by_fix, reason=reason.strip(), form=form)
    written = write_words(list(words.values()), study=member.study, member=member, at=at)
    for fix in (Fix.RECHECK, Fix.ADJUDICATE):
        if by_fix[fix] and not (fix == Fix.ADJUDICATE and form):
            _ask_again(by_fix[fix], fix, member=member, reason=reason.strip(), passed_over=words.keys())
    return written


def _gather_words(by_fix: dict[Fix, list[Finding]], *, reason: str, form: dict[str, Any] | None) -> dict[int, Word]:
    """Region key -> the decision over it; where two findings ask for different ones, the later kind stands."""
    words = {one.region.pk: one for one in _merge(by_fix[Fix.MERGE], reason=reason)}
    words |= {one.pk: Word(one, reason) for one in _regions(by_fix[Fix.EXCLUDE])}
    if by_fix[Fix.MAP] and form is None:
        raise BadInput("Say which class of today's protocol the regions are carried over to.")
    words |= {one.pk: Word(one, reason, form, Method.MAPPING) for one in _regions(by_fix[Fix.MAP])}
    if form is not None:
        words |= {one.pk: Word(one, reason, form) for one in _regions(by_fix[Fix.ADJUDICATE])}
    return words


def _regions(rows: Iterable[Finding]) -> list[Region]:
    return [row.region for row in rows if row.region is not None]


def write_words(words: Sequence[Word], *, study: Study, member: Membership, at: datetime) -> list[dict[str, Any]]:
    """Write a revision for each word and end the work on its region; returns the rows' contents."""
    if not words:
        return []
    keys = [word.region.pk for word in words]
    current = Region.objects.select_related("current_revision").in_bulk(keys)
    contents = truth.write_all([_revise(word, current[word.region.pk], study, member, at) for word in words])
    live = Pick.objects.filter(region__in=keys, state__in=truth.LIVE_PICKS)
    live.update(state=PickState.SETTLED, slots_open=0, closed_at=at)
    left_out = [word.region.pk for word in words if word.answer is None]
    Region.objects.filter(pk__in=left_out).update(state=RegionState.EXCLUDED)
    Region.objects.filter(pk__in=set(keys) - set(left_out)).update(state=RegionState.SETTLED)
    return contents


def _revise(word: Word, region: Region, study: Study, member: Membership, at: datetime) -> GroundTruthRevision:
    parent = region.current_revision
    # A truth that is carried over is as sure as it was; what somebody decides is sure.
    sure = parent.confidence if parent and word.method == Method.MAPPING else 1.0
    return GroundTruthRevision(
        study=study,
        region=region,
        number=parent.number + 1 if parent else 1,
        parent=parent,
        is_settled=word.answer is not None,
        is_excluded=word.answer is None,
        answer=word.answer,
        label=answer_forms.label_of(word.answer),
        confidence=None if word.answer is None else sure,
        method=word.method,
        protocol=study.current_protocol,
        actor=member,
        reason=word.reason,
        created_at=at,
    )


def _merge(rows: Sequence[Finding], *, reason: str) -> list[Word]:
    """Of regions that findings join, directly or through others, the best documented stays."""
    groups: dict[int, set[int]] = {}
    for row in rows:
        joined = {key for key in (row.region_id, row.counterpart_id) if key is not None}
        joined = joined.union(*(groups.get(key, ()) for key in joined))
        groups |= dict.fromkeys(joined, joined)
    regions = Region.objects.select_related("current_revision").in_bulk(list(groups))
    words = []
    for joined in {id(group): group for group in groups.values()}.values():
        standing = [regions[key] for key in joined if _stands(regions[key])]
        if not standing:
            raise Conflict("None of the duplicates has a settled label any more: run a new pass.")
        kept, *others = sorted(standing, key=_document)
        said = f"{reason} (Shows the same as region {kept.public_id}, which stays.)"
        words += [Word(region, said) for region in others]
    return words


def _stands(region: Region) -> bool:
    current = region.current_revision
    return current is not None and current.is_settled and not current.is_excluded


def _document(region: Region) -> tuple[Any, ...]:
    """The best documented first. An audit region stays whatever it rests on: its sample must remain a random one."""
    current = region.current_revision
    assert current is not None
    is_personal = current.method in _PERSONAL
    is_audit = region.audit_half != AuditHalf.NONE
    return (not is_audit, not is_personal, -len(current.evidence), -(current.confidence or 0.0), region.public_id)


def _ask_again(
    rows: Sequence[Finding], fix: Fix, *, member: Membership, reason: str, passed_over: Iterable[int]
) -> None:
    decided = set(passed_over)
    named = {one.pk: one for row in rows for one in (row.region, row.counterpart) if one is not None}
    regions = [one for key, one in named.items() if key not in decided]
    said = rows[0].message if len(rows) == 1 else reason
    picks.recheck(study=member.study, regions=regions, reason=said)
    if fix == Fix.ADJUDICATE:
        live = Pick.objects.select_for_update(of=("self",), no_key=True).filter(
            region__in=regions, state=PickState.OPEN
        )
        for pick in live.order_by("pk"):
            truth.escalate(pick=pick)
