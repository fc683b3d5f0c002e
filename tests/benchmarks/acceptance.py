"""Whether the interval of an acceptance sample holds the true share of wrong labels as often as it says.

Decides how sets, people and samples are drawn; refuses to know how the share is estimated.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.consensus import gather
from learning.consensus.acceptance import Estimate, estimate

SHARES = (0.0, 0.01, 0.03, 0.08, 0.2)
CONCENTRATION, ONE_SIDEDNESS = 40.0, 0.6
JUDGES = 2

Labels = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class World:
    """`share` of the labels of `regions` are wrong; people of `skill` and `judge_skill` answer a sample of them."""

    share: float
    regions: int = 1000
    size: int = 150
    classes: int = 5
    people: int = 8
    opinions: int = 3
    skill: float = 0.85
    judge_skill: float = 0.95


def measure_acceptance(*, runs: int = 200) -> dict[str, Any]:
    """For each share: how often the interval holds what is wrong after the verdicts are taken over, and its width."""
    result: dict[str, Any] = {}
    inside = 0
    for share in SHARES:
        hits, widths, errors = 0, [], []
        for run in range(runs):
            found, wrong = run_once(World(share=share), seed=run)
            hits += found.share.low <= wrong <= found.share.high
            widths.append(found.share.high - found.share.low)
            errors.append(found.share.value - wrong)
        inside += hits
        result[f"wrong {share:g}"] = {
            "coverage": round(hits / runs, 4),
            "width": round(float(np.mean(widths)), 4),
            "bias": round(float(np.mean(errors)), 4),
        }
    return {"runs": runs * len(SHARES), "coverage": round(inside / (runs * len(SHARES)), 4), **result}


def run_once(world: World, *, seed: int) -> tuple[Estimate, float]:
    """Draw one world and one sample of it; the estimate, and what is wrong once every verdict is taken over."""
    rng = np.random.default_rng([seed, round(world.share * 10_000)])
    truth = rng.choice(world.classes, world.regions, p=rng.dirichlet(np.full(world.classes, 3.0)))
    labels = _spoil(truth, world, rng)
    sampled = rng.choice(world.regions, world.size, replace=False)
    rest = np.setdiff1d(np.arange(world.regions), sampled)
    confusion = [_confuse(world.classes, world.skill, rng) for _ in range(world.people)]
    confusion += [_confuse(world.classes, world.judge_skill, rng) for _ in range(JUDGES)]
    rows: list[tuple[int, int, int]] = []
    verdicts = labels[sampled].copy()
    for place, region in enumerate(sampled):
        said = _ask(place, int(truth[region]), confusion, world, rng)
        if any(label != labels[region] for _, _, label in said):
            judge = world.people + int(rng.integers(JUDGES))
            verdicts[place] = rng.choice(world.classes, p=confusion[judge][truth[region]])
            said.append((place, judge, int(verdicts[place])))
        rows += said
    items, people, answers = np.array(rows).T
    found = estimate(
        gather(items=items, annotators=people, labels=answers, sizes=(world.size, len(confusion), world.classes)),
        labels=labels[sampled],
        standing=verdicts,
        unsampled=np.bincount(labels[rest], minlength=world.classes),
        experts=np.arange(len(confusion)) >= world.people,
        seed=seed,
    )
    labels[sampled] = verdicts
    return found, float((labels != truth).mean())


def _spoil(truth: Labels, world: World, rng: np.random.Generator) -> Labels:
    shift = rng.integers(1, world.classes, size=world.regions)
    return np.where(rng.random(world.regions) < world.share, (truth + shift) % world.classes, truth)


def _confuse(classes: int, skill: float, rng: np.random.Generator) -> NDArray[np.float64]:
    confusion = np.zeros((classes, classes))
    for code in range(classes):
        right = rng.beta(skill * CONCENTRATION, (1 - skill) * CONCENTRATION)
        confusion[code, np.arange(classes) != code] = (1 - right) * rng.dirichlet(np.full(classes - 1, ONE_SIDEDNESS))
        confusion[code, code] = right
    return confusion


def _ask(
    place: int, truth: int, confusion: list[NDArray[np.float64]], world: World, rng: np.random.Generator
) -> list[tuple[int, int, int]]:
    chosen = rng.choice(world.people, world.opinions, replace=False)
    return [(place, int(who), int(rng.choice(world.classes, p=confusion[who][truth]))) for who in chosen]
