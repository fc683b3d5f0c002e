"""Drawing a sample of a pass, and giving one up.

Decides that every region of the population has the same chance, by a seed that is written down before anybody answers.
Refuses to draw what could not be answered blind.
"""

import hashlib
from collections import Counter

from django.db import transaction

from annotation import clock, draws
from annotation.errors import BadInput, Conflict, Refused
from annotation.models import AcceptanceItem, AcceptanceSample, ConsistencyPass, Membership, Study
from annotation.selectors import acceptance as reads
from annotation.services import ledger
from annotation.states import PassState, Role, SampleState, StudyState, may_move

FEWEST_OPINIONS, MOST_OPINIONS = 3, 9
LARGEST = 5_000


@transaction.atomic
def draw(
    *,
    consistency_pass: ConsistencyPass,
    member: Membership,
    size: int,
    opinions: int = FEWEST_OPINIONS,
    seed: int | None = None,
) -> AcceptanceSample:
    """Draw `size` regions of what a release of the pass would hold; at least `opinions` people answer each of them.

    Without a seed it follows from the head of the ledger that the pass is pinned to: nobody chose it. Conflict where a
    sample is open; BadInput where the size does not fit, or where too few people could answer.
    """
    study = Study.objects.select_for_update(no_key=True).get(pk=consistency_pass.study_id)
    _check(study, consistency_pass, member=member, opinions=opinions)
    population = reads.population(consistency_pass)
    if not 1 <= size <= min(len(population), LARGEST):
        most = f"{min(len(population), LARGEST):,}"
        raise BadInput(f"A sample of this pass has 1 to {most} regions, not {size:,}: examples and gold stay out.")
    number = AcceptanceSample.objects.filter(study=study).count() + 1
    chosen_seed = _derive_seed(consistency_pass, number) if seed is None else seed
    row = AcceptanceSample.objects.create(
        study=study,
        number=number,
        consistency_pass=consistency_pass,
        seed=chosen_seed,
        population=len(population),
        opinions=opinions,
        numbers={"labels": dict(sorted(Counter(one.label for one in population).items()))},
        started_by=member,
        created_at=clock.now(),
    )
    ordered = sorted(population, key=lambda one: draws.uniform(chosen_seed, "acceptance", one.name))
    chosen = ordered[:size]
    AcceptanceItem.objects.bulk_create(
        AcceptanceItem(sample=row, region_id=one.region, revision_id=one.revision, label=one.label, slots_open=opinions)
        for one in chosen
    )
    _log(row, by=member.pseudonym, regions=sorted(one.name for one in chosen))
    return row


@transaction.atomic
def abandon(*, sample: AcceptanceSample, member: Membership) -> AcceptanceSample:
    """Give an open sample up: nobody is asked any more, and it measures nothing. The answers stay on record."""
    _check_manager(sample.study, member)
    row = AcceptanceSample.objects.select_for_update(of=("self",), no_key=True).get(pk=sample.pk)
    if not may_move(row.state, SampleState.ABANDONED, of=SampleState):
        raise Conflict(f"Sample {row.number} is {row.state} already.")
    return end_unmeasured(row, by=member.pseudonym)


def end_unmeasured(row: AcceptanceSample, *, by: str | None) -> AcceptanceSample:
    """Abandon a locked sample, by a manager or, after a new protocol, by itself."""
    row.state, row.closed_at = SampleState.ABANDONED, clock.now()
    row.save(update_fields=["state", "closed_at"])
    _log(row, by=by)
    return row


def _check(study: Study, consistency_pass: ConsistencyPass, *, member: Membership, opinions: int) -> None:
    _check_manager(study, member)
    if consistency_pass.state != PassState.DONE:
        raise Conflict(f"Pass {consistency_pass.number} is {consistency_pass.state}: a sample needs a finished one.")
    if study.state not in (StudyState.RUNNING, StudyState.DRAINING):
        raise Conflict("The study hands out no work: open it, or let it drain, before a sample is drawn.")
    if consistency_pass.numbers.get("protocol") != study.current_protocol.number:
        raise Conflict("The protocol has changed since this pass: run a new pass, and draw the sample from that one.")
    if not FEWEST_OPINIONS <= opinions <= MOST_OPINIONS:
        raise BadInput(f"Each region is answered by {FEWEST_OPINIONS} to {MOST_OPINIONS} people, not {opinions}.")
    there = Membership.objects.filter(study=study, is_active=True)
    annotators = there.filter(role=Role.ANNOTATOR).count()
    if annotators < opinions:
        raise BadInput(f"The study has {annotators} active annotators, but {opinions} people must answer each region.")
    if not there.filter(role=Role.ADJUDICATOR).exists():
        raise BadInput("The study has no adjudicator who could decide where the answers differ: add one first.")
    if AcceptanceSample.objects.filter(study=study, state=SampleState.OPEN).exists():
        raise Conflict("A sample of this study is open: let it end, or abandon it.")


def _check_manager(study: Study, member: Membership) -> None:
    if member.study_id != study.pk or member.role != Role.MANAGER or not member.is_active:
        raise Refused("Acceptance samples are drawn and abandoned by a manager of the study.")


def _derive_seed(consistency_pass: ConsistencyPass, number: int) -> int:
    text = f"{consistency_pass.ledger_digest}:{consistency_pass.number}:{number}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _log(row: AcceptanceSample, *, by: str | None, **more: object) -> None:
    payload = {"sample": {**reads.content(row), **more}, "by": by}
    ledger.append(study=row.study, kind=reads.LEDGER_KIND, payload=payload, at=row.closed_at or row.created_at)
