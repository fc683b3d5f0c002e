"""Each rule on rows whose truth is known: it must name every planted violation and nothing else."""

from dataclasses import replace

import pytest

from annotation.policy import Policy
from annotation.rules import EarlierSplit, Evidence, Waiting, by_code
from annotation.states import Severity
from tests.annotation.rules.views import CODES, clean_items, item, plant, view


def find(code, seen):
    rule = by_code(code)
    assert rule is not None
    return list(rule.find(seen))


@pytest.mark.parametrize("seed", range(5))
def test_posterior_target_names_exactly_the_unsure_labels(seed):
    items = clean_items(seed=seed)
    spoiled = plant(items, seed=seed)
    for position in spoiled:
        items[position] = item(position, label=items[position].label, sure=0.6)
    found = find("posterior-target", view(*items))
    assert {one.region for one in found} == {items[position].region for position in spoiled}


def test_posterior_target_is_met_by_the_target_itself():
    assert not find("posterior-target", view(item(1, sure=0.9)))


def test_posterior_target_leaves_decisions_of_people_alone():
    by_hand = [item(number, sure=0.4, method=method) for number, method in enumerate(("adjudication", "consistency"))]
    assert not find("posterior-target", view(*by_hand))


def test_posterior_target_names_a_label_without_any_opinion():
    (found,) = find("posterior-target", view(item(1, posterior=())))
    assert "0.00 of the 0.90" in found.message


def test_posterior_target_says_which_class_the_consensus_favours():
    (found,) = find("posterior-target", view(item(1, label="monocyte", posterior=(0.7, 0.1, 0.2))))
    assert "favours neutrophil" in found.message


def test_posterior_target_only_warns_where_a_fixed_number_of_opinions_settles():
    (found,) = find("posterior-target", view(item(1, sure=0.6), policy=Policy(fixed_overlap=3)))
    assert found.severity == Severity.WARNING


def test_posterior_target_rests_on_the_label_not_on_the_last_digit():
    one, other = (find("posterior-target", view(item(1, sure=sure)))[0] for sure in (0.81, 0.82))
    assert one.evidence_digest == other.evidence_digest
    assert one.evidence_digest != find("posterior-target", view(item(1, sure=0.81, revision=2)))[0].evidence_digest


@pytest.mark.parametrize("seed", range(5))
def test_identical_regions_names_exactly_the_pairs_with_different_labels(seed):
    items = clean_items(seed=seed)
    spoiled = plant(items, seed=seed)
    expected = set()
    for position, other in zip(spoiled[::2], spoiled[1::2], strict=False):
        items[other] = replace(items[other], pixel_digest=items[position].pixel_digest)
        if items[other].label != items[position].label:
            expected.add((items[position].region, items[other].region))
    found = find("identical-regions", view(*items))
    assert expected and {(one.region, one.counterpart) for one in found} == expected


def test_label_errors_block_until_a_person_decides_or_people_have_been_asked_again():
    items = (item(1), item(2, method="adjudication"), item(3, is_rechecked=True), item(4))
    doubts = {"r00001": 0.9, "r00002": 0.9, "r00003": 0.9, "r00004": 0.3}
    evidence = Evidence(doubts={region: ("monocyte", chance) for region, chance in doubts.items()})
    found = {one.region: one.severity for one in find("label-errors", view(*items, evidence=evidence))}
    assert found == {"r00001": None} | dict.fromkeys(["r00002", "r00003", "r00004"], Severity.WARNING)


def test_identical_regions_needs_a_digest():
    blank = [item(1, pixel_digest=""), item(2, pixel_digest="", label="monocyte")]
    assert not find("identical-regions", view(*blank))


@pytest.mark.parametrize("seed", range(5))
def test_stale_protocol_names_exactly_what_today_has_no_class_for(seed):
    items = clean_items(seed=seed)
    spoiled = plant(items, seed=seed)
    for position in spoiled:
        items[position] = replace(items[position], label="", given_label="band-cell", protocol=1)
    found = find("stale-protocol", view(*items, protocol=2))
    assert {one.region for one in found} == {items[position].region for position in spoiled}


def test_unresolved_names_open_decisions_and_counts_the_others():
    waiting = tuple(Waiting(f"w{why}", why, 1) for why in ("adjudication", "reopened", "recheck"))
    found = find("unresolved", view(waiting=waiting, collecting=4))
    assert {one.region for one in found if one.severity is None} == {one.region for one in waiting}
    (warning,) = [one for one in found if one.severity == Severity.WARNING]
    assert warning.message.startswith("4 regions")


def test_class_quota_names_exactly_the_classes_that_are_short():
    items = [item(number, label=CODES[number % 2]) for number in range(20)]
    found = find("class-quota", view(*items, quotas={"neutrophil": 10, "lymphocyte": 11, "monocyte": 1}))
    assert {one.subject: one.evidence["count"] for one in found} == {"class lymphocyte": 10, "class monocyte": 0}


def test_class_quota_does_not_count_what_today_has_no_class_for():
    found = find("class-quota", view(item(1), item(2, label=""), quotas={"neutrophil": 2}))
    assert found[0].evidence["count"] == 1


def test_class_quota_only_warns_under_the_default_and_not_for_special_outcomes():
    policy = Policy(default_quota=2)
    found = find("class-quota", view(item(1), item(2), policy=policy, special=frozenset({"monocyte"})))
    assert [(one.subject, one.severity) for one in found] == [("class lymphocyte", Severity.WARNING)]


def test_case_splits_names_a_case_that_lies_in_two():
    items = [item(1, case="c", split="train"), item(2, case="c", split="test"), item(3, case="d", split="train")]
    (found,) = find("case-splits", view(*items))
    assert found.subject == "case c" and found.evidence == {"splits": ["test", "train"]}


@pytest.mark.parametrize("seed", range(5))
def test_case_splits_names_exactly_the_cases_that_moved_since_an_earlier_release(seed):
    items = clean_items(seed=seed)
    earlier = {one.region: EarlierSplit(1, one.split) for one in items}
    moved = {items[position].case for position in plant(items, seed=seed, share=0.01)}
    items = [replace(one, split="validation") if one.case in moved else one for one in items]
    found = find("case-splits", view(*items, earlier=earlier))
    assert moved and {one.subject for one in found} == {f"case {case}" for case in moved}


def test_case_splits_lets_new_regions_of_a_known_case_join():
    seen = view(
        item(1, case="c", split="test"), item(2, case="c", split="test"), earlier={"r00001": EarlierSplit(1, "test")}
    )
    assert not find("case-splits", seen)


def test_ledger_broken_names_the_first_problems_and_cannot_be_waived():
    problems = tuple(f"Entry {number} was altered." for number in range(1, 100))
    found = find("ledger-broken", view(ledger_problems=problems))
    assert [one.message for one in found] == list(problems[:20])
    rule = by_code("ledger-broken")
    assert rule is not None and not rule.is_waivable
