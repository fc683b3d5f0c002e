"""The contract every strategy keeps, through the batch that uses it."""

from dataclasses import fields, replace

import numpy as np
import pytest

from learning.features.rows import FeatureRows
from learning.query import STRATEGIES, Scores, get_strategy, select_batch
from tests.learning.query.pools import make_request


@pytest.fixture(params=sorted(STRATEGIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_batch_holds_distinct_available_rows(name: str) -> None:
    request = make_request(strategy=name)
    batch = select_batch(request)
    assert len(batch.indices) == len(set(batch.indices.tolist())) == 20
    assert np.isin(batch.indices, request.available).all()


def test_every_pick_has_its_numbers_and_a_sentence(name: str) -> None:
    batch = select_batch(make_request(strategy=name, random_share=0.2))
    assert {len(batch.scores), len(batch.stratum), len(batch.probability), len(batch.reasons)} == {20}
    assert all(len(values) == 20 for values in batch.parts.values())
    assert all(reason[0].isupper() and reason.endswith(".") for reason in batch.reasons)
    assert np.isfinite(batch.scores).all()
    for stratum, probability in zip(batch.stratum, batch.probability, strict=True):
        assert (probability > 0) == (stratum == "random")


def test_same_request_gives_the_same_batch(name: str) -> None:
    first, second = (select_batch(make_request(strategy=name)) for _ in range(2))
    np.testing.assert_array_equal(first.indices, second.indices)
    assert first.reasons == second.reasons
    assert first.stratum == second.stratum


def test_order_of_available_rows_does_not_matter(name: str) -> None:
    request = make_request(strategy=name)
    shuffled = replace(request, available=np.random.default_rng(1).permutation(request.available))
    np.testing.assert_array_equal(select_batch(request).indices, select_batch(shuffled).indices)


@pytest.mark.parametrize("left", [0, 1, 7, 20])
def test_small_pool_is_given_out_whole(name: str, left: int) -> None:
    request = make_request(strategy=name)
    batch = select_batch(replace(request, available=request.available[:left]))
    assert sorted(batch.indices.tolist()) == request.available[:left].tolist()


def test_batch_of_none_is_empty(name: str) -> None:
    batch = select_batch(make_request(strategy=name, count=0))
    assert len(batch.indices) == 0
    assert batch.reasons == []


def test_pool_of_identical_regions_can_still_be_finished(name: str) -> None:
    request = make_request(strategy=name)
    scores = Scores(**{field.name: np.zeros_like(getattr(request.scores, field.name)) for field in fields(Scores)})
    same = FeatureRows([np.full((600, 16), 3.0, dtype=np.float16)])
    batch = select_batch(replace(request, features=same, scores=scores))
    assert len(set(batch.indices.tolist())) == 20


def test_ties_are_broken_by_the_seed_alone(name: str) -> None:
    request = make_request(strategy=name)
    scores = Scores(**{field.name: np.zeros_like(getattr(request.scores, field.name)) for field in fields(Scores)})
    drawn = {tuple(select_batch(replace(request, scores=scores, seed=seed)).indices.tolist()) for seed in (1, 1, 2)}
    assert len(drawn) == 2


def test_strategy_that_needs_a_model_says_so_without_one(name: str) -> None:
    request = make_request(strategy=name, scores=None, random_share=0.0)
    if get_strategy(name).needs_scores:
        with pytest.raises(ValueError, match=f"'{name}' needs scores of a model. Use cold_start"):
            select_batch(request)
    else:
        assert len(select_batch(request).indices) == 20
