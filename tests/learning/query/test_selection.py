"""What single strategies and the batch promise beyond the common contract."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from learning.features.rows import FeatureRows
from learning.query import get_strategy, select_batch
from learning.query.diversity import find_behind
from learning.query.neighbourhood import average_nearest
from learning.query.ordering import order_best
from learning.query.ranked import weigh_rarity
from tests.learning.query.pools import CODES, make_request


def test_margin_picks_the_smallest_margins() -> None:
    request = make_request(strategy="margin", random_share=0.0)
    assert request.scores is not None
    batch = select_batch(request)
    everything = np.sort(request.scores.margin[request.available])
    np.testing.assert_array_equal(np.sort(request.scores.margin[batch.indices]), everything[:20])
    assert (np.diff(batch.parts["margin"]) >= 0).all()


def test_random_share_has_the_probability_with_which_it_is_drawn() -> None:
    """Over many seeds a region is in the random stratum as often as its probability says."""
    request = make_request(strategy="margin", size=140, random_share=0.13, count=10)
    available = len(request.available)
    drawn: Counter[int] = Counter()
    for seed in range(1500):
        batch = select_batch(replace(request, seed=seed))
        random = [i for i, stratum in enumerate(batch.stratum) if stratum == "random"]
        assert np.allclose(batch.probability[random], 1.3 / available)
        drawn.update(batch.indices[random].tolist())
    assert sum(drawn.values()) / 1500 == pytest.approx(1.3, abs=0.05)
    share = np.array([drawn[row] for row in request.available.tolist()]) / 1500
    expected = 1.3 / available
    assert np.abs(share - expected).max() < 5 * np.sqrt(expected / 1500)


def test_random_picks_lie_anywhere_in_the_queue() -> None:
    places: Counter[int] = Counter()
    request = make_request(strategy="margin", random_share=0.2, count=10, size=200)
    for seed in range(200):
        places.update(i for i, s in enumerate(select_batch(replace(request, seed=seed)).stratum) if s == "random")
    assert min(places[place] for place in range(10)) > 20


def test_strategy_random_gives_every_pick_its_probability() -> None:
    batch = select_batch(make_request(strategy="random"))
    assert set(batch.stratum) == {"random"}
    np.testing.assert_allclose(batch.probability, 20 / 500)


def test_ranked_passes_over_near_duplicates_of_what_is_taken() -> None:
    request = make_request(random_share=0.0)
    assert request.scores is not None
    most_doubtful = request.available[np.argsort(request.scores.margin[request.available])[:15]]
    copies = request.features.take(np.arange(600)).astype(np.float16)
    copies[:15] = copies[most_doubtful]
    batch = select_batch(replace(request, features=FeatureRows([copies]), taken=np.arange(40)))
    assert not set(batch.indices.tolist()) & set(most_doubtful.tolist())


def test_ranked_takes_one_of_many_copies() -> None:
    request = make_request(random_share=0.0)
    assert request.scores is not None
    rows = request.features.take(np.arange(600)).astype(np.float16)
    doubtful = request.available[np.argsort(request.scores.margin[request.available])[:30]]
    rows[doubtful] = rows[doubtful[0]]
    batch = select_batch(replace(request, features=FeatureRows([rows])))
    assert len(set(batch.indices.tolist()) & set(doubtful.tolist())) <= 1


def test_ranked_spreads_more_than_margin() -> None:
    def measure_nearest(strategy: str) -> float:
        request = make_request(strategy=strategy, random_share=0.0)
        points = request.features.take(select_batch(request).indices)
        gaps = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(20)
        return float(gaps.min(axis=1).mean())

    assert measure_nearest("ranked") > 1.1 * measure_nearest("margin")


def test_ranked_leaves_an_oddity_for_what_many_doubtful_ones_resemble() -> None:
    request = make_request(random_share=0.0, count=1)
    assert request.scores is not None
    rows = request.features.take(np.arange(len(request.features)))
    odd, crowd = 100, np.arange(200, 230)
    rows[odd], rows[crowd] = -9 * rows[odd], rows[200] + 0.3 * rows[crowd]
    margin = np.full(len(rows), 0.9, dtype=np.float16)
    margin[odd], margin[crowd] = 0.0, 0.1
    request = replace(request, features=FeatureRows([rows]), scores=replace(request.scores, margin=margin))
    assert select_batch(replace(request, strategy="margin")).indices.tolist() == [odd]
    assert select_batch(request).indices[0] in crowd


def test_what_lies_around_is_weighed_by_likeness_in_blocks_too() -> None:
    generator = np.random.default_rng(3)
    crowd = generator.normal(size=(40, 5)).astype(np.float32)
    crowd /= np.linalg.norm(crowd, axis=1, keepdims=True)
    values = generator.random(40).astype(np.float32)
    points = np.tile(crowd, (60, 1))
    found = average_nearest(points, crowd=crowd, values=values)
    for row in (0, 7, 39):
        cosine = crowd @ crowd[row]
        order = np.argsort(-cosine)[:11]
        expected = np.mean([max(cosine[at], 0) * values[at] for at in order])
        np.testing.assert_allclose(found[row::40], expected, rtol=1e-5)
    assert average_nearest(crowd[:1], crowd=crowd[:3], values=values[:3]).shape == (1,), "a crowd of few is enough"


def test_ranked_prefers_classes_with_few_labels() -> None:
    request = make_request(size=3000, random_share=0.0)
    assert request.scores is not None
    predicted = request.scores.top1
    pool = np.bincount(predicted[request.available], minlength=4) / len(request.available)
    for rare in range(4):
        labelled = np.where(np.arange(4) == rare, 2, 60)
        picked = predicted[select_batch(replace(request, labelled=labelled)).indices]
        assert (picked == rare).mean() > 1.5 * pool[rare]


def test_rarity_is_even_for_even_labels_and_for_none() -> None:
    np.testing.assert_allclose(weigh_rarity(np.zeros(5, dtype=int)), 1.0)
    np.testing.assert_allclose(weigh_rarity(np.full(5, 30)), 1.0)
    weights = weigh_rarity(np.array([1000, 99, 9, 0]))
    assert weights[0] < 1 < weights[1] < weights[2] <= weights[3] == 20


def test_ranked_says_of_which_class_there_are_few_labels() -> None:
    request = make_request(random_share=0.0)
    assert request.scores is not None
    reasons = select_batch(replace(request, labelled=np.array([80, 3, 80, 80]))).reasons
    assert any(f"few labels of {CODES[1]} yet (3 of 243)" in reason for reason in reasons)
    assert not any("few labels" in reason for reason in select_batch(replace(request, labelled=np.full(4, 9))).reasons)


def test_every_domain_gets_at_least_half_of_its_share() -> None:
    request = make_request(count=40, random_share=0.0, size=900)
    assert request.scores is not None
    # The model is sure of everything in the first two domains, so that only the third is doubtful.
    margin = np.where(request.domains == 2, np.float16(0.0), np.float16(0.99))
    batch = select_batch(replace(request, scores=replace(request.scores, margin=margin)))
    counts = np.bincount(request.domains[batch.indices], minlength=3)
    share = np.bincount(request.domains[request.available], minlength=3) / len(request.available)
    assert (counts >= np.floor(0.5 * 40 * share)).all()


def test_ranked_reason_names_margin_and_both_classes() -> None:
    batch = select_batch(make_request(random_share=0.0))
    for reason in batch.reasons:
        assert reason.startswith("Margin 0.")
        assert sum(code in reason for code in CODES) >= 2


def test_cold_start_finds_every_group_before_asking_twice() -> None:
    generator = np.random.default_rng(0)
    centres = 12 * generator.normal(size=(8, 16))
    group = generator.choice(8, 800, p=[0.4, 0.2, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    rows = (centres[group] + generator.normal(size=(800, 16))).astype(np.float16)
    request = make_request(
        strategy="cold_start", scores=None, random_share=0.0, features=FeatureRows([rows]), count=8,
        available=np.arange(800), taken=np.arange(0), domains=np.zeros(800, dtype=int),
    )  # fmt: skip
    first = select_batch(request)
    assert len(set(group[first.indices].tolist())) >= 7
    assert set(first.stratum) == {"cold"}
    left = np.setdiff1d(np.arange(800), first.indices[:4])
    second = select_batch(replace(request, taken=first.indices[:4], available=left, count=4))
    assert len(set(group[second.indices].tolist()) - set(group[first.indices[:4]].tolist())) >= 3


@pytest.mark.parametrize("strategy", ["margin", "ranked", "random"])
def test_order_of_what_is_available_says_nothing(strategy: str) -> None:
    request = make_request(strategy=strategy)
    turned = replace(request, available=request.available[::-1])
    np.testing.assert_array_equal(select_batch(turned).indices, select_batch(request).indices)


def test_order_best_is_exact_and_shuffles_ties() -> None:
    utility = np.array([3.0, 1.0, 2.0, 2.0, 2.0, 0.0])
    seen = set()
    for seed in range(30):
        found = order_best(utility, count=3, generator=np.random.default_rng(seed))
        assert found[0] == 0
        assert set(found[1:].tolist()) <= {2, 3, 4}
        seen.add(tuple(found.tolist()))
    assert len(seen) == 6


@pytest.mark.parametrize("count", [1, 7, 60, 500])
@pytest.mark.parametrize("values", [3, 40, 10**6])
def test_order_best_of_many_are_those_of_a_full_sort(count: int, values: int) -> None:
    utility = np.random.default_rng(values).integers(0, values, 1000).astype(np.float32)
    utility[::9] = -np.inf
    found = order_best(utility, count=count, generator=np.random.default_rng(0))
    assert len(set(found.tolist())) == count
    np.testing.assert_array_equal(utility[found], np.sort(utility)[::-1][:count])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domains": np.zeros(3, dtype=int)}, "600 rows of features, but 3 domains"),
        ({"available": np.array([5, 600])}, "'available' lie outside the pool of 600"),
        ({"taken": np.array([-1])}, "'taken' lie outside"),
        ({"available": np.array([5, 5])}, "there twice"),
        ({"available": np.array([5, 3, 5])}, "there twice"),
        ({"random_share": 1.5}, "between 0 and 1"),
        ({"strategy": "magic"}, r"no strategy named 'magic'.*cold_start"),
    ],
)
def test_request_that_does_not_fit_together_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select_batch(replace(make_request(), **changes))  # type: ignore[arg-type]


def test_unknown_strategy_is_refused_with_the_known_names() -> None:
    with pytest.raises(ValueError, match="Known strategies: badge, bald, cold_start"):
        get_strategy("nothing")


def test_shards_of_different_encoders_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="different encoders"):
        FeatureRows([np.zeros((2, 3)), np.zeros((2, 4))])


def test_rows_come_back_in_the_order_asked_for() -> None:
    whole = np.arange(30, dtype=np.float32).reshape(10, 3)
    rows = FeatureRows([whole[:4], whole[4:4], whole[4:]])
    asked = np.array([9, 0, 4, 3, 9])
    np.testing.assert_array_equal(rows.take(asked), whole[asked])


@pytest.mark.parametrize("offset", [0.0, 3.0, 60.0])
def test_a_domain_nobody_has_looked_at_gets_its_whole_share_however_sure_the_model_is(offset: float) -> None:
    """60 of 500 regions wait in it. From far away they all look alike, and yet they are not left out as duplicates."""
    request = make_request(random_share=0.0)
    assert request.scores is not None
    rows = request.features.take(np.arange(600)).astype(np.float32)
    domains = np.zeros(600, dtype=int)
    domains[300:360] = 1
    rows[300:360] = rows[300:360] * (0.2 if offset else 1.0) + offset
    margin = np.where(domains == 1, np.float16(0.999), request.scores.margin)
    new = replace(
        request,
        features=FeatureRows([rows.astype(np.float16)]),
        domains=domains,
        scores=replace(request.scores, margin=margin),
    )

    def count(**changes: object) -> int:
        batch = select_batch(replace(new, **changes))  # type: ignore[arg-type]
        assert len(set(batch.indices.tolist())) == 20
        assert all(
            ("few settled regions yet" in why) == ("settled" in changes and domain == 1)
            for why, domain in zip(batch.reasons, domains[batch.indices], strict=True)
        )
        return int((domains[batch.indices] == 1).sum())

    assert count() == 1
    assert count(settled=np.array([40, 0])) == 3
    # Also where some of it has been asked about already, so that all the others look like those.
    assert count(settled=np.array([40, 2]), taken=np.append(request.taken, [300, 301])) == 3


def test_a_domain_with_its_part_of_the_settled_regions_is_not_insisted_on() -> None:
    request = make_request(random_share=0.0)
    sizes = np.bincount(request.domains[request.available], minlength=3)
    fair = select_batch(replace(request, settled=sizes))
    assert fair.indices.tolist() == select_batch(request).indices.tolist()
    assert find_behind(request.domains, settled=np.array([0, 0, 0]), floor=0.5) == []
    assert find_behind(request.domains, settled=np.array([60, 30, 1]), floor=0.5) == [2]


def test_counts_of_fewer_domains_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match="domains up to 2, but settled regions of 2 counted"):
        select_batch(make_request(settled=np.array([1, 2])))
