"""What a study may say of a rule, and what a pass makes of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from annotation.errors import BadInput
from annotation.models import Finding
from annotation.rules import RULES, by_code, settings
from annotation.services import strictness
from annotation.states import Severity
from annotation.studyfolder import read_text, write_definition
from tests import factories
from tests.annotation.consistency_studies import decided, run_pass
from tests.annotation.rules.views import CODES, view

TOML = """
name = "Blood"
task = "classify"
[[classes]]
code = "round"
name = "Round cell"
colour = "#d95f02"
key = "1"
[[classes]]
code = "long"
name = "Long cell"
colour = "#1b9e77"
key = "2"
[rules.class-quota]
severity = "warning"
[rules.size-limits]
least = { round = 4.5 }
most = 30.0
"""
WRONG = {
    "no-such-rule": {},
    "class-quota": {"severity": "loud", "colour": 1},
    "ledger-broken": {"severity": "off"},
    "leaking-pixels": {"regions": {"neutrophil": 3}},
    "size-limits": {"least": {"blast": -1}, "most": True},
    "case-splits": "off",
}


def test_everything_that_does_not_hold_is_named_at_once():
    said = " ".join(settings.find_problems(WRONG, codes=CODES))
    for part in (
        "no rule 'no-such-rule'", "must be one of blocker, warning, off, not 'loud'", "nothing called 'colour'",
        "neither switched off nor lowered", "one number for the whole study", "which the protocol does not have",
        "least of blast must be a number from 0", "most must be a number from 0", "'case-splits' must be a table",
    ):  # fmt: skip
        assert part in said, part
    assert settings.find_problems("off", codes=CODES) == ["The settings of rules must be a table of rules."]


def test_defaults_hold_where_a_study_says_nothing():
    chosen = settings.resolve({})
    assert chosen.keys() == {rule.code for rule in RULES} and all(one.is_on for one in chosen.values())
    for rule in RULES:
        for name, one in rule.thresholds.items():
            assert view().threshold(rule.code, name, of="monocyte") == one.default


def test_a_class_may_have_a_threshold_of_its_own():
    seen = view(rule_values={"size-limits": {"least": {"monocyte": 9.0}, "most": 20.0}})
    assert [seen.threshold("size-limits", "least", of=code) for code in CODES] == [0.0, 0.0, 9.0]
    assert [seen.threshold("size-limits", "most", of=code) for code in CODES] == [20.0, 20.0, 20.0]


@pytest.mark.parametrize(
    ("said", "found", "rated"),
    [
        ("", None, "blocker"),
        ("", Severity.WARNING, "warning"),
        ("warning", None, "warning"),
        ("blocker", None, "blocker"),
        ("blocker", Severity.WARNING, "warning"),
    ],
)
def test_what_a_study_says_is_the_most_that_a_finding_can_be(said, found, rated):
    rule = by_code("class-quota")
    assert settings.Setting(said, {}).rate(rule, found) == rated


def test_a_study_folder_keeps_what_is_said_of_the_rules():
    definition = read_text(TOML)
    assert definition.rules == {
        "class-quota": {"severity": "warning"},
        "size-limits": {"least": {"round": 4.5}, "most": 30.0},
    }
    assert read_text(write_definition(definition)) == definition


def test_a_study_folder_with_wrong_rules_names_line_and_reason():
    with pytest.raises(BadInput) as caught:
        read_text(TOML.replace("round = 4.5", "oval = 4.5").replace('"warning"', '"loud"'))
    told = str(caught.value.details)
    assert "names the class 'oval'" in told and "not 'loud'" in told and "line 14: Rules: class-quota" in told


@pytest.mark.django_db
class TestStored:
    def test_values_are_merged_taken_back_and_kept_only_where_they_differ(self):
        study = factories.study()
        strictness.update(
            study=study, values={"size-limits": {"least": 4, "most": 9}, "class-quota": {"severity": "off"}}
        )
        found = strictness.update(study=study, values={"size-limits": {"least": None}, "class-quota": None})
        assert found.rule_values == {"size-limits": {"most": 9}}
        with pytest.raises(BadInput, match="neither switched off nor lowered"):
            strictness.update(study=study, values={"ledger-broken": {"severity": "warning"}})
        study.refresh_from_db()
        assert study.rule_values == {"size-limits": {"most": 9}}

    def test_what_was_said_of_a_class_that_is_gone_is_forgotten(self):
        study = factories.study()
        strictness.update(study=study, values={"size-limits": {"least": {"monocyte": 4}, "most": {"neutrophil": 9}}})
        factories.protocol(study, codes=("neutrophil", "lymphocyte"))
        found = strictness.update(study=study, values={"class-quota": {"severity": "off"}})
        assert found.rule_values == {"size-limits": {"most": {"neutrophil": 9}}, "class-quota": {"severity": "off"}}

    def test_a_pass_goes_by_them_and_keeps_what_it_went_by(self):
        study, manager = decided(regions=6, slides=2)
        study.protocol.classes.update(quota=4)
        assert set(run_pass(study).findings.values_list("severity", flat=True)) == {"blocker"}
        strictness.update(study=study, values={"class-quota": {"severity": "warning"}})
        softer = run_pass(study)
        assert set(softer.findings.values_list("severity", flat=True)) == {"warning"}
        strictness.update(study=study, values={"class-quota": {"severity": "off"}, "size-limits": {"least": 20.0}})
        last = run_pass(study)
        assert set(Finding.objects.filter(consistency_pass=last).values_list("rule", flat=True)) == {"size-limits"}
        assert last.rules["class-quota"]["severity"] == "off"
        assert last.rules["size-limits"]["thresholds"] == {"least": 20.0, "most": 0.0}
        assert softer.rules["class-quota"]["severity"] == "warning"

    def test_the_page_takes_a_fixed_number_of_queries_and_is_the_managers_alone(
        self, client, django_assert_num_queries
    ):
        study, manager = decided(regions=6, slides=2)
        study.protocol.classes.update(quota=4)
        address = f"/admin/studies/{study.slug}/passes/rules/"
        client.force_login(manager.user)
        client.get(address)
        with CaptureQueriesContext(connection) as bare:
            assert client.get(address).status_code == 200
        run_pass(study)
        with django_assert_num_queries(len(bare) + 1):
            assert "class-quota" in client.get(address).content.decode()
        client.force_login(factories.member(study).user)
        assert client.get(address).status_code == 404

    def test_a_manager_reads_and_changes_them_over_http(self, django_assert_max_num_queries):
        study, manager = decided(regions=6, slides=2)
        study.protocol.classes.update(quota=4)
        run_pass(study)
        client = APIClient()
        client.force_authenticate(manager.user)
        address = f"/api/studies/{study.slug}/rules/"
        with django_assert_max_num_queries(5):
            rows = {one["code"]: one for one in client.get(address).json()}
        assert rows["class-quota"]["found"] == rows["class-quota"]["open"] == 3
        assert not rows["ledger-broken"]["may_change"]
        sent = {"values": {"size-limits": {"least": {"monocyte": 3}}, "class-quota": {"severity": "off"}}}
        rows = {one["code"]: one for one in client.put(address, sent, "json").json()}
        (least,) = [one for one in rows["size-limits"]["thresholds"] if one["name"] == "least"]
        assert (least["value"], least["by_class"]) == (0.0, {"monocyte": 3})
        wrong = client.put(address, {"values": {"size-limits": {"least": -1}, "no-such": {}}}, "json")
        assert wrong.status_code == 400
        assert "least must be a number" in wrong.json()["error"]["message"]
        assert "no rule 'no-such'" in wrong.json()["error"]["message"]
