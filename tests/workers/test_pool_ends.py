"""What a batch is drawn from when slides fail and the pool ends."""

import pytest

from annotation.models import FeatureShard, Job, Pick, Region, SelectionBatch
from annotation.services import jobs, loop
from annotation.states import JobKind, JobState, RegionState, SlideState, Stratum
from tests import factories
from tests.workers import smears
from workers import base

pytestmark = pytest.mark.django_db
POLICY = {"batch_size": 8, "watermark": 1.0, "random_share": 0.25, "audit_share": 0.25, "first_model_revisions": 500}


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(autouse=True)
def own_store(settings, shared_store):
    settings.STORE = shared_store


@pytest.fixture
def study():
    study = factories.study(policy=POLICY, region_width=64, region_height=64, seed=7)
    smears.add_slide(study, seed=0, columns=4)
    return study


def slide_that_failed(study, *, state, kind, audit_half=""):
    """A slide with regions of its study folder, whose `kind` job was given up."""
    case = factories.case(study, f"broken{audit_half}", audit_half=audit_half)
    slide = factories.slide(study, case=case, state=state)
    for _ in range(3):
        factories.region(slide)
    job = jobs.enqueue(study=study, kind=kind, key=slide.public_id)
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    return slide


def leave_only_queued(study, slide):
    """Everything in the pool outside `slide` is left out of the dataset, and one open pick has begun."""
    Region.objects.filter(study=study, state=RegionState.POOL).exclude(slide=slide).update(state=RegionState.EXCLUDED)
    pick = Pick.objects.filter(study=study, stratum=Stratum.COLD).first()
    Pick.objects.filter(pk=pick.pk).update(has_begun=True)


@pytest.mark.parametrize(
    ("state", "kind"), [(SlideState.FAILED, JobKind.TILE_SLIDE), (SlideState.TILED, JobKind.EMBED_SLIDE)]
)
def test_regions_that_nobody_can_rank_do_not_have_the_same_picks_drawn_again_and_again(study, state, kind):
    broken = slide_that_failed(study, state=state, kind=kind)
    base.run_ready(study)
    leave_only_queued(study, broken)
    before = list(Pick.objects.filter(study=study).order_by("pk").values())
    base.run_ready(study)
    assert list(Pick.objects.filter(study=study).order_by("pk").values()) == before
    assert SelectionBatch.objects.filter(study=study).count() == 1


def test_a_pool_of_unreadable_regions_asks_for_no_batch(study):
    broken = slide_that_failed(study, state=SlideState.FAILED, kind=JobKind.TILE_SLIDE)
    base.run_ready(study)
    leave_only_queued(study, broken)
    assert loop.nudge(study=study) == []


def test_audit_regions_of_a_slide_that_cannot_be_read_are_given_to_nobody(study):
    broken = slide_that_failed(study, state=SlideState.FAILED, kind=JobKind.TILE_SLIDE, audit_half="gate")
    base.run_ready(study)
    assert FeatureShard.objects.filter(slide__study=study).count() == 1
    assert Pick.objects.filter(study=study).exists()
    assert not Pick.objects.filter(region__slide=broken).exists()
