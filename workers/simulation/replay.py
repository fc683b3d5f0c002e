"""One replay from recorded votes to a report: copy, readers, the queue, and how the outcome compares.

Decides the order, and that every voted region is queued at once in a random order; refuses to know the command line.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from django.db import transaction

from annotation import clock
from annotation.errors import BadInput
from annotation.models import Pick, Region, Study
from annotation.policy import Policy
from annotation.services import picks, studies
from annotation.services.picks import PickSpec
from annotation.states import AuditHalf, PickState, Stratum
from workers.simulation import readers, references, report, sandbox
from workers.simulation.closing import Closed
from workers.simulation.hands import Told, hire_hands
from workers.simulation.lockstep import START
from workers.simulation.votes import Book

CURVE_POINTS = 30
# What needs answers that nobody recorded, or a model: pixels are not looked at in a replay.
FORCED: dict[str, Any] = {
    "gold_rate": 0.0,
    "repeat_rate": 0.0,
    "qualification_regions": 0,
    "wrong_suggestion_rate": 0.0,
    "show_suggestions": False,
    "model_may_support": False,
    "selection": "random",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay. `policy` overrides the study's."""

    seed: int = 0
    is_lockstep: bool = False
    policy: dict[str, Any] = field(default_factory=dict)


def run(*, study: Study, book: Book, plan: Plan, told: Told) -> dict[str, Any]:
    """Replay the votes of `book` on a copy of `study` and return the report, which is that of a simulation and more."""
    started = time.monotonic()
    policy = choose_policy(plan.policy, regions=len(book.regions))
    slug = sandbox.free_slug(f"{study.slug}-replay")
    with clock.virtual(START) if plan.is_lockstep else nullcontext():
        copy = _copy(study, book, slug=slug, plan=plan, policy=policy)
        crew = readers.hire(study=copy, book=book, seed=plan.seed)
        copy = _queue_all(copy, seed=plan.seed)
        told(f"Replaying {book.count:,} votes of {len(book.votes)} people on the copy '{slug}', seed {plan.seed}.")
        curve = report.Curve(copy, every=max(25, book.count // CURVE_POINTS))
        hands = hire_hands(study=copy, crew=crew, is_lockstep=plan.is_lockstep, curve=curve, told=told)
        _finish(copy, hands.label, hands.run_jobs)
        copy.refresh_from_db()
        # No adjudicator voted, so what stays open stays open: there is no pass, and nothing to release.
        closed = Closed(None, 0, [])
        found = report.build(study=copy, curve=curve, closed=closed, seed=plan.seed, wall_seconds=0.0)
        found |= _compare(copy, book, answers=found["answers"])
    return found | {"wall_seconds": round(time.monotonic() - started, 2)}


def choose_policy(wanted: dict[str, Any], *, regions: int) -> dict[str, Any]:
    """The overrides of a replay; BadInput where one of `wanted` can't be tried on recorded votes."""
    known = {one.name for one in fields(Policy)}
    refused = sorted(wanted.keys() & FORCED.keys())
    if refused:
        raise BadInput(
            f"{', '.join(refused)} can't be tried on recorded votes: a replay has neither pictures nor models, and "
            "nobody to ask twice. Leave it away."
        )
    forced = {key: value for key, value in FORCED.items() if key in known}
    # More revisions than there are regions: no model is ever trained.
    return {**wanted, **forced, "first_model_revisions": regions + 1}


@transaction.atomic
def _copy(study: Study, book: Book, *, slug: str, plan: Plan, policy: dict[str, Any]) -> Study:
    copy = sandbox.copy_study(study=study, slug=slug, seed=plan.seed, policy=policy, needs_truth=False)
    # What nobody voted on can't be asked.
    Region.objects.filter(study=copy).exclude(public_id__in=book.regions).delete()
    return copy


@transaction.atomic
def _queue_all(copy: Study, *, seed: int) -> Study:
    """Open the copy with one batch of all its regions, in an order drawn by the seed."""
    copy = studies.open_study(study=copy)
    regions = list(Region.objects.filter(study=copy).order_by("public_id").values_list("pk", "audit_half"))
    order = np.random.default_rng([seed % 2**63, len(regions)]).permutation(len(regions))
    specs = [
        PickSpec(
            region_id=regions[place][0],
            rank=rank,
            stratum=Stratum.RANDOM if regions[place][1] == AuditHalf.NONE else Stratum.AUDIT,
            probability=1.0,
            reason="Replay: every region with a vote, in a random order.",
        )
        for rank, place in enumerate(order)
    ]
    picks.queue_batch(study=copy, number=1, strategy="replay", seed=seed, specs=specs, pool_size=len(specs))
    return copy


def _finish(copy: Study, label: Callable[[], None], run_jobs: Callable[[], None]) -> None:
    """Let everybody answer until nothing is left; what nobody can answer any more goes to the adjudicators."""
    run_jobs()
    label()
    picks.escalate_stuck(study=copy)
    studies.drain(study=copy)
    run_jobs()


def _compare(copy: Study, book: Book, *, answers: int) -> dict[str, Any]:
    open_picks = Pick.objects.filter(study=copy, state__in=[PickState.OPEN, PickState.ADJUDICATION])
    return {
        "readers": len(book.votes),
        "votes_available": book.count,
        "votes_used_share": round(answers / book.count, 6),
        "undecided": open_picks.count(),
        **references.measure(references.decided(copy), book=book),
    }
