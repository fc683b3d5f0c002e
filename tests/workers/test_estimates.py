"""What a model is worth everywhere: audit items by domain, random picks among ranked ones."""

from dataclasses import dataclass

import numpy as np
import pytest

from annotation.models import Region
from annotation.states import RegionState
from tests import factories
from workers import estimates
from workers.bridge import Examples

pytestmark = pytest.mark.django_db


@dataclass
class OutOfFold:
    """What `by_chance_picks` reads of one."""

    proba: np.ndarray
    is_known: np.ndarray


def answers(is_right):
    """(truth, proba) of two classes."""
    truth = np.arange(len(is_right)) % 2
    return truth, np.eye(2)[np.where(is_right, truth, 1 - truth)].astype(np.float32)


def test_audit_items_of_a_domain_stand_for_all_its_regions():
    study = factories.study()
    for name, many in (("north", 30), ("south", 13)):
        slide = factories.slide(study, domain=study.domain_rows.create(name=name))
        for _ in range(many):
            factories.region(slide)
    Region.objects.filter(pk=study.regions.filter(slide__domain__name="north").first().pk).update(
        state=RegionState.EXCLUDED
    )
    domains = ["north"] * 12 + ["south"] * 12
    truth, proba = answers(np.arange(24) < 12)
    found = estimates.by_audit(study, truth=truth, proba=proba, cases=np.arange(24) // 4, domains=domains)
    assert found["accuracy"][0] == pytest.approx(29 / 42, abs=1e-6)
    assert found["accuracy"][1] < 29 / 42 < found["accuracy"][2]
    assert (found["drawn"], found["items"]) == (24, 24)
    empty = np.zeros(0, dtype=np.int64)
    assert estimates.by_audit(study, truth=empty, proba=np.zeros((0, 2)), cases=empty, domains=[]) is None


@pytest.fixture
def picked():
    """200 regions: in a first batch 20 by score, of which the model knows nothing, then 100 by chance, all known."""
    study = factories.study()
    slide = factories.slide(study)
    regions = [factories.region(slide) for _ in range(200)]
    first = factories.pick(regions[0], rank=0).batch
    for rank, region in enumerate(regions[1:20], start=1):
        factories.pick(region, batch=first, rank=rank)
    second = factories.pick(regions[20], rank=0, probability=0.5, stratum="random").batch
    for rank, region in enumerate(regions[21:120], start=1):
        factories.pick(region, batch=second, rank=rank, probability=0.5, stratum="random")
    return study, regions[:120]


def examples(regions, labels):
    names = [(region.public_id, 1) for region in regions]
    count = len(regions)
    features = np.zeros((count, 2), dtype=np.float16)
    return Examples(names, list(range(count)), features, labels, np.arange(count) // 6, ["north"] * count)


def test_random_picks_stand_for_all_that_was_left(picked):
    study, regions = picked
    order = np.random.default_rng(0).permutation(120)
    truth, proba = answers(order >= 20)
    shuffled = examples([regions[at] for at in order], truth)
    found = estimates.by_chance_picks(study, examples=shuffled, found=OutOfFold(proba, np.ones(120, dtype=bool)))
    assert found["accuracy"][0] == pytest.approx(0.9, abs=1e-6), "20 of 200 are wrong, not 20 of 120"
    assert (found["drawn"], found["items"]) == (100, 120)


def test_what_no_member_could_answer_blind_is_no_part_of_the_pool(picked):
    """Ten ranked ones are unknown, ten are wrong: 10 of 190."""
    study, regions = picked
    truth, proba = answers(np.arange(120) >= 20)
    found = OutOfFold(proba, np.arange(120) >= 10)
    told = estimates.by_chance_picks(study, examples=examples(regions, truth), found=found)
    assert told["accuracy"][0] == pytest.approx(180 / 190, abs=1e-6)


@pytest.mark.parametrize("known", [119, 100])
def test_few_random_picks_and_few_blind_answers_say_nothing(picked, known):
    study, regions = picked
    truth, proba = answers(np.ones(120, dtype=bool))
    found = OutOfFold(proba, np.arange(120) < known)
    assert estimates.by_chance_picks(study, examples=examples(regions, truth), found=found) is None
