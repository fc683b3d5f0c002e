"""Dawid-Skene at a million answers: the fit, one region's posterior within a submit, and what reading answers takes.

Decides sizes and what is timed beside it; the numbers of rows are made by SQL. What needs rows runs in a process of
its own, as pytest holds Django's connections.
"""

import json
import resource
import statistics
import time
import tracemalloc
import warnings
from typing import Any

import numpy as np

from learning.consensus import Answers, dawid_skene, gather
from tests.benchmarks import apart

ITEMS, ANNOTATORS, CLASSES, OVERLAP = 200_000, 200, 18, 5
STORED_ANSWERS, STORED_OVERLAP = 200_000, 5
TENTH = 10
SUBMITS = 40
DATABASE = "bench_consensus"

_ROWS = """
CREATE FUNCTION pg_temp.draw(n bigint, salt bigint) RETURNS double precision IMMUTABLE LANGUAGE sql AS
$$ SELECT (hashint8extended(n, salt) & 1073741823) / 1073741824.0 $$;
INSERT INTO annotation_region
    (study_id, slide_id, public_id, index, x, y, width, height, pixel_digest, audit_half, state)
SELECT %(study)s, %(slide)s, substr(md5('r' || i), 1, 20), i, (i %% 1000) * 64, (i / 1000) * 64, 64, 64,
       md5('a' || i) || md5('b' || i), '', 'pool' FROM generate_series(0, %(regions)s - 1) i;
CREATE TEMPORARY TABLE said AS
SELECT r.id AS region_id, m.id AS annotator_id, r.index * %(overlap)s + k AS n,
       (%(codes)s::text[])[1 + CASE WHEN pg_temp.draw(r.index * %(overlap)s + k, 1) < 0.8
           THEN floor(pg_temp.draw(r.index, 2) * %(classes)s)::int
           ELSE floor(pg_temp.draw(r.index * %(overlap)s + k, 3) * %(classes)s)::int END] AS label
FROM annotation_region r CROSS JOIN generate_series(0, %(overlap)s - 1) k
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM annotation_membership
      WHERE study_id = %(study)s AND role = 'annotator') m ON m.place = (r.index * 7 + k) %% %(annotators)s
WHERE r.study_id = %(study)s;
INSERT INTO annotation_assignment (study_id, region_id, annotator_id, pick_id, kind, state, token, leased_at,
    expires_at, closed_at, skip_reason, suggestion, suggestion_is_planted, entered, entered_version)
SELECT %(study)s, region_id, annotator_id, NULL, 'label', 'submitted', md5('t' || n), now(), now(), now(), '', '',
       false, NULL, 0 FROM said;
INSERT INTO annotation_annotation (study_id, region_id, annotator_id, number, parent_id, assignment_id,
    assignment_kind, protocol_id, kind, answer, label, seconds, is_flagged, suggestion, comment_digest,
    idempotency_key, created_at)
SELECT %(study)s, s.region_id, s.annotator_id, 1, NULL, a.id, 'label', %(protocol)s, 'class',
       jsonb_build_object('kind', 'class', 'label', s.label), s.label, 5, false, '', '', a.token, now()
FROM said s JOIN annotation_assignment a ON a.token = md5('t' || s.n) ORDER BY s.n;
ANALYZE;
"""


def measure_dawid_skene() -> dict[str, Any]:
    """Seconds of a fit beside crowd-kit's (on a tenth, times ten), milliseconds of a region, megabytes of a reading."""
    answers = _draw(ITEMS)
    start, begun = time.perf_counter(), time.process_time()
    fitted = dawid_skene.fit(answers)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - begun
    baseline = TENTH * _time_oracle(_draw(ITEMS // TENTH), rounds=fitted.iterations)
    rows = apart.measure("tests.benchmarks.dawid_skene")
    return {
        "answers": len(answers),
        "items": ITEMS,
        "classes": CLASSES,
        "rounds": fitted.iterations,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "bound_seconds": 5.0,
        "baseline_seconds": round(baseline, 2),
        "ratio": round(seconds / baseline, 3),
        **rows,
    }


def _draw(item_count: int) -> Answers:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, item_count)
    items = np.repeat(np.arange(item_count), OVERLAP)
    annotators = (rng.integers(0, ANNOTATORS, item_count)[:, None] + np.arange(OVERLAP)) % ANNOTATORS
    right = rng.random(len(items)) < 0.8
    labels = np.where(right, truth[items], rng.integers(0, CLASSES, len(items)))
    sizes = (item_count, ANNOTATORS, CLASSES)
    return gather(items=items, annotators=annotators.ravel(), labels=labels, sizes=sizes)


def _time_oracle(answers: Answers, *, rounds: int) -> float:
    """Seconds of as many rounds of crowd-kit's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas
        from crowdkit.aggregation.classification.dawid_skene import DawidSkene

        rows = pandas.DataFrame({"task": answers.items, "worker": answers.annotators, "label": answers.labels})
        start = time.perf_counter()
        DawidSkene(n_iter=rounds, tol=-np.inf).fit(rows)
        return time.perf_counter() - start


def main() -> None:
    """Fill a database of its own, measure what a submit and a canonical fit read, and take it away again."""
    with apart.own_database(DATABASE):
        study = _fill()
        print(json.dumps({**_measure_submit(study), **_measure_reading(study)}))


def _fill() -> Any:
    from django.db import connections

    from tests import factories

    codes = tuple(f"class-{number:02}" for number in range(CLASSES))
    study = factories.study(codes=codes)
    slide = factories.slide(study)
    for _ in range(ANNOTATORS):
        factories.member(study)
    values = {
        "study": study.pk,
        "slide": slide.pk,
        "protocol": study.protocol_id,
        "regions": STORED_ANSWERS // STORED_OVERLAP,
        "overlap": STORED_OVERLAP,
        "annotators": ANNOTATORS,
        "classes": CLASSES,
        "codes": list(codes),
    }
    with connections["owner"].cursor() as cursor:
        cursor.execute(_ROWS, values)
    return study


def _measure_submit(study: Any) -> dict[str, Any]:
    """Milliseconds of `truth.believe`, median and worst of some regions: opinions, matrices and posterior.

    Beside it the time on the processor alone, which other programs don't lengthen, and what reading the whole
    snapshot takes instead of the matrices of those who answered.
    """
    from annotation.models import ReliabilitySnapshot, Study
    from annotation.services import consensus, truth

    start = time.perf_counter()
    snapshot = consensus.refit(study=study)
    refit = time.perf_counter() - start
    assert snapshot is not None and len(snapshot.confusion) == ANNOTATORS
    taken, worked = [], []
    for region in study.regions.order_by("index")[:SUBMITS]:
        fresh = Study.objects.select_related("protocol").get(pk=study.pk)
        fresh.protocol.codes  # noqa: B018 - a submit has parsed its answer by then
        start, begun = time.perf_counter(), time.process_time()
        belief = truth.believe(region, study=fresh)
        taken.append(1000 * (time.perf_counter() - start))
        worked.append(1000 * (time.process_time() - begun))
        assert len(belief.opinions) == STORED_OVERLAP
    start, begun = time.perf_counter(), time.process_time()
    ReliabilitySnapshot.objects.get(pk=snapshot.pk)
    whole = [1000 * (time.perf_counter() - start), 1000 * (time.process_time() - begun)]
    return {
        "whole_snapshot_ms": round(whole[0], 2),
        "whole_snapshot_cpu_ms": round(whole[1], 2),
        "refit_seconds": round(refit, 2),
        "believe_ms": round(statistics.median(taken), 2),
        "believe_cpu_ms": round(statistics.median(worked), 2),
        "believe_worst_ms": round(max(taken), 2),
        "believe_bound_ms": 5.0,
    }


def _measure_reading(study: Any) -> dict[str, Any]:
    """Seconds of a canonical fit over stored answers, and what Python allocates for it at most."""
    from annotation.services import consensus

    start = time.perf_counter()
    found = consensus.canonical_fit(study)
    seconds = time.perf_counter() - start
    tracemalloc.start()
    consensus.canonical_fit(study)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "stored_answers": len(found.answers),
        "canonical_seconds": round(seconds, 2),
        "canonical_peak_mb": round(peak / 2**20, 1),
        "process_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


if __name__ == "__main__":
    main()
