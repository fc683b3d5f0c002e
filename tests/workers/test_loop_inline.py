"""The whole loop over small slides, inline: read, cold batch, settle, train, gate, score, ranked batch."""

import pytest

from annotation import clock
from annotation.models import (
    GroundTruthRevision,
    Job,
    ModelVersion,
    Pick,
    Region,
    ScoreFile,
    SelectionBatch,
    TrainingSet,
)
from annotation.services import jobs, loop
from annotation.states import JobKind, JobState, ModelState, PickState, RegionState, Stratum
from tests import factories
from tests.workers import smears
from workers import base

pytestmark = pytest.mark.django_db
CODES = ("neutrophil", "lymphocyte", "monocyte")
POLICY = {
    "batch_size": 20,
    "first_model_revisions": 12,
    "retrain_every_revisions": 20,
    "audit_share": 0.2,
    "random_share": 0.2,
    "gate_min_items": 10,
}


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def own_store(settings, shared_store):
    # Features are named by content, so all tests of this module encode each slide once.
    settings.STORE = shared_store


def make_study(**policy):
    study = factories.study(codes=CODES, policy={**POLICY, **policy}, region_width=64, region_height=64, seed=7)
    for seed in range(6):
        half = {4: "gate", 5: "report"}.get(seed, "")
        smears.add_slide(study, seed=seed, audit_half=half)
    return study


@pytest.fixture
def study():
    return make_study()


def settle_open_picks(study, limit=None):
    """Everybody says what is true: revisions as a submit would write them."""
    picks = Pick.objects.filter(study=study, state=PickState.OPEN).order_by("batch_number", "rank")[:limit]
    settle(study, [pick.region for pick in picks])
    Pick.objects.filter(pk__in=[pick.pk for pick in picks]).update(state=PickState.SETTLED, slots_open=0)


def settle(study, regions):
    for region in regions:
        revision = GroundTruthRevision.objects.create(
            study=study,
            region=region,
            number=1,
            is_settled=True,
            label=region.known_truth.label,
            method="majority",
            protocol=study.protocol,
            created_at=clock.now(),
        )
        Region.objects.filter(pk=region.pk).update(current_revision=revision, state=RegionState.SETTLED)


def picks_of(study, number):
    rows = Pick.objects.filter(study=study, batch_number=number).order_by("rank")
    return list(rows.values_list("region__public_id", "stratum", "score", "probability", "reason"))


def live(study):
    return list(Job.objects.filter(study=study).exclude(state=JobState.DONE).values_list("kind", "state", "error"))


class TestColdStart:
    def test_the_first_batch_holds_typical_random_and_audit_regions_with_reasons(self, study):
        base.run_ready(study)
        assert live(study) == []
        batch = SelectionBatch.objects.get(study=study)
        assert (batch.number, batch.strategy, batch.model, batch.pool_size) == (1, "cold_start", None, 96)
        picks = Pick.objects.filter(batch=batch).select_related("region")
        assert [pick.rank for pick in picks.order_by("rank")] == list(range(20))
        strata = [pick.stratum for pick in picks]
        assert strata.count(Stratum.AUDIT) == 4
        assert strata.count(Stratum.RANDOM) == 3 or strata.count(Stratum.RANDOM) == 4
        assert all(pick.reason for pick in picks)
        assert all((pick.stratum == Stratum.AUDIT) == bool(pick.region.audit_half) for pick in picks)
        assert all((pick.probability > 0) == (pick.stratum != Stratum.COLD) for pick in picks)

    def test_audit_picks_are_spread_over_the_queue(self, study):
        base.run_ready(study)
        ranks = Pick.objects.filter(study=study, stratum=Stratum.AUDIT).order_by("rank").values_list("rank", flat=True)
        assert [rank // 5 for rank in ranks] == [0, 1, 2, 3]

    def test_random_selection_draws_everything_by_chance(self):
        study = make_study(selection="random")
        base.run_ready(study)
        strata = set(Pick.objects.filter(study=study).values_list("stratum", flat=True))
        assert strata == {Stratum.RANDOM, Stratum.AUDIT}

    def test_two_studies_of_one_seed_draw_the_same_picks(self, study):
        base.run_ready(study)
        other = make_study()
        base.run_ready(other)
        assert picks_of(study, 1) == picks_of(other, 1)

    def test_a_small_pool_is_filled_from_the_audit_sample(self, study):
        Region.objects.filter(study=study, audit_half="").update(state=RegionState.EXCLUDED)
        base.run_ready(study)
        assert list(Pick.objects.filter(study=study).values_list("stratum", flat=True)) == [Stratum.AUDIT] * 20

    def test_drawing_a_batch_again_changes_nothing(self, study):
        base.run_ready(study)
        before = list(Pick.objects.order_by("pk").values())
        jobs.retry(job=Job.objects.get(study=study, kind=JobKind.SELECT_BATCH))
        base.run_ready(study)
        assert list(Pick.objects.order_by("pk").values()) == before


@pytest.fixture
def trained(study):
    base.run_ready(study)
    settle_open_picks(study)
    base.run_ready(study)
    return study


class TestTraining:
    def test_settled_picks_become_a_model_that_ranks_the_rest(self, trained):
        assert live(trained) == []
        model = ModelVersion.objects.get(study=trained)
        assert model.state == ModelState.ACTIVE
        assert model.gate_reasons
        assert model.numbers["gate"]["basis"] in ("audit", "out-of-fold")
        by_domain = model.numbers["gate"]["domains"].values()
        assert sum(one["items"] for one in by_domain) == model.numbers["gate"]["items"]
        assert all(0 <= one["low"] <= one["right"] <= one["high"] <= 1 for one in by_domain)
        scores = model.numbers["gate"]["candidate"]
        low, f1, high = (scores[name] for name in ("macro_f1_low", "macro_f1", "macro_f1_high"))
        assert low < f1 < high or low == f1 == high == 1, "an interval has a width unless nothing went wrong"
        scored = ScoreFile.objects.filter(model=model)
        assert scored.count() == 4
        assert not scored.exclude(slide__case__audit_half="").exists()
        newest = SelectionBatch.objects.filter(study=trained).order_by("-number").first()
        assert (newest.strategy, newest.model) == ("ranked", model)
        ranked = Pick.objects.filter(batch=newest, stratum=Stratum.RANKED)
        assert ranked.exists()
        for pick in ranked:
            assert pick.parts["predicted"] in CODES and 0 < pick.parts["top"] <= 1
            assert pick.region.audit_half == ""

    def test_the_audit_sample_is_never_trained_on(self, trained):
        revisions = TrainingSet.objects.get(study=trained).revision_ids
        assert len(revisions) == 16
        assert not GroundTruthRevision.objects.filter(pk__in=revisions).exclude(region__audit_half="").exists()

    def test_nothing_predicted_is_kept_with_audit_picks(self, trained):
        for pick in Pick.objects.filter(study=trained, stratum=Stratum.AUDIT):
            assert pick.parts == {} and pick.score is None

    def test_a_new_ranking_takes_the_place_of_unclaimed_picks_of_the_old_one(self, study):
        base.run_ready(study)
        settle_open_picks(study, limit=16)
        base.run_ready(study)
        old = Pick.objects.filter(study=study, batch_number=1)
        assert not old.filter(state=PickState.OPEN, stratum=Stratum.COLD).exists()
        newest = SelectionBatch.objects.filter(study=study).order_by("-number").first()
        assert newest.strategy == "ranked"
        open_picks = Pick.objects.filter(study=study, state=PickState.OPEN)
        kept = open_picks.exclude(batch=newest).values_list("stratum", flat=True)
        assert set(kept) <= {Stratum.RANDOM, Stratum.AUDIT}

    def test_training_again_on_the_same_truth_is_the_same_model(self, trained):
        model = ModelVersion.objects.get(study=trained)
        loop.train_now(study=trained, trigger="a manager")
        base.run_ready(trained)
        assert ModelVersion.objects.get(study=trained) == model
        assert model.audit_looks <= 1

    def test_two_studies_of_one_seed_train_the_same_model(self, trained):
        other = make_study()
        base.run_ready(other)
        settle_open_picks(other)
        base.run_ready(other)
        first, second = ModelVersion.objects.get(study=trained), ModelVersion.objects.get(study=other)
        assert (first.digest, first.numbers) == (second.digest, second.numbers)
        newest = SelectionBatch.objects.filter(study=trained).order_by("-number").first().number
        assert picks_of(trained, newest) == picks_of(other, newest)

    def test_the_next_model_is_judged_against_the_active_one(self, trained):
        for _ in range(2):
            settle_open_picks(trained)
            base.run_ready(trained)
        models = ModelVersion.objects.filter(study=trained).order_by("number")
        assert models.count() >= 2
        assert models.filter(state=ModelState.ACTIVE).count() == 1
        assert models[1].numbers["gate"]["champion"] is not None
        assert live(trained) == []

    def test_too_few_classes_end_well_and_say_why(self, study):
        base.run_ready(study)
        settle_open_picks(study)
        study.protocol.classes.exclude(code="neutrophil").update(is_special=True)
        base.run_ready(study)
        job = Job.objects.get(study=study, kind=JobKind.TRAIN_MODEL)
        assert (job.state, job.result["model"]) == (JobState.DONE, None)
        assert "needs two classes with 2 settled regions each" in job.result["why"]
        assert not TrainingSet.objects.exists()

    def test_a_late_slide_is_read_and_ranked_by_the_active_model(self, trained):
        late = smears.add_slide(trained, seed=99)
        base.run_ready(trained)
        assert ScoreFile.objects.filter(slide=late, model__state=ModelState.ACTIVE).exists()

    def test_scoring_again_changes_nothing(self, trained):
        before = list(ScoreFile.objects.order_by("pk").values())
        for job in Job.objects.filter(study=trained, kind=JobKind.SCORE_SLIDE):
            jobs.retry(job=job)
        base.run_ready(trained)
        assert list(ScoreFile.objects.order_by("pk").values()) == before


def test_everything_is_asked_about_in_the_end(study):
    base.run_ready(study)
    for _ in range(12):
        settle_open_picks(study)
        base.run_ready(study)
    assert not Region.objects.filter(study=study).exclude(state=RegionState.SETTLED).exists()
    assert live(study) == []
