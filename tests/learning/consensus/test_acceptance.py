"""The estimate from an acceptance sample: exact at the ends, honest in between, the same whenever it is asked."""

import numpy as np
import pytest

from learning.consensus import gather
from learning.consensus.acceptance import GONE, estimate, foresee
from tests.benchmarks.acceptance import World, measure_acceptance, run_once


def ask(labels, said, *, standing=None, unsampled=(0, 0), classes=2, seed=0, experts=()):
    """An estimate where `said` holds what each of three people says of every region."""
    size, people = len(labels), len(said)
    rows = [(item, who, label) for who, row in enumerate(said) for item, label in enumerate(row) if label is not None]
    items, annotators, answers = np.array(rows).T
    return estimate(
        gather(items=items, annotators=annotators, labels=answers, sizes=(size, people, classes)),
        labels=np.array(labels),
        standing=np.array(labels if standing is None else standing),
        unsampled=np.array(unsampled),
        experts=np.array([who in experts for who in range(people)]),
        seed=seed,
    )


LABELS = [0, 1] * 30


def test_where_all_agree_the_interval_begins_at_zero_and_narrows_with_the_share_that_was_looked_at():
    said = [LABELS] * 3
    all_of_it = ask(LABELS, said)
    a_part = ask(LABELS, said, unsampled=(500, 500))
    assert all_of_it.share.low == a_part.share.low == 0.0
    assert all_of_it.share.high < a_part.share.high < 0.07
    assert (all_of_it.regions, a_part.regions) == (60, 1060)
    assert all_of_it.wrong.max() < 0.01


def test_labels_that_everybody_contradicts_are_wrong_and_no_longer_once_mended():
    truth = LABELS.copy()
    labels = [1 - one if place < 6 else one for place, one in enumerate(truth)]
    stands = ask(labels, [truth] * 3)
    mended = ask(labels, [truth] * 3, standing=truth)
    assert stands.share.low <= 0.1 <= stands.share.high
    assert stands.share.value == pytest.approx(0.1, abs=0.02)
    assert mended.share.value < 0.01
    assert (stands.wrong[:6] > 0.9).all() and (stands.wrong[6:] < 0.1).all()


def test_one_person_against_two_and_the_label_does_not_make_it_wrong():
    odd = [1 - one if place % 4 == 0 else one for place, one in enumerate(LABELS)]
    found = ask(LABELS, [LABELS, LABELS, odd])
    assert found.share.value < 0.03


def test_a_region_that_left_the_set_is_no_longer_counted():
    found = ask(LABELS, [LABELS] * 3, standing=[GONE] * 10 + LABELS[10:], unsampled=(5, 0))
    assert found.regions == 55


def test_a_class_without_regions_has_no_share():
    found = ask([0] * 20, [[0] * 20] * 3)
    assert found.per_class[1] is None and found.per_class[0] is not None


def test_the_same_arguments_give_the_same_numbers_and_another_seed_nearly_the_same():
    one, same = (run_once(World(share=0.03), seed=4)[0] for _ in range(2))
    assert one.share == same.share and (one.wrong == same.wrong).all()
    other = ask(LABELS, [LABELS] * 3, unsampled=(500, 500), seed=9)
    again = ask(LABELS, [LABELS] * 3, unsampled=(500, 500), seed=8)
    assert other.share.high == pytest.approx(again.share.high, abs=0.02)


def test_a_forecast_narrows_with_the_size_and_ends_where_everything_was_looked_at():
    widths = [(told := foresee(size=size, population=800, share=0.03)).high - told.low for size in (50, 200, 400, 800)]
    assert widths == sorted(widths, reverse=True) and widths[-1] == 0
    with pytest.raises(ValueError, match="can't be"):
        foresee(size=9, population=8, share=0.1)


def test_intervals_hold_the_truth_though_annotators_and_adjudicators_err():
    found = [run_once(World(share=0.03, size=80, regions=500), seed=seed) for seed in range(20)]
    assert sum(one.share.low <= wrong <= one.share.high for one, wrong in found) >= 18


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_thousand_intervals_hold_the_truth_at_least_93_times_in_100():
    assert measure_acceptance(runs=200)["coverage"] >= 0.93
