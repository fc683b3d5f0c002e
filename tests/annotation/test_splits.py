from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from annotation.splits import SPLITS, SplitCase, assign

SHARES: dict[str, Any] = {"test_share": 0.2, "validation_share": 0.1}


def cases(count, *, domains=3, audit=0):
    return [SplitCase(f"c{number:03}", f"lab-{number % domains}", number < audit) for number in range(count)]


@given(st.integers(0, 60), st.integers(1, 5), st.integers(0, 20), st.integers(0, 2**31), st.randoms())
def test_every_case_gets_one_split_whatever_the_order(count, domains, audit, seed, random):
    ordered = cases(count, domains=domains, audit=audit)
    result = assign(ordered, seed=seed, **SHARES)
    shuffled = list(ordered)
    random.shuffle(shuffled)
    assert assign(shuffled, seed=seed, **SHARES) == result
    assert set(result) == {case.code for case in ordered} and set(result.values()) <= set(SPLITS)
    assert all(result[case.code] == "test" for case in ordered if case.is_audit)


def test_shares_hold_over_the_study_and_within_domains():
    ordered = cases(100, domains=4)
    result = assign(ordered, seed=3, **SHARES)
    assert Counter(result.values()) == {"train": 70, "validation": 10, "test": 20}
    for domain in range(4):
        of_domain = Counter(result[case.code] for case in ordered if case.domain == f"lab-{domain}")
        assert 4 <= of_domain["test"] <= 6 and 2 <= of_domain["validation"] <= 3


def test_a_seed_decides_who_goes_where():
    assert assign(cases(40), seed=1, **SHARES) != assign(cases(40), seed=2, **SHARES)


def test_a_released_case_keeps_its_split_when_others_join():
    first = assign(cases(12), seed=1, **SHARES)
    later = assign(cases(40), seed=1, **SHARES, earlier={code: frozenset({split}) for code, split in first.items()})
    assert {code: later[code] for code in first} == first


def test_merged_cases_go_to_the_most_protected_split():
    earlier = {"c000": frozenset({"train", "test"}), "c001": frozenset({"train", "validation"})}
    result = assign(cases(10), seed=1, **SHARES, earlier=earlier)
    assert (result["c000"], result["c001"]) == ("test", "validation")


def test_a_share_of_zero_gets_nobody():
    result = assign(cases(30), seed=1, test_share=0.2, validation_share=0.0)
    assert "validation" not in result.values()
