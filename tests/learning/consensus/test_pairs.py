import numpy as np
import pytest

from learning.consensus import gather
from learning.consensus.agreement import measure_agreement
from learning.consensus.pairs import measure_pairs


def crowd(seed=0, items=60, people=4):
    rng = np.random.default_rng(seed)
    triples = [
        (item, who, int(rng.integers(3))) for item in range(items) for who in range(people) if rng.random() < 0.7
    ]
    columns = np.array(triples).T
    return gather(items=columns[0], annotators=columns[1], labels=columns[2], sizes=(items, people, 3))


def test_pairs_count_what_both_have_answered():
    answers = gather(
        items=[0, 0, 0, 1, 1, 2], annotators=[0, 1, 2, 0, 1, 2], labels=[1, 1, 0, 2, 0, 1], sizes=(3, 3, 3)
    )
    found = {(one.first, one.second): (one.items, one.share) for one in measure_pairs(answers, cases=[0, 1, 2], seed=0)}
    assert found == {(0, 1): (2, 0.5), (0, 2): (1, 0.0), (1, 2): (1, 0.0)}


def test_with_two_people_the_pair_is_the_raw_agreement():
    answers = crowd(people=2)
    cases = np.arange(60) // 5
    pair = measure_pairs(answers, cases=cases, seed=1)[0]
    raw = measure_agreement(answers, cases=cases, seed=1).raw
    assert pair.share == pytest.approx(raw.value)
    assert (pair.low, pair.high) == pytest.approx((raw.low, raw.high), abs=0.06)


def test_nobody_to_compare_gives_no_pairs_and_cases_must_fit():
    alone = gather(items=[0, 1], annotators=[0, 1], labels=[0, 0], sizes=(2, 2, 2))
    assert measure_pairs(alone, cases=[0, 1], seed=0) == []
    with pytest.raises(ValueError, match="one case each"):
        measure_pairs(alone, cases=[0], seed=0)
