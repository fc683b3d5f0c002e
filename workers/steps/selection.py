"""From scores to picks: the next batch of the queue.

Decides the strategy, how many picks come from the audit sample, and the order; refuses to know how a strategy chooses.
Audit regions are never ranked: they come in the order of their opaque names, which no score can move.
"""

import math
from dataclasses import replace
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from annotation import canonical, mapping
from annotation.models import Job, ModelVersion, Region, SelectionBatch, Study
from annotation.services import jobs, modelling, picks, pilot, worth
from annotation.services.picks import PickSpec
from annotation.states import JobKind, ModelState, SlideState, Stratum
from learning.query import Selection, SelectionRequest, select_batch
from learning.query.ranked import weigh_rarity
from workers import bridge, files, repair
from workers.pool import Pool, read_pool
from workers.progress import Progress


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Draw and queue the batch whose number the payload names, unless there is a batch of that number."""
    study, number = job.study, int(job.payload["number"])
    if SelectionBatch.objects.filter(study=study, number=number).exists():
        return {"batch": number, "why": "A batch of this number exists."}
    model = choose_model(study)
    seed = files.seed_of(study, files.SELECTION, number)
    pool, waiting = _gather(study, model)
    if waiting:
        return {"batch": None, "why": f"Features or scores of {waiting} slides were lost and are computed again first."}
    audit = _draw_audit(study, wanted=len(pool.available))
    if not audit and not _is_worth_drawing(study, pool, model):
        return {"batch": None, "why": "All that could be drawn is queued already, in this model's order."}
    table = mapping.exact_codes(study)
    today = bridge.codes_today(model, table=table) if model else tuple(bridge.learnable_codes(study))
    count = study.policy.batch_size - len(audit)
    is_pilot = study.policy.selection == "learned" and pilot.is_running(study)
    share = max(pilot.SHARE, study.policy.random_share) if is_pilot else study.policy.random_share
    selection = _select(study, pool, model, today=today, table=table, count=count, seed=seed, random_share=share)
    specs = _interleave(_specify(selection, pool, today), audit)
    if not specs:
        return {"batch": None, "why": "No region of a slide with features waits in the pool."}
    with report.fenced():
        batch = picks.queue_batch(
            study=study,
            number=number,
            strategy=_strategy(study, model),
            seed=seed,
            specs=specs,
            model=model,
            pool_size=len(pool.available),
            numbers={"audit": len(audit), "slides": len(pool.shards), **({pilot.MARK: True} if is_pilot else {})},
            weights=_weigh_classes(study, table) if worth.is_weighed(study.policy) else None,
        )
    return {"batch": batch.number, "picks": batch.picks.count(), "strategy": batch.strategy}


def _gather(study: Study, model: ModelVersion | None) -> tuple[Pool, int]:
    """The pool, and how many slides have to be read or scored again before a batch is drawn from it."""
    if model is not None:
        pool = read_pool(study, encoder_digest=model.encoder_digest, model=model)
        return pool, len(modelling.enqueue_scoring(model=model, lost=pool.lost)) if pool.lost else 0
    encoder = bridge.choose_encoder(study)
    waiting = repair.renew_features(study, encoder=encoder)
    return read_pool(study, encoder_digest=encoder.digest, model=None), waiting


def choose_model(study: Study) -> ModelVersion | None:
    """The model to rank by: the active one once it has scored all slides, until then that of the newest batch."""
    if study.policy.selection != "learned":
        return None
    active = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    if active is not None and not jobs.count_live(study, JobKind.SCORE_SLIDE) and active.score_files.exists():
        return active
    drawn = SelectionBatch.objects.filter(study=study, model__isnull=False).order_by("-number").first()
    return drawn.model if drawn is not None else None


def _is_worth_drawing(study: Study, pool: Pool, model: ModelVersion | None) -> bool:
    """Whether a batch would bring a new region or a new order, and not only number again what is queued."""
    if pool.has_waiting(study):
        return True
    drawn = SelectionBatch.objects.filter(study=study).exclude(strategy="recheck").order_by("-number").first()
    return bool(len(pool.available)) and drawn is not None and model is not None and drawn.model_id != model.pk


def _strategy(study: Study, model: ModelVersion | None) -> str:
    if study.policy.selection == "random":
        return "random"
    return "ranked" if model else "cold_start"


def _draw_audit(study: Study, *, wanted: int) -> list[PickSpec]:
    """The next regions of the audit sample: its share of a batch, or more where little else is left."""
    policy = study.policy
    waiting = Region.objects.filter(study=study, slide__state=SlideState.TILED).audit().in_pool()
    count = max(math.ceil(policy.audit_share * policy.batch_size), policy.batch_size - wanted)
    drawn = list(waiting.order_by("public_id")[:count])
    probability = len(drawn) / max(waiting.count(), 1)
    return [
        PickSpec(
            region_id=region.pk,
            rank=0,
            stratum=Stratum.AUDIT,
            probability=canonical.rounded(probability),
            reason="Belongs to the audit sample, whose cases were drawn by a hash.",
        )
        for region in drawn
    ]


def _select(
    study: Study,
    pool: Pool,
    model: ModelVersion | None,
    *,
    today: tuple[str, ...],
    table: mapping.Codes,
    count: int,
    seed: int,
    random_share: float,
) -> Selection:
    request = SelectionRequest(
        features=pool.features,
        available=pool.available,
        taken=pool.taken,
        domains=pool.domains,
        class_codes=tuple(model.class_codes) if model else today,
        labelled=bridge.count_labels(study, today, table=table),
        count=max(count, 0),
        seed=seed,
        strategy=_strategy(study, model),
        scores=pool.scores,
        random_share=random_share,
        settled=pool.settled,
    )
    # Sums in BLAS depend on the number of threads; with one, a seed gives the same picks on every machine.
    with threadpool_limits(limits=1, user_api="blas"):
        return select_batch(request)


def _weigh_classes(study: Study, table: mapping.Codes) -> dict[str, float]:
    """What a right truth of each class is worth beside others: as ranking has it, more where there are few labels."""
    codes = bridge.learnable_codes(study)
    return dict(zip(codes, weigh_rarity(bridge.count_labels(study, codes, table=table)).tolist(), strict=True))


def _specify(selection: Selection, pool: Pool, today: tuple[str, ...]) -> list[PickSpec]:
    """Picks in the selection's order; what the model expects is kept with each, for suggestions and support."""
    regions = pool.find_regions(selection.indices)
    specs = []
    for place, region in enumerate(regions):
        row = int(selection.indices[place])
        parts: dict[str, Any] = {
            name: canonical.rounded(values[place], 6)
            for name, values in selection.parts.items()
            if not math.isnan(values[place])
        }
        if pool.scores is not None and (expected := today[int(pool.scores.top1[row])]):
            parts["predicted"] = expected
            parts["second"] = today[int(pool.scores.top2[row])]
            parts["top"] = canonical.rounded(pool.scores.confidence[row], 6)
        specs.append(
            PickSpec(
                region_id=region.pk,
                rank=0,
                stratum=Stratum(selection.stratum[place]),
                score=canonical.rounded(selection.scores[place], 6),
                parts=parts,
                probability=canonical.rounded(selection.probability[place]),
                reason=selection.reasons[place],
            )
        )
    return specs


def _interleave(chosen: list[PickSpec], audit: list[PickSpec]) -> list[PickSpec]:
    """One queue of both, the audit picks spread evenly, with ranks from 0."""
    places = [((place + 0.5) / len(chosen), 0, spec) for place, spec in enumerate(chosen)]
    places += [((place + 0.5) / len(audit), 1, spec) for place, spec in enumerate(audit)]
    places.sort(key=lambda place: place[:2])
    return [replace(spec, rank=rank) for rank, (_, _, spec) in enumerate(places)]
