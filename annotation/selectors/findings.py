"""The findings of a pass as a manager works through them: filtered, counted by rule, compared with the pass before.

Decides what a filter means and what stands before a release; refuses to decide anything about a finding.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.utils import timezone

from annotation.errors import Missing
from annotation.models import ConsistencyPass, Finding, PassItem
from annotation.rules import Fix, by_code
from annotation.states import FindingState, PassState, Severity

NEW, CHANGED, KEPT, GONE = "new", "changed", "kept", "gone"
FRESH = "fresh"
"""New or changed: what a person has not looked at in this form."""
SINCE = (FRESH, NEW, CHANGED, KEPT, GONE)
SOON = timedelta(days=14)
_NAME = ("rule", "place", "rival", "subject")
_EXACT = (*_NAME, "version", "digest")
_FIX = "data__decision__fix"


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one rule: how many are open, stand before a release, and how the rest were closed."""

    rule: str
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        known = by_code(self.rule)
        return known.title if known else self.rule


def of_pass(row: ConsistencyPass) -> QuerySet[Finding]:
    """The findings of a pass, with what a list shows of them."""
    rows = Finding.objects.filter(consistency_pass=row)
    return rows.select_related(
        "region__slide__domain", "region__current_revision", "counterpart__current_revision", "decided_by"
    )


def one(row: ConsistencyPass, *, pk: int) -> Finding:
    """A finding of a pass; Missing where the pass has none such."""
    found = of_pass(row).filter(pk=pk).first()
    if found is None:
        raise Missing(f"Pass {row.number} has no such finding.")
    return found


def select(row: ConsistencyPass, **wanted: Any) -> QuerySet[Finding]:
    """The findings of a pass that fit: state, severity, rule, domain (of the region), label (that the pass saw),
    blocks (before a release), since: compared with the pass before (see `SINCE`); gone ones are that pass's own.
    """
    since = wanted.pop("since", "")
    if since == GONE:
        before = previous(row)
        rows = _match(of_pass(before), row, _NAME, is_there=False) if before else Finding.objects.none()
    else:
        rows = of_pass(row)
        if since:
            rows = _compare(rows, before=previous(row), since=since)
    plain = {name: wanted[name] for name in ("state", "severity", "rule") if wanted.get(name)}
    rows = rows.filter(**plain)
    if domain := wanted.get("domain"):
        rows = rows.filter(region__slide__domain__name=domain)
    if label := wanted.get("label"):
        rows = rows.alias(is_seen=_fits(row, label, "region_id"), is_rival_seen=_fits(row, label, "counterpart_id"))
        rows = rows.filter(Q(is_seen=True) | Q(is_rival_seen=True))
    return rows.filter(stands_before_a_release()) if wanted.get("blocks") else rows


def stands_before_a_release() -> Q:
    """Blockers that are open, whose waiver has run out, or that were fixed after the pass, which has not seen it."""
    # The real time also in a simulation: the database's trigger knows no other.
    lapsed = Q(state=FindingState.WAIVED, waived_until__lte=timezone.now())
    fixed = Q(state=FindingState.RESOLVED) & ~Q(**{_FIX: Fix.ACCEPT.value})
    return Q(severity=Severity.BLOCKER) & (Q(state=FindingState.OPEN) | lapsed | fixed)


def lapses_soon() -> Q:
    """Waivers that still hold, but for days only."""
    now = timezone.now()
    return Q(state=FindingState.WAIVED, waived_until__gt=now, waived_until__lte=now + SOON)


def groups(rows: QuerySet[Finding]) -> list[Group]:
    """How many findings of each rule there are, those with most before a release first: one grouped query."""
    is_open, is_blocker = Q(state=FindingState.OPEN), Q(severity=Severity.BLOCKER)
    accepted = Q(state=FindingState.RESOLVED, **{_FIX: Fix.ACCEPT.value})
    counted = (
        rows.order_by()
        .values("rule")
        .annotate(
            open_blockers=Count("pk", filter=is_open & is_blocker),
            open_warnings=Count("pk", filter=is_open & ~is_blocker),
            fixed=Count("pk", filter=Q(state=FindingState.RESOLVED) & ~accepted),
            accepted=Count("pk", filter=accepted),
            waived=Count("pk", filter=Q(state=FindingState.WAIVED)),
            lapsing=Count("pk", filter=is_blocker & lapses_soon()),
            lapsed=Count("pk", filter=is_blocker & Q(state=FindingState.WAIVED, waived_until__lte=timezone.now())),
            blocks=Count("pk", filter=stands_before_a_release()),
            total=Count("pk"),
            with_region=Count("region"),
        )
    )
    found = [Group(values.pop("rule"), values) for values in counted]
    return sorted(found, key=lambda group: (-group.counts["blocks"], -group.counts["open_warnings"], group.rule))


def rules(row: ConsistencyPass) -> list[tuple[str, str]]:
    """Code and title of the rules that the pass ran, for a filter."""
    known = [(code, by_code(code)) for code in sorted(row.rules)]
    return [(code, rule.title if rule else code) for code, rule in known]


def previous(row: ConsistencyPass) -> ConsistencyPass | None:
    """The finished pass before this one."""
    earlier = ConsistencyPass.objects.filter(study=row.study_id, number__lt=row.number, state=PassState.DONE)
    return earlier.order_by("-number").first()


def compare(row: ConsistencyPass) -> dict[str, int] | None:
    """How many findings are new, changed, kept and gone since the pass before; None for the first."""
    before = previous(row)
    if before is None:
        return None
    own = Finding.objects.filter(consistency_pass=row)
    kept, changed = (_compare(own, before=before, since=since).count() for since in (KEPT, CHANGED))
    # A pass names a finding once, so as many of the one are kept or changed as of the other.
    gone = Finding.objects.filter(consistency_pass=before).count() - kept - changed
    new = own.count() - kept - changed
    return {"previous": before.number, NEW: new, CHANGED: changed, KEPT: kept, GONE: gone}


def _compare(rows: QuerySet[Finding], *, before: ConsistencyPass | None, since: str) -> QuerySet[Finding]:
    """Kept: the pass before found the very same. Changed: it found the same thing, but the evidence is another now."""
    if before is None:
        return rows if since in (NEW, FRESH) else rows.none()
    if since == NEW:
        return _match(rows, before, _NAME, is_there=False)
    rows = _match(rows, before, _EXACT, is_there=since == KEPT)
    return _match(rows, before, _NAME, is_there=True) if since == CHANGED else rows


def _match(
    rows: QuerySet[Finding], other: ConsistencyPass, names: tuple[str, ...], *, is_there: bool
) -> QuerySet[Finding]:
    """Whether `other` found the same as far as `names` go. Null is compared as 0: a hash join."""
    same = _named(Finding.objects.filter(consistency_pass=other)).filter(**{name: OuterRef(name) for name in names})
    return _named(rows).filter(Exists(same)) if is_there else _named(rows).filter(~Exists(same))


def _named(rows: QuerySet[Finding]) -> QuerySet[Finding]:
    return rows.alias(
        place=Coalesce(F("region_id"), Value(0)),
        rival=Coalesce(F("counterpart_id"), Value(0)),
        version=KeyTextTransform("version", "data"),
        digest=KeyTextTransform("evidence_digest", "data"),
    )


def _fits(row: ConsistencyPass, label: str, key: str) -> Subquery:
    """Whether the pass saw the region of `key` under `label`, also where it was named so by an older protocol.

    A value that hangs on the finding, and no EXISTS: PostgreSQL would rather read all items of the pass, once for each
    of the two regions, than look the few up that are asked for.
    """
    names = Q(revision__protocol__number=row.numbers.get("protocol"), revision__label=label)
    for number, table in row.numbers.get("mappings", {}).items():
        codes = [old for old, today in table.items() if today == label]
        names |= Q(revision__protocol__number=int(number), revision__label__in=codes)
    item = PassItem.objects.filter(consistency_pass=row, region=OuterRef(key))
    return Subquery(item.annotate(fits=ExpressionWrapper(names, output_field=BooleanField())).values("fits")[:1])


def attach_seen(row: ConsistencyPass, found: Iterable[Finding]) -> list[Finding]:
    """`found`, each with `seen`: region key -> the item the pass saw (label, posterior); one query for all."""
    listed = list(found)
    keys = {key for one in listed for key in (one.region_id, one.counterpart_id) if key is not None}
    items = PassItem.objects.filter(consistency_pass=row, region__in=keys).select_related("revision")
    seen = {item.region_id: item for item in items}
    for one in listed:
        one.seen = seen  # type: ignore[attr-defined]
    return listed


def attach_since(row: ConsistencyPass, found: Iterable[Finding]) -> list[Finding]:
    """`found`, each with `since`: new, changed or kept, compared with the pass before; "" where there is none."""
    listed = list(found)
    before = previous(row)
    earlier = _read_names(before, listed) if before else {}
    for one in listed:
        known = earlier.get(_name(one))
        one.since = "" if before is None else CHANGED if known else NEW  # type: ignore[attr-defined]
        if known and known == (one.data.get("version"), one.data.get("evidence_digest")):
            one.since = KEPT  # type: ignore[attr-defined]
    return listed


def _name(one: Finding) -> tuple[str, int | None, int | None, str]:
    return (one.rule, one.region_id, one.counterpart_id, one.subject)


def _read_names(before: ConsistencyPass, listed: list[Finding]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What the pass before said of the same regions and subjects: its version and evidence."""
    regions = {one.region_id for one in listed if one.region_id is not None}
    subjects = {one.subject for one in listed if one.region_id is None}
    rows = Finding.objects.filter(consistency_pass=before, rule__in={one.rule for one in listed})
    rows = rows.filter(Q(region__in=regions) | Q(region=None, subject__in=subjects))
    return {_name(one): (one.data.get("version"), one.data.get("evidence_digest")) for one in rows}
