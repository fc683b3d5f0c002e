"""The orders of the gallery: what they depend on, and what they must not tell."""

import numpy as np
import pytest
from django.conf import settings

from annotation.models import Assignment, FeatureShard, Slide
from annotation.selectors import arrangement
from annotation.services import queue
from tests import factories
from tests.annotation.answering import submit

pytestmark = pytest.mark.django_db

CELLS = 12
# The time, the leases, the shards.
QUERIES = 3


@pytest.fixture
def study():
    return factories.study(policy={"planted_check_rate": 0.0, "suggestion_control_share": 0.0})


@pytest.fixture
def slides(study):
    made = [factories.slide(study, tiling_digest="t" * 64) for _ in range(2)]
    for place in range(CELLS):
        parts = {"predicted": factories.CODES[place % 2], "top": 0.5 + place / 40}
        factories.pick(factories.region(made[place % 2]), parts=parts)
    return made


def write_features(slide: Slide, *, encoder: str = "e", tiling: str = "t") -> None:
    """Two kinds of regions on each slide, told apart by the first column."""
    name = f"features/test/{slide.checksum}-{encoder}{tiling}.npy"
    path = settings.STORE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.zeros((CELLS // 2, 3), dtype=np.float16)
    rows[:, 0] = np.arange(len(rows)) % 2 * 10
    np.save(path, rows)
    FeatureShard.objects.create(
        slide=slide,
        tiling_digest=tiling * 64,
        encoder_digest=encoder * 64,
        stored_name=name,
        checksum="c",
        rows=len(rows),
    )


def regions_of(tokens):
    rows = {row.token: row.region for row in Assignment.objects.select_related("region__slide")}
    return [rows[token] for token in tokens]


def test_slide_order_goes_slide_by_slide_and_place_by_place(study, slides):
    ann = factories.member(study)
    queue.claim_batch(member=ann, count=CELLS)
    found = regions_of(arrangement.of_member(study=study, member=ann).slide)
    assert [(row.slide.public_id, row.index) for row in found] == sorted(
        (row.slide.public_id, row.index) for row in found
    )
    assert len(found) == CELLS


def test_like_regions_of_different_slides_stand_together(study, slides, django_assert_num_queries):
    for slide in slides:
        write_features(slide)
        write_features(slide, encoder="f", tiling="o")
    ann = factories.member(study)
    queue.claim_batch(member=ann, count=CELLS)
    with django_assert_num_queries(QUERIES):
        found = arrangement.of_member(study=study, member=ann)
    kinds = [row.index % 2 for row in regions_of(found.similarity)]
    assert np.count_nonzero(np.diff(kinds)) == 1
    assert (len(kinds), found.unlike) == (CELLS, 0)


def test_regions_without_features_come_last_and_are_counted(study, slides):
    ann = factories.member(study)
    queue.claim_batch(member=ann, count=CELLS)
    assert arrangement.of_member(study=study, member=ann).similarity is None
    write_features(slides[1])
    found = arrangement.of_member(study=study, member=ann)
    assert {row.slide_id for row in regions_of(found.similarity[-found.unlike :])} == {slides[0].pk}
    assert len(found.similarity) == CELLS


def test_lost_features_are_like_none(study, slides):
    write_features(slides[0])
    (settings.STORE / FeatureShard.objects.get().stored_name).unlink()
    ann = factories.member(study)
    queue.claim_batch(member=ann, count=CELLS)
    assert arrangement.of_member(study=study, member=ann).similarity is None


def test_the_models_orders_are_there_only_where_the_study_shows_suggestions(study, slides):
    ann = factories.member(study)
    queue.claim_batch(member=ann, count=CELLS)
    hidden = arrangement.of_member(study=study, member=ann)
    assert (hidden.suggestion, hidden.uncertainty) == (None, None)
    study.policy_values["show_suggestions"] = True
    study.save()
    other = factories.member(study)
    queue.claim_batch(member=other, count=CELLS)
    # As for somebody in the control share: this one region has no suggestion, so nothing of the model may order it.
    blind = Assignment.objects.filter(annotator=other, pick__parts__top=0.5).get()
    Assignment.objects.filter(pk=blind.pk).update(suggestion="")
    shown = arrangement.of_member(study=study, member=other)
    leases = {row.token: row for row in Assignment.objects.filter(annotator=other).select_related("pick")}
    codes = [leases[token].suggestion for token in shown.suggestion]
    assert codes == [*sorted(codes[:-1]), ""]
    least_sure = [leases[token].pick.parts["top"] for token in shown.uncertainty]
    assert least_sure == [*sorted(least_sure[:-1]), 0.5]


def test_no_order_changes_when_others_answer(study, slides):
    for slide in slides:
        write_features(slide)
    ann = factories.member(study)
    queue.claim_batch(member=ann, count=CELLS)
    before = arrangement.of_member(study=study, member=ann)
    other = factories.member(study)
    for _ in range(CELLS):
        submit(other, "lymphocyte")
    assert arrangement.of_member(study=study, member=ann) == before


def test_nobody_elses_leases_are_in_an_order(study, slides):
    other = factories.member(study)
    queue.claim_batch(member=other, count=3)
    assert arrangement.of_member(study=study, member=factories.member(study)).slide == []
