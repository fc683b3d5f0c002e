"""A pilot from its first batch to the sentence on the dashboard: halves by chance and by rank, compared once."""

import pytest

from annotation.models import ModelVersion, Pick, SelectionBatch
from annotation.selectors.dashboard import Board, Filters, Reading, find, kept, show
from annotation.services import pilot
from annotation.states import Stratum
from learning import pilot as comparing
from tests.workers.test_loop_inline import live, make_study, settle_open_picks
from workers import base

pytestmark = pytest.mark.django_db
POLICY = {"batch_size": 60, "first_model_revisions": 40, "pilot_regions": 48, "random_share": 0.1}


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path, monkeypatch):
    settings.STORE = tmp_path
    # Fewer heads than a real pilot trains: the comparison itself is tested on arrays.
    for name, value in {"_PARTS": 1, "_REDRAWN": 1, "_SIZES": 1, "_FOLDS": 2}.items():
        monkeypatch.setattr(comparing, name, value)


def notes_of(study):
    kept.counts.forget()
    return show(find("learning"), Board(Reading(study), Filters())).content.notes


def test_a_pilot_draws_half_by_chance_is_compared_once_and_ends(monkeypatch):
    study = make_study(**POLICY)
    base.run_ready(study)
    first = SelectionBatch.objects.get(study=study)
    drawn = Pick.objects.filter(batch=first, stratum=Stratum.RANDOM)
    chosen = Pick.objects.filter(batch=first, stratum=Stratum.COLD)
    assert first.numbers[pilot.MARK] and drawn.count() == chosen.count() == 24
    assert {pick.probability for pick in drawn} == {24 / 96} and {pick.probability for pick in chosen} == {0.0}
    assert notes_of(study)[0] == (
        "Pilot: 0 of 48 regions are settled. Half of each batch is drawn at random until then."
    )
    settle_open_picks(study)
    assert not pilot.is_running(study)
    assert notes_of(study)[0].startswith("The pilot has ended.")

    base.run_ready(study)
    assert live(study) == []
    found = ModelVersion.objects.get(study=study).numbers["pilot"]
    assert found["basis"] == "out-of-fold" and found["labels"] == 24 and found["regions"] == 48
    assert len(found["curve"]) == 1 and found["saved"][1] <= found["saved"][0] <= found["saved"][2]
    said = notes_of(study)
    assert "of the answers" in said[0] or "more answers" in said[0] or "does not show" in said[0]
    assert "judged on the 24 random regions themselves" in said[1]

    after = SelectionBatch.objects.filter(study=study).order_by("number").last()
    assert after.number > 1 and pilot.MARK not in after.numbers
    assert Pick.objects.filter(batch=after, stratum=Stratum.RANDOM).count() <= 6


def test_a_study_without_a_pilot_draws_its_random_share_and_says_nothing():
    study = make_study(**{**POLICY, "pilot_regions": 0})
    base.run_ready(study)
    batch = SelectionBatch.objects.get(study=study)
    assert pilot.MARK not in batch.numbers and not pilot.is_running(study)
    assert Pick.objects.filter(batch=batch, stratum=Stratum.RANDOM).count() <= 6
    assert notes_of(study) == []
