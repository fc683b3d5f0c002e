"""A study whose classes are split half way and whose people become careless ends better with the pass than without."""

import pytest

from tests.benchmarks.whole_truth import measure_whole_truth, summarise


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_pass_mends_most_of_what_a_split_and_careless_people_left_wrong() -> None:
    (row,) = measure_whole_truth(seeds=1)["rows"]
    assert row["with_pass"] < row["without"] / 2
    assert row["frozen"] >= 0.95 * 120
    assert row["low"] <= row["stated"] <= row["high"]


def test_seeds_are_summed_before_they_are_divided() -> None:
    common = {"without_but_asked_again": 0.1, "with_pass_but_the_sample": 0.05}
    rows = [
        {**common, "without": 0.2, "with_pass": 0.02, "is_inside": True},
        {**common, "without": 0.1, "with_pass": 0.04, "is_inside": False},
    ]
    found = summarise(rows)
    assert (found["ratio"], found["seeds_at_most_a_third"], found["inside_the_stated_interval"]) == (0.2, 1, 1)
    assert found["ratio_low"] <= found["ratio"] <= found["ratio_high"]
