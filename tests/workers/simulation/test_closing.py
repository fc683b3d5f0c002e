"""The scripted manager who ends a study: each blocker gets what can mend it, and only what nothing mends is waived."""

import pytest

from annotation.models import Finding
from annotation.rules import Alike, Evidence
from annotation.states import FindingState
from tests.annotation import consistency_studies
from workers import base, evidence
from workers.simulation import closing

pytestmark = pytest.mark.django_db


class OnlyJobs:
    """Nobody answers; jobs run at once."""

    def __init__(self, study):
        self.study = study

    def label(self, *, until=None):
        """Nobody is there."""

    def adjudicate(self):
        """Nobody is there."""

    def run_jobs(self):
        base.run_ready(self.study)


def test_one_thing_shown_twice_is_merged_where_both_carry_one_label(settings, tmp_path, monkeypatch):
    settings.STORE = tmp_path
    study, manager = consistency_studies.decided(regions=12, slides=12, policy={"test_share": 0.4})
    pairs = []

    def gather(reading, **_):
        """The first two regions of one label in different splits are said to show the same, in every pass."""
        items = reading.view.released()
        pairs[:] = pairs or _pair_twins(items)
        return Evidence(alike=tuple(pairs))

    monkeypatch.setattr(evidence, "gather", gather)
    told = []
    closed = closing.close_study(study=study, manager=manager, hands=OnlyJobs(study), told=told.append)
    assert closed.is_verified, (closed.problems, told)
    decided = Finding.objects.get(rule="near-duplicates")
    assert (decided.state, decided.data["decision"]["fix"]) == (FindingState.RESOLVED, "merge")
    released = set(closed.release.items.values_list("region__public_id", flat=True))
    assert len(released) == 11 and len(released & {pairs[0].first, pairs[0].second}) == 1


def _pair_twins(items):
    return [
        Alike(one.region, other.region, "perceptual", 0.99)
        for one in items
        for other in items
        if one.split < other.split and one.label == other.label
    ][:1]
