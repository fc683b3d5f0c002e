"""From a slide file to regions, pixel digests and features."""

import numpy as np
import pytest

from annotation import store
from annotation.models import FeatureShard, Job, Region
from annotation.services import jobs
from annotation.states import JobKind, JobState, SlideState
from learning.features import get_encoder, open_shard
from learning.slides.reader import open_slide
from learning.slides.tiles import pixel_digest, read_patch
from tests import factories
from tests.workers import smears
from workers import base, files

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path


@pytest.fixture
def study():
    # A draft: nothing is drawn, only read.
    return factories.study(state="draft", region_width=64, region_height=64)


def test_given_regions_are_digested_and_embedded_in_their_order(study):
    slide = smears.add_slide(study, seed=1)
    assert base.run_ready(study) == 2
    slide.refresh_from_db()
    assert (slide.state, slide.region_count) == (SlideState.TILED, 24)
    shard = FeatureShard.objects.get(slide=slide)
    features = open_shard(files.path_of(shard.stored_name), verify=True)
    encoder = get_encoder("colour-texture")
    region = slide.regions.get(index=7)
    with open_slide(store.slide_path(slide)) as reader:
        patch = read_patch(reader, x=region.x, y=region.y, width=64, height=64, edge=encoder.input_edge)
        assert region.pixel_digest == pixel_digest(reader.read(region.x, region.y, 64, 64))
    np.testing.assert_allclose(features[7], encoder.encode(patch[None])[0], rtol=1e-2, atol=1e-2)
    assert (shard.rows, len(features)) == (24, 24)


def test_a_slide_without_given_regions_is_cut_where_it_holds_tissue(study):
    slide = smears.add_slide(study, seed=1, with_regions=False)
    base.run_ready(study)
    slide.refresh_from_db()
    assert slide.state == SlideState.TILED
    assert 0 < slide.region_count <= 24
    assert 0 < slide.tissue_share < 1
    rows = slide.regions.order_by("index")
    assert [row.index for row in rows] == list(range(slide.region_count))
    assert all(row.pixel_digest and row.width == row.height == 64 for row in rows)


def test_reading_a_slide_again_changes_nothing(study):
    slide = smears.add_slide(study, seed=1)
    base.run_ready(study)
    before = list(Region.objects.order_by("pk").values()), list(FeatureShard.objects.values())
    for job in Job.objects.filter(study=study):
        jobs.retry(job=job)
    assert base.run_ready(study) == 2
    assert (list(Region.objects.order_by("pk").values()), list(FeatureShard.objects.values())) == before
    assert slide.feature_shards.count() == 1


def test_a_corrupted_slide_fails_with_a_sentence_and_the_others_go_on(study):
    broken, whole = smears.add_slide(study, seed=1), smears.add_slide(study, seed=2)
    path = store.slide_path(broken)
    path.write_bytes(path.read_bytes()[:300])
    base.run_ready(study)
    broken.refresh_from_db(), whole.refresh_from_db()
    assert (broken.state, whole.state) == (SlideState.FAILED, SlideState.TILED)
    job = Job.objects.get(study=study, kind=JobKind.TILE_SLIDE, key=broken.public_id)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert broken.failure == job.error != ""
    assert str(path.parent) not in broken.failure


def test_a_failed_slide_can_be_tried_again_once_its_file_is_mended(study):
    slide = smears.add_slide(study, seed=1)
    path = store.slide_path(slide)
    whole = path.read_bytes()
    path.write_bytes(whole[:300])
    base.run_ready(study)
    path.write_bytes(whole)
    jobs.retry(job=Job.objects.get(study=study, kind=JobKind.TILE_SLIDE))
    base.run_ready(study)
    slide.refresh_from_db()
    assert (slide.state, slide.failure) == (SlideState.TILED, "")


def test_a_slide_without_tissue_says_so(study):
    slide = smears.add_slide(study, seed=1, with_regions=False)
    smears.Image.new("RGB", (384, 256), (240, 240, 240)).save(store.slide_path(slide))
    base.run_ready(study)
    slide.refresh_from_db()
    assert slide.state == SlideState.FAILED
    assert "No square of 64 px holds enough tissue" in slide.failure


def test_features_of_the_same_pixels_are_computed_once_for_all_studies(study):
    smears.add_slide(study, seed=1)
    base.run_ready(study)
    shard = FeatureShard.objects.get()
    written = files.path_of(shard.stored_name).stat()
    copy = factories.study(state="draft")
    smears.add_slide(copy, seed=1)
    base.run_ready(copy)
    assert set(FeatureShard.objects.values_list("stored_name")) == {(shard.stored_name,)}
    assert files.path_of(shard.stored_name).stat().st_mtime_ns == written.st_mtime_ns


def test_a_damaged_shard_is_computed_again(study):
    slide = smears.add_slide(study, seed=1)
    base.run_ready(study)
    shard = FeatureShard.objects.get()
    path = files.path_of(shard.stored_name)
    path.write_bytes(path.read_bytes()[:-10])
    FeatureShard.objects.all().delete()
    jobs.retry(job=Job.objects.get(study=study, kind=JobKind.EMBED_SLIDE))
    base.run_ready(study)
    assert FeatureShard.objects.get(slide=slide).checksum == shard.checksum
    open_shard(path, verify=True)


def test_an_unknown_encoder_is_named_with_the_known_ones(study):
    smears.add_slide(study, seed=1)
    study.policy_values = {"encoder": "magic"}
    study.save()
    base.run_ready(study)
    job = Job.objects.get(study=study, kind=JobKind.EMBED_SLIDE)
    assert job.state == JobState.FAILED
    assert "'magic'" in job.error and "colour-texture" in job.error
