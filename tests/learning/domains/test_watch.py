"""What is said of a domain, from what the model has learned of it and of others."""

from dataclasses import replace

import numpy as np

from learning.domains.watch import Verdict, watch
from tests.learning.domains.embeddings import draw_units


def look(plan, *, seed=0, **changes):
    return watch(draw_units(np.random.default_rng(seed), plan, **changes), seed=1)


def test_a_scanner_that_looks_like_a_known_one_is_alike_although_labs_differ() -> None:
    """Held against the mixture of both labs, a third that is like the first would be told apart."""
    plan = [("north", 9, 9), ("south", 9, 9), ("new", 9, 0)]
    found = look(plan, shifts={"south": 9.0}, case_effect=0.6)
    assert (found["new"].verdict, found["new"].nearest) == (Verdict.ALIKE, "north")
    assert found["new"].apart is not None and not found["new"].apart.is_unusual
    assert found["north"].verdict == found["south"].verdict == Verdict.LEARNED


def test_a_scanner_unlike_every_known_one_is_unlike() -> None:
    plan = [("north", 9, 9), ("south", 9, 9), ("new", 9, 0)]
    found = look(plan, shifts={"south": 9.0, "new": 6.0}, case_effect=0.6)["new"]
    assert found.verdict == Verdict.UNLIKE and found.nearest in ("north", "south")
    assert found.apart is not None and found.apart.value > 0.9
    assert (found.trained, found.learned_cases, found.cases) == (0, 0, 9)


def test_of_a_known_domain_the_cases_not_learned_from_are_looked_at() -> None:
    units = draw_units(np.random.default_rng(2), [("north", 18, 9)], case_effect=0.6)
    assert watch(units, seed=1)["north"].verdict == Verdict.ALIKE
    later = (units.trained == 0)[units.unit_of]
    renewed = replace(units, features=units.features + np.where(later, 1.5, 0.0)[:, None])
    found = watch(renewed, seed=1)["north"]
    assert (found.verdict, found.nearest, found.learned_cases) == (Verdict.UNLIKE, "north", 9)


def test_few_cases_on_either_side_are_said_to_be_few() -> None:
    found = look([("north", 9, 9), ("new", 5, 0)], shifts={"new": 50.0})
    assert (found["new"].verdict, found["new"].apart) == (Verdict.FEW, None)
    # Five cases that were learned from, or six with three regions each, are no measure for others.
    assert look([("north", 9, 5), ("new", 9, 0)])["new"].verdict == Verdict.FEW
    assert look([("north", 9, 6), ("new", 9, 0)], trained=3)["new"].verdict == Verdict.FEW


def test_a_domain_scarcely_learned_from_is_held_against_the_others_whole() -> None:
    found = look([("north", 9, 9), ("new", 9, 3)], shifts={"new": 9.0}, case_effect=0.6)["new"]
    assert (found.verdict, found.nearest) == (Verdict.UNLIKE, "north")
    assert (found.trained, found.learned_cases) == (15, 3)


def test_classes_and_disagreement_are_held_against_the_other_domains() -> None:
    units = draw_units(np.random.default_rng(0), [("north", 9, 9), ("new", 9, 0)])
    quiet = watch(units, seed=1)["new"]
    assert quiet.classes is not None and not quiet.classes.is_unusual
    assert quiet.disagreement is not None and not quiet.disagreement.is_unusual
    is_new = np.array(units.domains) == "new"
    loud = replace(
        units,
        shares=np.where(is_new[:, None], 0.5 * units.shares + 0.5 * np.eye(4)[0], units.shares),
        levels=units.levels + 0.3 * is_new,
    )
    found = watch(loud, seed=1)["new"]
    assert found.classes is not None and found.classes.is_unusual and found.classes.value > 0.25
    assert found.stability_index > 0.2
    assert found.disagreement is not None and found.disagreement.value > 0.2
    assert abs(found.usual_level - units.levels[~is_new].mean()) < 1e-12


def test_one_domain_alone_has_no_others() -> None:
    found = look([("only", 9, 9)])["only"]
    assert (found.verdict, found.classes, found.disagreement) == (Verdict.LEARNED, None, None)


def test_the_same_units_and_seed_give_the_same_findings() -> None:
    plan = [("north", 8, 8), ("new", 8, 0)]
    assert repr(look(plan)) == repr(look(plan))


def test_slides_scanned_on_both_scanners_are_paired() -> None:
    units = draw_units(np.random.default_rng(0), [("north", 9, 9), ("new", 9, 0)], case_effect=0.0)
    patients = 2.0 * np.random.default_rng(1).normal(size=(9, units.features.shape[1]))
    cases = np.tile(np.arange(9), 2)
    rows = units.features + patients[cases[units.unit_of]]
    rows[:, 0] += np.where(units.unit_of >= 9, 2.0, 0.0)
    twice = replace(units, cases=cases, features=rows)
    assert watch(twice, seed=1)["new"].verdict == Verdict.UNLIKE
