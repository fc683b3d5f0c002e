import numpy as np
import pytest

from learning.sampling import weigh_inverse, weigh_lure, weigh_strata


def test_inverse_weights_have_mean_one_and_the_ratios_of_the_probabilities() -> None:
    weight = weigh_inverse(np.array([0.5, 0.5, 0.1]))
    assert weight.mean() == pytest.approx(1.0)
    assert weight[2] / weight[0] == pytest.approx(5.0)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.1, np.nan])
def test_what_was_picked_by_its_score_has_no_inverse_weight(probability: float) -> None:
    with pytest.raises(ValueError, match="picked by its score"):
        weigh_inverse(np.array([0.5, probability]))


def test_each_stratum_stands_for_all_of_it() -> None:
    weight = weigh_strata(["north"] * 20 + ["south"] * 10, sizes={"north": 100, "south": 900})
    assert weight[20:].sum() / weight.sum() == pytest.approx(0.9)
    assert weight.mean() == pytest.approx(1.0)


def test_strata_of_few_items_stand_together_with_those_of_none() -> None:
    strata = ["north"] * 20 + ["south"] * 9 + ["west"] * 4
    weight = weigh_strata(strata, sizes={"north": 400, "south": 300, "west": 100, "east": 200})
    assert weight[:20].sum() / weight.sum() == pytest.approx(0.4)
    assert weight[20:] == pytest.approx(np.full(13, 0.6 / 13 * 33))
    assert weigh_strata(["west"] * 3, sizes={"west": 5, "north": 95}).tolist() == [1.0, 1.0, 1.0]
    assert weigh_strata([], sizes={"west": 5}).tolist() == []


@pytest.mark.parametrize("proposal", [-0.1, 1.1, np.nan])
def test_lure_refuses_what_is_no_probability_and_what_was_not_drawn(proposal: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        weigh_lure(np.array([0.5, proposal]), pool=10)
    with pytest.raises(ValueError, match="Nothing was drawn by chance"):
        weigh_lure(np.zeros(3), pool=10)


def test_lure_is_the_published_equation_where_everything_was_drawn() -> None:
    generator = np.random.default_rng(0)
    proposal = generator.uniform(0.005, 0.1, 20)
    after = np.arange(20) + 1
    published = 1 + (50 - 20) / (50 - after) * (1 / ((50 - after + 1) * proposal) - 1)
    np.testing.assert_allclose(weigh_lure(proposal, pool=50), published)


def test_lure_of_uniform_draws_and_of_the_whole_pool_is_one() -> None:
    draws = 1 / (50 - np.arange(20))
    np.testing.assert_allclose(weigh_lure(draws, pool=50), 1.0)
    np.testing.assert_allclose(weigh_lure(np.full(6, 0.4), pool=6), 1.0)
    with pytest.raises(ValueError, match="7 items cannot be drawn from a pool of 6"):
        weigh_lure(np.full(7, 0.4), pool=6)


def test_lure_takes_the_favour_of_the_draw_back() -> None:
    """30 of 200 items drawn in favour of those that are wrong: the plain share is far off, the weighted one is not."""
    generator = np.random.default_rng(0)
    is_wrong = generator.random(200) < 0.2
    favour = np.where(is_wrong, 4.0, 1.0)
    plain, weighted = [], []
    for _ in range(3000):
        left = favour.copy()
        drawn, chance = [], []
        for _ in range(30):
            share = left / left.sum()
            one = int(generator.choice(200, p=share))
            drawn.append(one)
            chance.append(share[one])
            left[one] = 0.0
        plain.append(is_wrong[drawn].mean())
        weighted.append((weigh_lure(np.array(chance), pool=200) * is_wrong[drawn]).mean())
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert abs(np.mean(weighted) - is_wrong.mean()) < 4 * error
    assert np.mean(plain) > is_wrong.mean() + 0.15


def test_draws_among_picks_by_score_stand_for_what_was_left() -> None:
    """Four picks in five take what is wrong first; every fifth is drawn: only these say what is left."""
    generator = np.random.default_rng(1)
    is_wrong = generator.random(200) < 0.3
    plain, weighted = [], []
    for _ in range(3000):
        order, left = [], list(np.argsort(~is_wrong, kind="stable"))
        for place in range(60):
            order.append(left.pop(int(generator.integers(len(left))) if place % 5 == 4 else 0))
        proposal = np.where(np.arange(60) % 5 == 4, 1 / (200 - np.arange(60)), 0.0)
        plain.append(is_wrong[order].mean())
        weighted.append((weigh_lure(proposal, pool=200) * is_wrong[order]).mean())
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert abs(np.mean(weighted) - is_wrong.mean()) < 4 * error
    assert np.mean(plain) > is_wrong.mean() + 0.3
