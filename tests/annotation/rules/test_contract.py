"""What every rule must keep, whatever it looks for."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

import annotation.rules
from annotation import canonical
from annotation.policy import Policy
from annotation.rules import (
    CHANGING_FIXES,
    EFFECTS,
    RULES,
    Alike,
    Box,
    EarlierSplit,
    Evidence,
    Fix,
    GoldAnswer,
    PassView,
    Repeat,
    Unmarked,
    Waiting,
    by_code,
)
from annotation.rules.contract import LONGEST_SUBJECT
from annotation.rules.view import Verdict
from annotation.states import Severity
from tests.annotation.rules.views import clean_items, item, view

NOT_RULES = {"__init__", "contract", "settings", "view"}


def spoiled() -> PassView:
    """A view in which every rule finds something."""
    said = [("right", "neutrophil")] * 10
    return view(
        *clean_items(50),
        item(100, label="", given_label="blast"),
        item(101, sure=0.5),
        item(102, pixel_digest="same"),
        item(103, pixel_digest="same", label="monocyte"),
        item(104, case="c-moved", split="train"),
        item(105, box=Box(3990, 0, 64, 64)),
        item(106, slide="s0", box=Box(1000, 2000, 64, 64)),
        item(107, slide="s0", box=Box(1004, 2000, 64, 64)),
        item(108, slide="s8"),
        item(109, case="c-a", split="train", pixel_digest="leaks"),
        item(110, case="c-b", split="test", pixel_digest="leaks"),
        quotas={"monocyte": 1000},
        waiting=(Waiting("r9", "adjudication"),),
        collecting=2,
        earlier={"r00104": EarlierSplit(1, "test")},
        ledger_problems=("Entry 3 is missing.",),
        domains=("lab-9",),
        repeats=tuple(Repeat(f"r{number:05}", "A1", "monocyte", "lymphocyte") for number in range(12)),
        golds={"r00000": "nothing-known"},
        by_people={"majority": {"r00008": ("", 0.5)}},
        verdicts={"r00007": Verdict(sample=1, label="nothing-known", drawn="monocyte", doubt=0.9)},
        gold_answers=tuple(GoldAnswer(f"r{at:05}", "A1", *pair) for at, pair in enumerate(said)),
        evidence=Evidence(
            doubts={"r00001": ("monocyte", 0.9), "r00002": ("monocyte", 0.05)},
            alike=(Alike("r00003", "r00004", "perceptual", 0.99),),
            purity={"r00005": 0.4, "r00006": 0.9},
            unmarked=(Unmarked("s0", "", "squares of tissue lie outside every region", 3),),
        ),
        rule_values={
            "class-share": {"least": {"monocyte": 0.9}, "difference": 0.01, "regions": 1},
            "domain-quota": {"share": 0.1, "regions": 1},
            "size-limits": {"least": 17.0},
        },
    )


def test_rules_are_sorted_and_all_files_are_listed():
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    files = {path.stem for path in Path(annotation.rules.__path__[0]).glob("*.py")} - NOT_RULES
    assert {code.replace("-", "_") for code in codes} == files


def test_an_unknown_code_has_no_rule():
    assert by_code("posterior-target") in RULES
    assert by_code("of-tomorrow") is None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
class TestEveryRule:
    def test_it_says_what_it_is(self, rule):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.code)
        assert rule.version >= 1 and rule.title and rule.severity in Severity and rule.fix in set(Fix)
        assert all(text[0].isupper() and text.endswith(".") for text in (rule.meaning, rule.stakes))
        assert set(rule.reads) <= {field.name for field in fields(Policy)}
        for name, one in rule.thresholds.items():
            assert re.fullmatch(r"[a-z_]+", name) and one.low <= one.default <= one.high and one.says.endswith(".")

    def test_it_offers_its_own_fix_first_and_none_that_needs_a_region_where_there_is_none(self, rule):
        fixes = rule.fixes(has_region=True)
        assert fixes[:1] == ((rule.fix,) if rule.is_waivable else ())
        assert not CHANGING_FIXES & set(rule.fixes(has_region=False))
        assert set(fixes) <= set(EFFECTS)

    def test_it_finds_nothing_in_clean_truth(self, rule):
        assert list(rule.find(view(*clean_items()))) == []
        assert list(rule.find(view())) == []

    def test_it_finds_what_is_planted_and_says_so_in_sentences(self, rule):
        found = list(rule.find(spoiled()))
        assert found
        for one in found:
            assert not one.message[0].islower() and one.message.endswith(".")
            assert bool(one.region) != bool(one.subject), "about a region, or about something that has a name"
            assert len(one.subject) <= LONGEST_SUBJECT
            canonical.dumps(one.evidence)

    def test_it_names_each_thing_once(self, rule):
        found = list(rule.find(spoiled()))
        keys = [(one.region, one.counterpart, one.subject) for one in found]
        assert len(set(keys)) == len(keys)

    def test_it_says_the_same_for_any_order_of_items(self, rule):
        planted = spoiled()
        turned = replace(
            planted,
            items=planted.items[::-1],
            waiting=planted.waiting[::-1],
            repeats=planted.repeats[::-1],
            gold_answers=planted.gold_answers[::-1],
        )
        known = {(one.region, one.counterpart, one.subject): one for one in rule.find(planted)}
        assert known == {(one.region, one.counterpart, one.subject): one for one in rule.find(turned)}
