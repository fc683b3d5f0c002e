"""What stood at a ledger position or a time: a region, a person's answers, a study; and what two moments differ in.

Positions are the time axis: a time means the last entry that was written at or before it. Decides which rows had been
written by then without reading the ledger's payloads, but for the few entries that overtook each other. Writes nothing.

Exact because a row bears the moment of its entry (services.ledger refuses others). Entries of different people may
overtake each other: rows older than every later entry are in, those younger than every earlier one are out, and between
the two the entries themselves are read.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet

from annotation.chain import Link
from annotation.errors import BadInput
from annotation.models import Annotation, GroundTruthRevision, LedgerEntry, LedgerHead, Membership, Study
from annotation.releasing import standing
from annotation.releasing.diff import NOTHING, Change, Held
from annotation.states import AnswerKind

RELABELLED, REOPENED, EXCLUDED, SETTLED = "relabelled", "reopened", "excluded", "settled"
CHANGED, WITHDRAWN, ADDED = "changed", "withdrawn", "added"
KINDS = (RELABELLED, REOPENED, EXCLUDED, SETTLED, CHANGED, WITHDRAWN, ADDED)
"""The first four of regions, the others of one person's answers."""
_CHUNK = 5000
_STATE = ("label", "is_settled", "is_excluded")


@dataclass(frozen=True, slots=True)
class Moment:
    """A ledger position. Rows written before `before` stood (None: all did), and those named by their keys."""

    study: Study
    position: int
    at: datetime | None
    before: datetime | None
    revision_ids: frozenset[int] = frozenset()
    answer_ids: frozenset[int] = frozenset()

    def revisions(self) -> QuerySet[GroundTruthRevision]:
        """All revisions that had been written by then."""
        return GroundTruthRevision.objects.filter(self._q(self.revision_ids), study=self.study)

    def answers(self) -> QuerySet[Annotation]:
        """All answers that had been written by then."""
        return Annotation.objects.filter(self._q(self.answer_ids), study=self.study)

    def holds(self, row: GroundTruthRevision | Annotation) -> bool:
        """Whether a row had been written by then."""
        named = self.revision_ids if isinstance(row, GroundTruthRevision) else self.answer_ids
        return self.before is None or row.created_at < self.before or row.pk in named

    def _q(self, ids: frozenset[int]) -> Q:
        return Q() if self.before is None else Q(created_at__lt=self.before) | Q(pk__in=ids)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many regions bore a label in a state."""

    label: str
    state: str
    regions: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two moments: `counts` by kind, `flows` (label before, after) -> how many, and a page."""

    counts: dict[str, int]
    flows: dict[tuple[str, str], int]
    page: list[Change] = field(default_factory=list)


def resolve(study: Study, *, position: int | None = None, at: datetime | None = None) -> Moment:
    """The moment of a position, or the last one at or before a time; the newest where neither is given."""
    entries = LedgerEntry.objects.filter(study=study)
    head = LedgerHead.objects.filter(study=study).values_list("position", flat=True).first() or 0
    if position is None and at is not None:
        found = entries.filter(created_at__lte=at).order_by("-position").values_list("position", flat=True).first()
        position = found or 0
    elif position is None:
        position = head
    if not 0 <= position <= head:
        raise BadInput(f"The ledger has entries 1 to {head}; there is no entry {position}.")
    when = entries.filter(position=position).values_list("created_at", flat=True).first()
    if position == head:
        return Moment(study, position, when, None)
    later = entries.filter(position__gt=position).aggregate(value=Min("created_at"))["value"]
    newest = entries.filter(position__lte=position).aggregate(value=Max("created_at"))["value"]
    if newest is None or newest < later:
        return Moment(study, position, when, later)
    return _look_into(study, position=position, when=when, later=later, newest=newest)


def _look_into(study: Study, *, position: int, when: datetime | None, later: datetime, newest: datetime) -> Moment:
    """Entries overtook each other around `position`: which rows of that time it holds, its entries say."""
    near = {"study": study, "created_at__gte": later, "created_at__lte": newest}
    rows = LedgerEntry.objects.filter(position__lte=position, **near).order_by("position")
    named = set()
    for row in rows.iterator(chunk_size=500):
        for content in standing.contents(Link(row.position, row.kind, row.payload, "", "")):
            named.add((content["row"], content["region"], content.get("annotator"), content["number"]))
    revisions = GroundTruthRevision.objects.filter(**near).values_list("pk", "region__public_id", "number")
    answers = Annotation.objects.filter(**near)
    told = answers.values_list("pk", "region__public_id", "annotator__pseudonym", "number")
    return Moment(
        study,
        position,
        when,
        later,
        frozenset(pk for pk, region, number in revisions if ("revision", region, None, number) in named),
        frozenset(pk for pk, region, who, number in told if ("annotation", region, who, number) in named),
    )


def newest_revisions(moment: Moment) -> QuerySet[GroundTruthRevision]:
    """The newest revision of each region then, by region."""
    return moment.revisions().order_by("region_id", "-number").distinct("region_id")


def standing_answers(moment: Moment, member: Membership) -> QuerySet[Annotation]:
    """The person's newest answer to each region that is evidence, by region; those taken back included."""
    rows = moment.answers().filter(annotator=member, assignment_kind__in=standing.EVIDENCE_KINDS)
    return rows.order_by("region_id", "-number").distinct("region_id")


def count(moment: Moment) -> list[Tally]:
    """How many regions stood in which state with which label, most first."""
    newest = GroundTruthRevision.objects.filter(pk__in=newest_revisions(moment).values("pk"))
    rows = newest.order_by().values_list(*_STATE).annotate(regions=Count("pk"))
    found = [Tally(label, state_of(settled, excluded), regions) for label, settled, excluded, regions in rows]
    return sorted(found, key=lambda one: (one.state, -one.regions, one.label))


def count_answers(moment: Moment, member: Membership) -> list[Tally]:
    """How many answers of the person stood by label, and whether the truth of that time agreed."""
    rows = standing_answers(moment, member).values_list("region_id", "label", "kind")
    labels = {region: label for region, label, kind in rows if kind != AnswerKind.WITHDRAWN}
    truths = newest_revisions(moment).filter(region__in=list(labels)).values_list("region_id", "label", "is_settled")
    held = {region: label for region, label, is_settled in truths if is_settled}
    counted = Counter((label, _agreement(label, held.get(region))) for region, label in labels.items())
    return [Tally(label, state, number) for (label, state), number in sorted(counted.items())]


def _agreement(label: str, truth: str | None) -> str:
    return "undecided" if truth is None else "agrees" if truth == label else "differs"


def state_of(is_settled: bool, is_excluded: bool) -> str:
    """The state that a revision gives a region, in a word."""
    return "excluded" if is_excluded else "settled" if is_settled else "open"


def compare(before: Moment, after: Moment, *, kind: str = "", start: int = 0, size: int = 0) -> Difference:
    """What became of the regions that were written about between two moments, the earlier one first."""
    return _tell(_compare_regions(before, after), kind=kind, start=start, size=size)


def compare_answers(
    before: Moment, after: Moment, member: Membership, *, kind: str = "", start: int = 0, size: int = 0
) -> Difference:
    """What became of one person's answers between two moments."""
    return _tell(_compare_answers(before, after, member), kind=kind, start=start, size=size)


def _compare_regions(before: Moment, after: Moment) -> Iterator[Change]:
    columns = ("region_id", "region__public_id", *_STATE)
    written = _since(after.revisions(), before)
    rows = newest_revisions(after).filter(region__in=written.values("region")).values_list(*columns)
    for chunk in _chunks(rows):
        known = newest_revisions(before).filter(region__in=[row[0] for row in chunk]).values_list(*columns)
        old = {row[0]: _held(*row[2:]) for row in known}
        for key, name, *state in chunk:
            was, now = old.get(key, NOTHING), _held(*state)
            if told := _kind_of(was, now):
                yield Change(told, name, was, now)


def _compare_answers(before: Moment, after: Moment, member: Membership) -> Iterator[Change]:
    columns = ("region_id", "region__public_id", "label", "kind")
    written = _since(after.answers().filter(annotator=member), before)
    rows = standing_answers(after, member).filter(region__in=written.values("region")).values_list(*columns)
    for chunk in _chunks(rows):
        known = standing_answers(before, member).filter(region__in=[row[0] for row in chunk]).values_list(*columns)
        old = {key: Held(label, kind) for key, _, label, kind in known if kind != AnswerKind.WITHDRAWN}
        for key, name, label, kind in chunk:
            was, now = old.get(key, NOTHING), NOTHING if kind == AnswerKind.WITHDRAWN else Held(label, kind)
            if was.label != now.label:
                yield Change(ADDED if not was.label else WITHDRAWN if not now.label else CHANGED, name, was, now)


def _since(rows: QuerySet[Any], before: Moment) -> QuerySet[Any]:
    """Those of `rows` that had not been written at `before`."""
    if before.before is None:
        return rows.none()
    ids = before.revision_ids if rows.model is GroundTruthRevision else before.answer_ids
    return rows.filter(created_at__gte=before.before).exclude(pk__in=ids)


def _held(label: str, is_settled: bool, is_excluded: bool) -> Held:
    return Held(label if is_settled else "", state_of(is_settled, is_excluded))


def _kind_of(was: Held, now: Held) -> str:
    if now.split == EXCLUDED:
        return "" if was.split == EXCLUDED else EXCLUDED
    if now.split == SETTLED:
        return SETTLED if was.split != SETTLED else RELABELLED if was.label != now.label else ""
    return REOPENED if was.split in (SETTLED, EXCLUDED) else ""


def _chunks(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    found = rows.iterator(chunk_size=_CHUNK)
    while chunk := list(islice(found, _CHUNK)):
        yield chunk


def _tell(changes: Iterator[Change], *, kind: str, start: int, size: int) -> Difference:
    """Count all changes and keep those of one page: however many there are, memory holds a page."""
    counts: Counter[str] = Counter()
    flows: Counter[tuple[str, str]] = Counter()
    page = []
    for change in changes:
        place = counts[change.kind] if kind else counts.total()
        counts[change.kind] += 1
        flows[change.before.label, change.after.label] += 1
        if (not kind or change.kind == kind) and start <= place < start + size:
            page.append(change)
    return Difference({name: counts[name] for name in KINDS if counts[name]}, dict(flows.most_common()), page)
