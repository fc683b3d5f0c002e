"""How often a domain is called unlike where nothing has changed, and where a lab has: simulated and drawn slides.

Decides how much patients and labs differ; refuses to know rows. Beside the test stand two that look easier and are
wrong: regions taken for independent, and a domain held against the regions that were chosen for training.
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from learning.domains.shift import Sides, compare_levels, compare_shares, tell_apart
from learning.domains.watch import Verdict, watch
from learning.features import Encoder, get_encoder
from learning.slides.synthetic import smear
from learning.slides.synthetic.labs import LABS
from learning.slides.synthetic.study import Job, plan_slide
from tests.learning.domains.embeddings import WIDTH, draw_units

DRAWS, FEWER = 200, 40
SPLITS = 99
"""By chance, for each draw: half of what a study takes, and as exact at 5%."""
EFFECTS = (0.0, 0.5, 2.0)
"""Of a case, in standard deviations of a region, in each of the embedding's directions."""
SHIFTS = (1.0, 2.0, 4.0)
EDGE, CELLS = 96, 12
CASES = {"north": 36, "harbour": 10, "valley": 10}
NEW, KNOWN = 8, 16
CHOSEN_SHARE = 0.25


def measure_domain_drift(
    *, draws: int = DRAWS, fewer: int = FEWER, cases: dict[str, int] | None = None
) -> dict[str, Any]:
    """Shares of draws that are called unlike at 5%, and the AUC; `draws` for false alarms, `fewer` for the rest."""
    started = time.process_time()
    numbers: dict[str, Any] = {"draws": draws, "new_cases": NEW, "known_cases": KNOWN, "nominal": 0.05}
    numbers["simulated"] = _simulate(draws, fewer)
    numbers["slides"] = _look_at_slides(draws, fewer, cases or CASES)
    return numbers | {"cpu_seconds": round(time.process_time() - started, 1)}


def _simulate(draws: int, fewer: int) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for effect in EFFECTS:
        still = [_draw(seed, effect=effect) for seed in range(draws)]
        numbers[f"false_alarm_case_effect_{effect}"] = _share([_test(*one) for one in still])
        numbers[f"false_alarm_case_effect_{effect}_by_region"] = _share([_by_region(*one) for one in still[:fewer]])
    chosen = [_test(*_choose(*_draw(seed, effect=0.5), seed)) for seed in range(fewer)]
    numbers["false_alarm_against_chosen_regions"] = _share(chosen)
    for shift in SHIFTS:
        found = [_test(*_draw(seed, effect=0.5, shift=shift)) for seed in range(fewer)]
        numbers[f"power_shift_{shift}"] = _share(found)
        numbers[f"auc_shift_{shift}"] = _mean([value for value, _ in found])
    numbers |= _compare_means(draws)
    numbers["false_alarm_of_verdict_two_labs"] = _judge_two_labs(fewer)
    return numbers


def _draw(seed: int, *, effect: float, shift: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.int64], Sides]:
    units = draw_units(
        np.random.default_rng(seed),
        [("new", NEW, 0), ("known", KNOWN, KNOWN)],
        shifts={"new": shift},
        case_effect=effect,
        regions=16,
    )
    sides = Sides(cases=units.cases, is_new=np.arange(NEW + KNOWN) < NEW)
    return np.asarray(units.features), units.unit_of, sides


def _test(features: NDArray[np.floating], unit_of: NDArray[np.int64], sides: Sides) -> tuple[float, bool]:
    found = tell_apart(features, units=unit_of, sides=sides, seed=0, draws=SPLITS)
    assert found is not None
    return found.value, found.is_unusual


def _by_region(features: NDArray[np.floating], unit_of: NDArray[np.int64], sides: Sides) -> tuple[float, bool]:
    """As if every region were a case of its own."""
    own = np.arange(len(features))
    return _test(features, own, Sides(cases=own, is_new=sides.is_new[unit_of]))


def _choose(
    features: NDArray[np.float64], unit_of: NDArray[np.int64], sides: Sides, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], Sides]:
    """Of the known side only what lies nearest to the boundary of a rare class, as ranking prefers it.

    A sixth of the regions lie beyond it: it is a standard deviation off the middle.
    """
    boundary = np.random.default_rng([seed, 1]).normal(size=WIDTH)
    doubt = np.abs(features @ boundary / np.linalg.norm(boundary) - 1.0)
    kept = sides.is_new[unit_of]
    for unit in np.flatnonzero(~sides.is_new):
        rows = np.flatnonzero(unit_of == unit)
        kept[rows[np.argsort(doubt[rows])[: max(1, round(CHOSEN_SHARE * len(rows)))]]] = True
    return features[kept], unit_of[kept], sides


def _compare_means(draws: int) -> dict[str, Any]:
    """Shares of classes and levels of disagreement without a shift; how often the interval of a true one holds it."""
    rng = np.random.default_rng(0)
    sides = Sides(cases=np.arange(NEW + KNOWN), is_new=np.arange(NEW + KNOWN) < NEW)
    classes, levels, held = [], [], []
    for seed in range(draws):
        shares = rng.dirichlet(np.full(6, 4.0), size=NEW + KNOWN)
        level = rng.gamma(4.0, 0.05, size=NEW + KNOWN) + 0.1 * sides.is_new
        of_classes = compare_shares(shares, sides=sides, seed=seed)
        of_levels = compare_levels(level - 0.1 * sides.is_new, sides=sides, seed=seed)
        raised = compare_levels(level, sides=sides, seed=seed)
        assert of_classes is not None and of_levels is not None and raised is not None
        classes.append(of_classes.is_unusual)
        levels.append(of_levels.is_unusual)
        held.append(raised.low <= 0.1 <= raised.high)
    return {
        "classes_false_alarm": round(float(np.mean(classes)), 3),
        "disagreement_false_alarm": round(float(np.mean(levels)), 3),
        "disagreement_interval_holds": round(float(np.mean(held)), 3),
    }


def _judge_two_labs(draws: int) -> float:
    """A domain that is like the first of two known labs, which lie far apart."""
    plan = [("first", 10, 10), ("second", 10, 10), ("new", NEW, 0)]
    verdicts = [
        watch(
            draw_units(np.random.default_rng(seed), plan, shifts={"second": 6.0}, case_effect=0.5, regions=12),
            seed=seed,
        )["new"].verdict
        for seed in range(draws)
    ]
    return round(verdicts.count(Verdict.UNLIKE) / draws, 3)


def _look_at_slides(draws: int, fewer: int, cases: dict[str, int]) -> dict[str, Any]:
    encoder = get_encoder("colour-texture")
    slides = {lab: [_encode(lab, case, encoder) for case in range(count)] for lab, count in cases.items()}
    rng = np.random.default_rng(0)
    numbers: dict[str, Any] = {"cases": cases, "regions_a_case": CELLS, "dimensions": encoder.dimensions}
    still = [_face(slides["north"], None, rng) for _ in range(draws)]
    found = [_test(*one) for one in still]
    numbers["false_alarm_one_lab"] = _share(found)
    numbers["auc_one_lab"] = _mean([value for value, _ in found])
    numbers["false_alarm_one_lab_by_region"] = _share([_by_region(*one) for one in still[:fewer]])
    for lab in ("harbour", "valley"):
        moved = [_test(*_face(slides["north"], slides[lab], rng)) for _ in range(fewer)]
        numbers[f"power_{lab}"] = _share(moved)
        numbers[f"auc_{lab}"] = _mean([value for value, _ in moved])
    return numbers


def _encode(lab: str, case: int, encoder: Encoder) -> NDArray[np.float16]:
    """The regions of one case as this lab has stained and scanned it; no two labs share a patient."""
    place = [one.name for one in LABS].index(lab)
    seed = (17, 1000 * place + case, 0)
    plan = plan_slide(Job(path=Path("unwritten"), case=seed[1], lab=place, seed=seed, cells=CELLS, edge=EDGE))
    pixels = smear.render_smear(plan, lab=LABS[place], rng=np.random.default_rng([*seed, 2]))
    half, edge = EDGE // 2, encoder.input_edge
    boxes = [Image.fromarray(pixels[one.y - half : one.y + half, one.x - half : one.x + half]) for one in plan.cells]
    return encoder.encode(np.stack([np.asarray(box.resize((edge, edge))) for box in boxes]))


def _face(
    known: list[NDArray[np.float16]], new: list[NDArray[np.float16]] | None, rng: np.random.Generator
) -> tuple[NDArray[np.float16], NDArray[np.int64], Sides]:
    """Cases drawn for both sides: of two labs, or, without `new`, of one."""
    order = rng.permutation(len(known))
    source = known if new is None else new
    first = order[KNOWN : KNOWN + NEW] if new is None else rng.permutation(len(new))[:NEW]
    parts = [source[case] for case in first] + [known[case] for case in order[:KNOWN]]
    sides = Sides(cases=np.arange(NEW + KNOWN), is_new=np.arange(NEW + KNOWN) < NEW)
    return np.concatenate(parts), np.repeat(np.arange(NEW + KNOWN), [len(part) for part in parts]), sides


def _share(found: list[tuple[float, bool]]) -> float:
    return _mean([float(is_unusual) for _, is_unusual in found])


def _mean(values: list[float]) -> float:
    return round(float(np.mean(values)), 3)
