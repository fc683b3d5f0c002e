"""The pool as arrays: which rows may be picked, which count as taken, whatever the regions' indices look like."""

import numpy as np
import pytest

from annotation.models import Pick, Region
from annotation.services import reading
from annotation.states import RegionState, Stratum
from learning.features import write_shard
from tests import factories
from workers import files
from workers.pool import read_pool

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path


@pytest.fixture
def study():
    return factories.study()


def add_slide(study, *, regions=6, audit_half="", name="case"):
    case = factories.case(study, f"{name}{audit_half}", audit_half=audit_half)
    slide = factories.slide(study, case=case, tiling_digest="t", region_count=regions)
    for _ in range(regions):
        factories.region(slide)
    stored = files.shard_name(slide, "e")
    checksum = write_shard(files.path_of(stored), np.full((regions, 4), slide.pk % 97, dtype=np.float16))
    reading.record_shard(slide=slide, encoder_digest="e", stored_name=stored, checksum=checksum, rows=regions)
    return slide


def read(study):
    return read_pool(study, encoder_digest="e", model=None)


def named(pool, rows):
    return [(region.slide_id, region.index) for region in pool.find_regions(rows)]


def in_order(regions):
    return list(regions.order_by("slide__public_id", "index").values_list("slide_id", "index"))


def test_rows_are_the_regions_of_the_pool_by_slide_and_index(study):
    for _ in range(3):
        add_slide(study)
    add_slide(study, audit_half="gate")
    pool = read(study)
    assert named(pool, pool.available) == in_order(Region.objects.filter(study=study, audit_half=""))
    assert len(pool.features) == 24 and len(pool.available) == 18
    assert len(pool.taken) == 0
    slides = [region.slide_id for region in pool.find_regions(pool.available)]
    np.testing.assert_array_equal(pool.features.take(pool.available)[:, 0], [pk % 97 for pk in slides])


def test_settled_and_asked_regions_are_taken_and_what_a_batch_takes_back_is_available(study):
    slide = add_slide(study)
    withdrawable, begun, settled, excluded, *pool_regions = slide.regions.order_by("index")
    factories.pick(withdrawable, stratum=Stratum.RANKED)
    factories.pick(begun, stratum=Stratum.RANKED, has_begun=True)
    Region.objects.filter(pk=settled.pk).update(state=RegionState.SETTLED)
    Region.objects.filter(pk=excluded.pk).update(state=RegionState.EXCLUDED)
    pool = read(study)
    assert pool.find_regions(pool.available) == [withdrawable, *pool_regions]
    assert pool.find_regions(pool.taken) == [begun, settled]
    Pick.objects.filter(region=withdrawable).update(skips=1)
    pool = read(study)
    assert pool.find_regions(pool.taken) == [withdrawable, begun, settled]


def test_regions_that_are_gone_leave_gaps_in_the_rows(study):
    slide, other = add_slide(study), add_slide(study)
    slide.regions.filter(index__in=[0, 3]).delete()
    other.regions.exclude(index=5).delete()
    pool = read(study)
    assert sorted(named(pool, pool.available)) == sorted([(slide.pk, at) for at in (1, 2, 4, 5)] + [(other.pk, 5)])


def test_slides_without_features_are_not_in_the_pool(study):
    factories.region(factories.slide(study, tiling_digest="t"))
    assert len(read(study).available) == 0
    slide = add_slide(study)
    pool = read(study)
    assert pool.find_regions(pool.available) == list(slide.regions.order_by("index"))


def test_reading_the_pool_takes_the_same_queries_for_any_number_of_slides(study, django_assert_num_queries):
    add_slide(study)
    with django_assert_num_queries(4):
        read(study)
    for _ in range(4):
        add_slide(study)
    with django_assert_num_queries(4):
        read(study)
