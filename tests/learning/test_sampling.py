import numpy as np
import pytest

from learning.sampling import weigh_inverse, weigh_lure


def test_inverse_weights_have_mean_one_and_the_ratios_of_the_probabilities() -> None:
    weight = weigh_inverse(np.array([0.5, 0.5, 0.1]))
    assert weight.mean() == pytest.approx(1.0)
    assert weight[2] / weight[0] == pytest.approx(5.0)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.1, np.nan])
def test_what_was_picked_by_its_score_has_no_weight(probability: float) -> None:
    for weigh in (weigh_inverse, lambda values: weigh_lure(values, pool=10)):
        with pytest.raises(ValueError, match="picked by its score"):
            weigh(np.array([0.5, probability]))


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
