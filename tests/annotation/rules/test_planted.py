import pytest

from tests.annotation.rules import planting

pytestmark = pytest.mark.django_db


def test_a_pass_finds_all_that_is_planted_and_nothing_else(settings, tmp_path):
    settings.STORE = tmp_path / "store"
    planted = planting.plant(regions=480, each=4)
    table = planting.score(planted, planting.run_pass(planted))
    logic = {rule: row for rule, row in table.items() if rule in planted.expected}
    assert len(logic) == 15
    assert {rule: (row["precision"], row["recall"]) for rule, row in logic.items()} == dict.fromkeys(logic, (1.0, 1.0))
