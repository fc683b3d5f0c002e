"""From blind answers to verdicts, and from verdicts to the estimate of a closed sample.

Decides when a region has been answered enough, and when an adjudicator must decide. Refuses to touch the truth: no
answer given here is evidence for it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from annotation import canonical, clock
from annotation.models import AcceptanceItem, AcceptanceSample, Assignment, Study
from annotation.selectors import acceptance as reads
from annotation.services import ledger
from annotation.services.acceptance import serving
from annotation.services.acceptance.sampling import end_unmeasured
from annotation.states import AssignmentKind, AssignmentState, Role, SampleState


def review(*, assignments: Iterable[Assignment], at: datetime) -> None:
    """Reckon anew what the open sample still needs of the regions of these leases, given, ended or taken back.

    Within the transaction that wrote them. Harmless for leases of any other work.
    """
    regions = [one.region_id for one in assignments if is_of_sample(one)]
    if not regions:
        return
    rows = AcceptanceItem.objects.select_for_update(of=("self",), no_key=True).select_related("sample")
    for item in rows.filter(sample__state=SampleState.OPEN, region__in=regions).order_by("pk"):
        _reckon(item, at)


def is_of_sample(assignment: Assignment) -> bool:
    """Whether the lease is of a sample: a blind answer, or the decision between such answers."""
    without_pick = assignment.pick_id is None
    return without_pick and assignment.kind in (AssignmentKind.VERIFY, AssignmentKind.ADJUDICATE)


def close_finished(*, study: Study) -> AcceptanceSample | None:
    """Close the study's open sample with its estimate, once every region has been answered enough; else nothing.

    A new protocol ends it unmeasured: its labels are no longer what anybody is asked for.
    """
    sample = reads.open_sample(study)
    if sample is None:
        return None
    is_overtaken = reads.protocol_of(sample) != study.current_protocol.number
    if not is_overtaken and sample.items.filter(closed_at=None).exists():
        return None
    with transaction.atomic():
        row = AcceptanceSample.objects.select_for_update(of=("self",), no_key=True).get(pk=sample.pk)
        if row.state != SampleState.OPEN:
            return None
        if is_overtaken:
            return end_unmeasured(row, by=None)
        if row.items.filter(closed_at=None).exists():
            return None
        row.numbers = estimate(row)
        row.state, row.closed_at = SampleState.CLOSED, clock.now()
        row.save(update_fields=["numbers", "state", "closed_at"])
        payload = {"sample": {**reads.content(row), "digest": canonical.digest(row.numbers)}}
        ledger.append(study=row.study, kind=reads.LEDGER_KIND, payload=payload, at=row.closed_at)
    return row


def estimate(sample: AcceptanceSample) -> dict[str, object]:
    """What a sample says of the pass it was drawn from, as JSON values: `share` of wrong labels as they stood,
    `after` with every verdict taken over, and all answers by region that both rest on.
    """
    return reads.describe(sample)


@transaction.atomic
def close_stuck(*, study: Study) -> int:
    """Settle what no one is left to answer: with the answers there are, by majority or not at all; returns how many."""
    sample = reads.open_sample(study)
    if sample is None:
        return 0
    people = {role: list(study.memberships.filter(is_active=True, role=role)) for role in Role}
    at, stuck = clock.now(), 0
    for needs_adjudication, kind, role in ((False, "label", Role.ANNOTATOR), (True, "adjudicate", Role.ADJUDICATOR)):
        waiting = sample.items.filter(closed_at=None, slots_open__gt=0, needs_adjudication=needs_adjudication)
        free: set[int] = set()
        for member in people[role]:
            free |= set(serving.candidates(sample, member, kind=kind).values_list("pk", flat=True))
        rows = AcceptanceItem.objects.select_for_update(of=("self",), no_key=True).select_related("sample")
        for item in rows.filter(pk__in=waiting.exclude(pk__in=free).values("pk")).order_by("pk"):
            if not _held(item):
                _give_up(item, at)
                stuck += 1
    return stuck


def _give_up(item: AcceptanceItem, at: datetime) -> None:
    """Nobody is left: on to the adjudicators, or, where these are through too, to the majority of the answers."""
    if not item.needs_adjudication:
        item.needs_adjudication, item.slots_open = True, 1
        item.save(update_fields=["needs_adjudication", "slots_open"])
        return
    counts = Counter(one.label for one in reads.said_of(item)).most_common(2)
    is_clear = bool(counts) and (len(counts) == 1 or counts[0][1] > counts[1][1])
    _close(item, verdict=counts[0][0] if is_clear else "", at=at)


def _reckon(item: AcceptanceItem, at: datetime) -> None:
    said = reads.said_of(item)
    decided = [one.label for one in said if one.is_verdict]
    labels = [one.label for one in said if not one.is_verdict]
    if decided:
        _close(item, verdict=decided[-1], at=at)
        return
    item.verdict, item.closed_at = "", None
    if len(labels) >= item.sample.opinions:
        if set(labels) == {item.label}:
            _close(item, verdict=item.label, at=at)
            return
        item.needs_adjudication, wanted = True, 1
    else:
        item.needs_adjudication, wanted = False, item.sample.opinions - len(labels)
    item.slots_open = max(wanted - _held(item), 0)
    item.save(update_fields=["verdict", "closed_at", "needs_adjudication", "slots_open"])


def _held(item: AcceptanceItem) -> int:
    """How many hold a lease of the kind that the item waits for."""
    kind = AssignmentKind.ADJUDICATE if item.needs_adjudication else AssignmentKind.VERIFY
    held = Assignment.objects.filter(region=item.region_id, pick=None, kind=kind, state=AssignmentState.LEASED)
    return held.count()


def _close(item: AcceptanceItem, *, verdict: str, at: datetime) -> None:
    item.verdict, item.slots_open, item.closed_at = verdict, 0, at
    item.save(update_fields=["verdict", "slots_open", "closed_at", "needs_adjudication"])
