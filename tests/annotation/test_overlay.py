import numpy as np
import pytest
from django.utils import timezone

from annotation import store
from annotation.models import Annotation, Assignment, GroundTruthRevision, ModelVersion, Region, ScoreFile, TrainingSet
from annotation.selectors import overlay, slides
from annotation.services import queue
from annotation.states import AssignmentKind, AssignmentState, AuditHalf, Method, ModelState, RegionState, SlideState
from learning.query import scores as score_files
from learning.query.scores import Scores
from tests import factories
from tests.annotation.api import scene as scenes

REGIONS = 6


@pytest.fixture
def study(db, settings, tmp_path):
    settings.STORE = tmp_path / "store"
    return factories.study(policy={"planted_check_rate": 0.0, "min_overlap": 2})


@pytest.fixture
def slide(study):
    return cut(factories.slide(study))


def cut(slide, count=REGIONS, **fields):
    for _ in range(count):
        factories.region(slide, **fields)
    slide.region_count = count
    slide.save()
    return slide


def settle(region, label):
    revision = GroundTruthRevision.objects.create(
        study=region.study, region=region, number=1, is_settled=True, label=label, method=Method.MAJORITY,
        answer={"kind": "class", "label": label}, protocol=region.study.protocol, created_at=timezone.now(),
    )  # fmt: skip
    Region.objects.filter(pk=region.pk).update(state=RegionState.SETTLED, current_revision=revision)


def activate_model(study, codes=factories.CODES):
    now = timezone.now()
    learned = TrainingSet.objects.create(
        study=study, digest="1" * 64, revision_ids=[], protocol=study.protocol, created_at=now
    )
    return ModelVersion.objects.create(
        study=study, number=1, digest="2" * 64, state=ModelState.ACTIVE, training_set=learned, encoder="colour-texture",
        configuration_digest="3" * 64, encoder_digest="4" * 64, class_codes=list(codes), created_at=now,
    )  # fmt: skip


def score(slide, model, *, entropy, best):
    columns = Scores.allocate(len(entropy))
    columns.entropy[:], columns.top1[:] = entropy, best
    score_files.save(store.root() / "scores/one.npz", columns)
    return ScoreFile.objects.create(model=model, slide=slide, stored_name="scores/one.npz", rows=len(entropy))


def test_columns_stand_in_the_order_of_indices(slide):
    found = overlay.of_slide(slide)
    rows = list(slide.regions.order_by("index"))
    assert found.count == REGIONS
    assert found.ids.split(" ") == [row.public_id for row in rows]
    assert [int(x) for x in found.x.split(",")] == [row.x for row in rows]
    assert [int(y) for y in found.y.split(",")] == [row.y for row in rows]
    assert (found.size, found.width, found.height) == ([64, 64], "", "")
    assert {found.states[int(digit)] for digit in found.state} == {RegionState.POOL}


def test_regions_of_many_sizes_carry_their_own(slide):
    factories.region(slide, x=900, y=0, width=10, height=20)
    found = overlay.of_slide(slide)
    assert found.size is None
    assert found.width == "64," * REGIONS + "10"
    assert found.height == "64," * REGIONS + "20"


def test_a_slide_without_regions_has_empty_columns(study):
    found = overlay.of_slide(factories.slide(study))
    assert (found.count, found.ids, found.x, found.state, found.size) == (0, "", "", "", None)


def test_truth_names_settled_regions_and_their_class(slide):
    first, second, *_ = slide.regions.order_by("index")
    settle(first, "monocyte")
    settle(second, "lymphocyte")
    found = overlay.of_slide(slide)
    assert {index: found.truth.codes[code] for index, code in zip(found.truth.at, found.truth.code, strict=True)} == {
        0: "monocyte",
        1: "lymphocyte",
    }
    assert [found.states[int(digit)] for digit in found.state[:3]] == ["settled", "settled", "pool"]


def test_answers_count_each_person_once_and_not_what_was_taken_back_or_a_check(slide, django_assert_num_queries):
    study = slide.study
    region = slide.regions.order_by("index")[2]
    factories.pick(region, slots=3)
    people = [factories.member(study) for _ in range(3)]
    for place, member in enumerate(people):
        lease = queue.claim(member=member)
        answer = {"kind": "class", "label": "monocyte"}
        queue.submit(member=member, token=lease.token, answer=answer, idempotency_key=f"k{place}")
    queue.undo(member=people[1], token=lease_of(people[1]).token, idempotency_key="u")
    repeat = Assignment.objects.create(
        study=study, region=region, annotator=people[0], kind=AssignmentKind.REPEAT, state=AssignmentState.SUBMITTED,
        leased_at=timezone.now(), expires_at=timezone.now(),
    )  # fmt: skip
    Annotation.objects.create(
        study=study, region=region, annotator=people[0], number=2, assignment=repeat, protocol=study.protocol,
        assignment_kind=AssignmentKind.REPEAT, kind="class", label="monocyte", idempotency_key="r",
        created_at=timezone.now(),
    )  # fmt: skip
    with django_assert_num_queries(4):
        found = overlay.of_slide(slide).answers
    given = [(index, found.annotators[by]) for index, by in zip(found.at, found.by, strict=True)]
    assert given == [(2, people[0].pseudonym), (2, people[2].pseudonym)]


def lease_of(member):
    return Assignment.objects.get(annotator=member, state=AssignmentState.SUBMITTED)


def test_uncertainty_is_the_share_of_the_largest_entropy(slide, django_assert_num_queries):
    model = activate_model(slide.study)
    score(slide, model, entropy=[0, np.log(3), np.log(3) / 2, 0, 0, 0], best=[0, 1, 2, 0, 0, 0])
    with django_assert_num_queries(5):
        found = overlay.of_slide(slide).uncertainty
    assert (found.model, found.why) == (1, "")
    assert list(bytes.fromhex(found.percent)) == [0, 100, 50, 0, 0, 0]
    assert [found.codes[place] for place in bytes.fromhex(found.predicted)][:3] == list(factories.CODES)


def test_without_scores_a_sentence_says_why(study, slide):
    assert "No model is active yet" in overlay.of_slide(slide).uncertainty.why
    model = activate_model(study)
    assert "has not scored this slide yet" in overlay.of_slide(slide).uncertainty.why
    file = score(slide, model, entropy=[0.5] * 4, best=[0] * 4)
    assert "other regions" in overlay.of_slide(slide).uncertainty.why
    (store.root() / file.stored_name).write_bytes(b"PK\x03\x04 no archive")
    assert "lost or damaged" in overlay.of_slide(slide).uncertainty.why
    audit = factories.slide(study, case=factories.case(study, "audit", audit_half=AuditHalf.GATE))
    assert "audit sample" in overlay.of_slide(audit).uncertainty.why


def test_an_unchanged_overlay_is_not_sent_twice(db, settings, tmp_path):
    settings.STORE = tmp_path / "store"
    scene = scenes.build()
    client = scene.client("manager")
    url = f"{scene.base}slides/{scene.slide.public_id}/overlay/"
    first = client.get(url)
    assert first.json()["count"] == 1
    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    settle(scene.region, "monocyte")
    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_list_shows_the_settled_share_and_sorts_by_it(study, slide, django_assert_num_queries):
    settle(slide.regions.first(), "monocyte")
    untouched = cut(factories.slide(study))
    waiting = factories.slide(study, state=SlideState.REGISTERED)
    with django_assert_num_queries(3):
        found = slides.page(study, filters={}, sort="-settled")
    assert [row.slide for row in found.rows] == [slide, untouched, waiting]
    assert [row.share for row in found.rows] == [pytest.approx(1 / REGIONS), 0.0, None]


def test_the_list_filters_by_state_and_domain_and_is_paged(study):
    for number in range(slides.PAGE + 2):
        state = SlideState.FAILED if number == 0 else SlideState.TILED
        factories.slide(study, state=state)
    found = slides.page(study, filters={"state": "tiled"}, number=2)
    assert (len(found.rows), found.total, found.pages) == (1, slides.PAGE + 1, 2)
    assert slides.page(study, filters={"state": "tiled"}, number=99).number == 2
    assert slides.page(study, filters={"domain__name": "elsewhere"}).rows == []


def test_neighbours_follow_the_ids(study):
    first, second, third = sorted((factories.slide(study) for _ in range(3)), key=lambda one: one.public_id)
    assert slides.neighbours(first) == (None, second.public_id)
    assert slides.neighbours(second) == (first.public_id, third.public_id)
