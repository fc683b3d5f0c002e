"""Whether more labels still help: told from two models of one study on its audit sample, and on its dashboard."""

import pytest

from annotation.models import ModelVersion, Region
from annotation.selectors.dashboard import Board, Filters, Reading, actions, find, kept, show
from annotation.services import loop
from tests import factories
from tests.workers import smears
from tests.workers.test_loop_inline import CODES, POLICY, settle
from workers import base

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(settings, tmp_path):
    settings.STORE = tmp_path
    made = factories.study(codes=CODES, policy=POLICY, region_width=64, region_height=64, seed=7)
    for seed in range(3):
        smears.add_slide(made, seed=seed)
    for seed in range(10, 15):
        smears.add_slide(made, seed=seed, columns=3, rows=2, audit_half="gate")
    return made


def train_on(study, count):
    open_regions = Region.objects.filter(study=study, audit_half="", current_revision=None).order_by("slide", "index")
    settle(study, open_regions[:count])
    loop.train_now(study=study, trigger="a manager")
    base.run_ready(study)
    return ModelVersion.objects.filter(study=study).latest("number")


def look_at(study):
    kept.counts.forget()
    board = Board(Reading(study), Filters())
    said = [one.what for one in actions.read(board)]
    return show(find("learning"), board).content.notes[0], said


def test_a_model_is_compared_with_the_one_that_had_half_its_labels(study):
    base.run_ready(study)
    settle(study, Region.objects.filter(study=study, audit_half="gate"))
    first = train_on(study, 20)
    second = train_on(study, 10)
    assert first.activated_at is not None
    assert "growth" not in first.numbers and "growth" not in second.numbers, "less than twice as many labels"
    third = train_on(study, 42)
    found = third.numbers["growth"]
    assert (found["before"], found["now"], found["items"], found["cases"]) == (30, 72, 30, 5)
    everywhere = third.numbers["gate"]["everywhere"]
    assert everywhere["drawn"] == 30
    assert everywhere["macro_f1"][0] == third.numbers["gate"]["candidate"]["macro_f1"], "one domain: all weigh alike"
    told, _ = look_at(study)
    assert told.startswith("From 30 labels to 72 the model's macro-F1 has changed by ")

    third.numbers["growth"] |= {"gain": 0.001, "low": -0.004, "high": 0.006}
    third.save()
    told, said = look_at(study)
    assert told.endswith("for the model's sake you may stop.")
    assert "The model has stopped getting better with more labels." in said
