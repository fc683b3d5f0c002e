"""How often the interval of the audit sample holds the truth, and what the labels that were queried would have said.

A population of cases of unequal size, mix of classes and difficulty, with a model's answers to all of it. Each run
draws 40 cases and 400 of their items, as the audit sample does; queried are the 400 items of the smallest margins.
Where nothing but the queue is there to judge by, one pick in ten of its 1,000 is drawn, and these stand for what was
left of the pool (LURE): that has to hold the pool's truth.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning import metrics, sampling

FREQUENCY = np.array([0.34, 0.24, 0.16, 0.12, 0.08, 0.06])
CASES, DRAWN_CASES, DRAWN_ITEMS, RUNS = 1000, 40, 400, 1000
OVERSAMPLED = 3.0
QUEUE_ITEMS, QUEUE_DRAWN = 1000, 0.1
COVERED = (0.93, 0.97)
"""Of intervals that say 95%, and that what was queried has to miss."""
MEASURES = {"accuracy": metrics.measure_accuracy, "macro_f1": metrics.measure_macro_f1}


@dataclass(frozen=True)
class Population:
    """N items: truth and case (N,), the model's probabilities (N, K), and whether a case is of the second lab (C,)."""

    truth: NDArray[np.int64]
    cases: NDArray[np.int64]
    proba: NDArray[np.float64]
    is_second_lab: NDArray[np.bool_]

    def score(self, name: str) -> float:
        """What the measure is over everything."""
        return self.estimate(name, np.arange(len(self.truth))).value

    def estimate(self, name: str, items: NDArray[np.int64], weight: Any = None) -> metrics.Interval:
        """The measure of some items, with its interval by case."""
        return metrics.estimate_interval(
            truth=self.truth[items],
            proba=self.proba[items],
            cases=self.cases[items],
            measure=MEASURES[name],
            weight=weight,
        )


def draw_population(*, seed: int = 0) -> Population:
    """Cases of 10 to 120 items; the second lab's, a third of them, are harder."""
    generator = np.random.default_rng(seed)
    classes = len(FREQUENCY)
    is_second = generator.random(CASES) < 1 / 3
    ease = np.clip(0.86 - 0.1 * is_second + 0.06 * generator.normal(size=CASES), 0.4, 0.98)
    cases = np.repeat(np.arange(CASES), generator.integers(10, 121, CASES))
    mix = np.cumsum(generator.dirichlet(20 * FREQUENCY, CASES), axis=1)
    truth = np.minimum((generator.random(len(cases))[:, None] > mix[cases]).sum(axis=1), classes - 1)
    is_right = generator.random(len(cases)) < ease[cases]
    said = np.where(is_right, truth, (truth + generator.integers(1, classes, len(cases))) % classes)
    # A model is surer where it is right, but not always.
    sure = np.where(is_right, generator.beta(6, 2, len(cases)), generator.beta(3, 3, len(cases)))
    top = 1 / classes + 0.01 + (1 - 1 / classes - 0.01) * sure
    proba = np.repeat(((1 - top) / (classes - 1))[:, None], classes, axis=1)
    proba[np.arange(len(cases)), said] = top
    return Population(truth, cases, proba, is_second)


def measure_auditing(*, runs: int = RUNS) -> dict[str, Any]:
    """Coverage, bias and width of the 95% interval for three ways to choose 400 items, and what queried labels say."""
    started = time.perf_counter()
    population = draw_population()
    truth = {name: population.score(name) for name in MEASURES}
    result: dict[str, Any] = {"runs": runs, "truth": {name: round(value, 4) for name, value in truth.items()}}
    ways = {
        "audit": (_draw_evenly, False),
        "second lab drawn thrice as often, weighted (Hajek)": (_draw_more_of_second_lab, True),
        "second lab drawn thrice as often, not weighted": (_draw_more_of_second_lab, False),
        "queried by margin, naive": (_query, False),
    }
    for way, (draw, is_weighted) in ways.items():
        found: dict[str, list[metrics.Interval]] = {name: [] for name in MEASURES}
        for seed in range(runs):
            items, probability = draw(population, np.random.default_rng([1, seed]))
            weight = sampling.weigh_inverse(probability) if is_weighted else None
            for name in MEASURES:
                found[name].append(population.estimate(name, items, weight))
        result[way] = {name: _summarise(found[name], truth[name]) for name in MEASURES}
    queue = _measure_queue(population, runs)
    result["one pick in ten of the queue drawn, the pool's truth"] = queue
    honest = [result[way][name]["coverage"] for way in list(ways)[:2] for name in MEASURES]
    naive = [of[name]["coverage"] for of in (result["queried by margin, naive"], queue["naive"]) for name in MEASURES]
    holds = (
        all(COVERED[0] <= share <= COVERED[1] for share in honest)
        and all(queue["weighted (LURE)"][name]["coverage"] >= COVERED[0] for name in MEASURES)
        and max(naive) < COVERED[0]
    )
    return {**result, "holds": holds, "seconds": round(time.perf_counter() - started, 1)}


def _measure_queue(population: Population, runs: int) -> dict[str, Any]:
    """What the answered part of a ranked queue says of its pool of 100 cases, as it is and weighted."""
    found: dict[str, dict[str, list[metrics.Interval]]] = {
        way: {name: [] for name in MEASURES} for way in ("weighted (LURE)", "naive")
    }
    for seed in range(runs):
        pool, taken, proposal = _take_from_queue(population, np.random.default_rng([2, seed]))
        weight = sampling.weigh_lure(proposal, pool=len(pool))
        for name in MEASURES:
            truth = population.estimate(name, pool).value
            for way, weights in (("weighted (LURE)", weight), ("naive", None)):
                one = population.estimate(name, taken, weights)
                found[way][name].append(metrics.Interval(one.value - truth, one.low - truth, one.high - truth))
    return {way: {name: _summarise(of[name], 0.0) for name in MEASURES} for way, of in found.items()}


def _take_from_queue(
    population: Population, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The pool, 1,000 of it in the order of asking, and the chance of each that was drawn (0: the least sure left)."""
    pool = np.flatnonzero(np.isin(population.cases, generator.permutation(CASES)[:100]))
    by_doubt = pool[np.argsort(population.proba[pool].max(axis=1), kind="stable")].tolist()
    is_drawn = generator.random(QUEUE_ITEMS) < QUEUE_DRAWN
    taken = [by_doubt.pop(int(generator.integers(len(by_doubt))) if drawn else 0) for drawn in is_drawn]
    proposal = np.where(is_drawn, 1 / (len(pool) - np.arange(QUEUE_ITEMS)), 0.0)
    return pool, np.array(taken), proposal


def _draw_evenly(
    population: Population, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    chosen = generator.permutation(CASES)[:DRAWN_CASES]
    items = _some_of(population, chosen, generator)
    return items, np.full(len(items), 0.5)


def _draw_more_of_second_lab(
    population: Population, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """About 40 cases, those of the second lab thrice as likely as others."""
    chance = np.where(population.is_second_lab, OVERSAMPLED, 1.0)
    chance *= DRAWN_CASES / chance.sum()
    chosen = np.flatnonzero(generator.random(CASES) < chance)
    items = _some_of(population, chosen, generator)
    return items, chance[population.cases[items]]


def _some_of(population: Population, cases: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    of_cases = np.flatnonzero(np.isin(population.cases, cases))
    return generator.permutation(of_cases)[:DRAWN_ITEMS]


def _query(population: Population, generator: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The least sure of a pool of 100 cases, as a ranked queue asks."""
    pool = np.flatnonzero(np.isin(population.cases, generator.permutation(CASES)[:100]))
    top = population.proba[pool].max(axis=1)
    items = pool[np.argsort(top, kind="stable")[:DRAWN_ITEMS]]
    return items, np.full(len(items), 0.5)


def _summarise(found: list[metrics.Interval], truth: float) -> dict[str, float]:
    return {
        "coverage": round(float(np.mean([one.low <= truth <= one.high for one in found])), 3),
        "bias": round(float(np.mean([one.value for one in found])) - truth, 4),
        "width": round(float(np.mean([one.high - one.low for one in found])), 3),
    }
