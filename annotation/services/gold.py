"""Gold: regions whose truth is known beforehand, added from a list or from what adjudicators have settled.

Decides which regions may be gold: none that measures something else (audit sample), that everybody is shown (examples)
or that people are being asked about. Refuses to know when gold is asked: that is `quality` and `qualification`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from annotation import clock, draws, mapping
from annotation.errors import BadInput, Conflict
from annotation.models import Assignment, ClassExample, Gold, Membership, Region, Study
from annotation.selectors import gold as gold_reads
from annotation.services import ledger, truth
from annotation.states import AssignmentKind, AssignmentState, AuditHalf, GoldSource, Method, RegionState

LARGEST_LIST = 20_000
NAMED_PROBLEMS = 50
_BUSY = (RegionState.QUEUED, RegionState.ADJUDICATION)


@transaction.atomic
def add(
    *,
    study: Study,
    regions_and_labels: Sequence[tuple[str, str]],
    source: GoldSource = GoldSource.FILE,
    member: Membership | None = None,
    is_qualification: bool = False,
) -> list[Gold]:
    """Make regions (public id, class code of today) gold; retired gold comes back. BadInput lists all problems at once.

    The qualification set is asked of everybody, so nobody is left to answer its regions blind: those that were never
    queued leave the study for it, as examples do, and those that people are being asked about are refused.
    """
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    wanted = _wanted(regions_and_labels)
    truth.lock_regions(Region.objects.filter(study=study, public_id__in=wanted).values_list("pk", flat=True))
    rows = {row.public_id: row for row in Region.objects.filter(study=study, public_id__in=wanted)}
    problems = list(_problems(study, regions_and_labels, rows, is_qualification=is_qualification))
    if problems:
        more = f" … and {len(problems) - NAMED_PROBLEMS} more." if len(problems) > NAMED_PROBLEMS else ""
        said = " ".join(problems[:NAMED_PROBLEMS]) + more
        raise BadInput(f"Nothing was made gold: {said}", problems=problems)
    at = clock.now()
    made = [
        _write(study, rows[name], label, source=source, member=member, is_qualification=is_qualification, at=at)
        for name, label in sorted(wanted.items())
    ]
    if is_qualification:
        _take_out([rows[name] for name in sorted(wanted)], study=study, member=member, at=at)
    return made


def _wanted(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    if not pairs:
        raise BadInput("The list names no region: give lines of a region and its class.")
    if len(pairs) > LARGEST_LIST:
        raise BadInput(f"A list has at most {LARGEST_LIST:,} regions, not {len(pairs):,}. Give it in parts.")
    return dict(pairs)


def _problems(
    study: Study, pairs: Sequence[tuple[str, str]], rows: dict[str, Region], *, is_qualification: bool
) -> Iterable[str]:
    codes = study.current_protocol.codes
    times = Counter(name for name, _ in pairs)
    shown = set(
        ClassExample.objects.filter(region__in=[row.pk for row in rows.values()]).values_list("region_id", flat=True)
    )
    known = dict(gold_reads.usable(study).filter(region__in=list(rows.values())).values_list("region_id", "label"))
    for place, (name, label) in enumerate(pairs, 1):
        reason = _problem(
            rows.get(name), label, codes=codes, shown=shown, known=known, is_qualification=is_qualification
        )
        if not reason and times[name] > 1:
            reason = "It stands in the list more than once."
        if reason:
            yield f"{place}. '{name[:40]}': {reason}"


def _problem(
    row: Region | None,
    label: str,
    *,
    codes: Sequence[str],
    shown: set[int],
    known: dict[int, str],
    is_qualification: bool,
) -> str:
    """What speaks against this region as gold, as a sentence; empty where nothing does."""
    if row is None:
        return "There is no such region in the study: give its public id."
    checks = (
        (label not in codes, f"There is no class '{label[:40]}'; the classes are {', '.join(codes)}."),
        (row.audit_half != AuditHalf.NONE, "It is in the audit sample, which nobody may be tested on."),
        (row.pk in shown, "Everybody is shown it as an example."),
        (row.pk in known, "It is gold already: retire it first."),
        (is_qualification and row.state in _BUSY, "People are being asked about it: wait until it is settled."),
    )
    return next((sentence for holds, sentence in checks if holds), "")


def _write(
    study: Study,
    region: Region,
    label: str,
    *,
    source: GoldSource,
    member: Membership | None,
    is_qualification: bool,
    at: datetime,
) -> Gold:
    values = {
        "protocol": study.current_protocol,
        "label": label,
        "source": source,
        "is_qualification": is_qualification,
        "added_by": member,
        "added_at": at,
        "retired_at": None,
    }
    return Gold.objects.update_or_create(region=region, defaults=values)[0]


def _take_out(regions: list[Region], *, study: Study, member: Membership | None, at: datetime) -> None:
    """Leave regions that were never queued out of the study: one entry of the ledger for all of them."""
    rows = []
    for region in regions:
        if region.state != RegionState.POOL:
            continue
        revision = truth.revise(
            region=region,
            study=study,
            answer=None,
            confidence=None,
            posterior={},
            method=Method.CONSISTENCY,
            evidence=[],
            snapshot=None,
            actor=member,
            reason="Asked of everybody in the qualification set.",
            at=at,
            is_settled=False,
            is_excluded=True,
        )
        truth.close(region, is_excluded=True, at=at)
        if revision is not None:
            rows.append(revision.content())
    if rows:
        ledger.append(study=study, kind="qualification-set", payload={"rows": rows}, at=at)


@transaction.atomic
def retire(*, study: Study, regions: Sequence[str], at: datetime | None = None) -> int:
    """Ask about these regions (public ids) as gold no more; answers given stay. Returns how many there were."""
    rows = Gold.objects.filter(region__study=study, region__public_id__in=list(regions), retired_at=None)
    held = Assignment.objects.filter(region__gold__in=rows, kind__in=[AssignmentKind.GOLD, AssignmentKind.QUALIFY])
    if held.filter(state=AssignmentState.LEASED, expires_at__gt=clock.now()).exists():
        raise Conflict("Somebody is being asked about one of these regions right now. Try again in some minutes.")
    return rows.update(retired_at=at or clock.now())


@transaction.atomic
def adopt_adjudicated(*, study: Study, count: int, member: Membership | None = None) -> list[Gold]:
    """Make up to `count` regions gold that an adjudicator has settled, in the shares of the settled truth.

    Only regions that the adjudication left as they stand, under exact classes of today; never the audit sample,
    examples, or what is or was gold. Which ones is drawn by the study's seed.
    """
    if count < 1:
        raise BadInput("Say how many regions are wanted: 1 or more.")
    study = Study.objects.get(pk=study.pk)
    settled = Region.objects.filter(study=study, state=RegionState.SETTLED, current_revision__is_settled=True)
    labels = _labels_today(study, _adjudicated(settled))
    if not labels:
        raise Conflict("No region that an adjudicator has settled can become gold now. Add gold from a file instead.")
    shares = Counter(_labels_today(study, settled).values())
    chosen = draws.by_shares(
        labels,
        shares={label: float(number) for label, number in shares.items()},
        seen=gold_reads.count_by_class(study, is_qualification=False),
        count=count,
        draw=lambda name: draws.uniform(study.seed, "gold", name),
    )
    pairs = [(name, labels[name]) for name in chosen]
    if not pairs:
        raise Conflict("What adjudicators have settled would make gold of unusual classes only: settle more first.")
    return add(study=study, regions_and_labels=pairs, source=GoldSource.ADJUDICATED, member=member)


def _adjudicated(settled: QuerySet[Region]) -> QuerySet[Region]:
    shown = ClassExample.objects.filter(region=OuterRef("pk"))
    known = Gold.objects.filter(region=OuterRef("pk"))
    rows = settled.filter(current_revision__method=Method.ADJUDICATION, audit_half=AuditHalf.NONE)
    return rows.filter(~Exists(shown), ~Exists(known))


def _labels_today(study: Study, rows: QuerySet[Region]) -> dict[str, str]:
    table = mapping.exact_codes(study)
    found = rows.order_by("public_id").values_list("public_id", "current_revision__protocol", "current_revision__label")
    today = {name: table.get(protocol or 0, {}).get(label or "", "") for name, protocol, label in found}
    return {name: label for name, label in today.items() if label}
