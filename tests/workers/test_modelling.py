"""Which model version is the active one, and who may say so."""

import pytest

from annotation.errors import BadInput, Refused
from annotation.models import FeatureShard, Job, ModelVersion, TrainingSet
from annotation.services import modelling
from annotation.states import JobKind, ModelState, Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study()


def candidate(study, digest="a"):
    made, _ = TrainingSet.objects.get_or_create(
        study=study,
        digest=digest,
        defaults={"revision_ids": [], "protocol": study.protocol, "created_at": study.created_at},
    )
    return modelling.register_candidate(
        training_set=made,
        digest=digest,
        configuration_digest="c",
        encoder="colour-texture",
        encoder_digest="e",
        class_codes=["a", "b"],
        numbers={"oof": {"macro_f1": 0.5}},
    )


def promote(model, looked=True):
    return modelling.judge(model=model, promote=True, reasons=["Better."], numbers={"x": 1}, looked=looked)


def test_the_same_training_set_and_configuration_give_one_model(study):
    assert candidate(study) == candidate(study)
    assert [candidate(study, digest=name).number for name in "abca"] == [1, 2, 3, 1]


def test_one_model_is_active_and_the_one_before_it_retires(study):
    first, second = promote(candidate(study)), promote(candidate(study, "b"))
    first.refresh_from_db()
    assert (first.state, second.state) == (ModelState.RETIRED, ModelState.ACTIVE)
    assert second.activated_at is not None


def test_a_rejected_candidate_keeps_its_reasons_and_the_active_one_stays(study):
    first = promote(candidate(study))
    second = modelling.judge(
        model=candidate(study, "b"), promote=False, reasons=["Worse by 3 points."], numbers={}, looked=True
    )
    first.refresh_from_db()
    assert (first.state, second.state) == (ModelState.ACTIVE, ModelState.REJECTED)
    assert second.gate_reasons == ["Worse by 3 points."]


def test_looks_at_the_audit_sample_are_counted_over_all_models(study):
    promote(candidate(study))
    promote(candidate(study, "b"), looked=False)
    assert promote(candidate(study, "c")).audit_looks == 2


def test_a_judged_model_is_not_judged_again(study):
    model = promote(candidate(study))
    again = modelling.judge(model=model, promote=False, reasons=["No."], numbers={}, looked=True)
    assert (again.state, again.audit_looks, again.gate_reasons) == (ModelState.ACTIVE, 1, ["Better."])


def test_activation_has_every_slide_with_features_scored(study):
    for name in ("a", "b"):
        slide = factories.slide(study, tiling_digest=name)
        FeatureShard.objects.create(
            slide=slide, tiling_digest=name, encoder_digest="e", stored_name=name, checksum="c", rows=1
        )
    promote(candidate(study))
    scoring = Job.objects.filter(study=study, kind=JobKind.SCORE_SLIDE)
    expected = sorted(f"1:{public_id}" for public_id in study.slides.values_list("public_id", flat=True))
    assert sorted(scoring.values_list("key", flat=True)) == expected


def test_a_manager_goes_back_to_an_earlier_model_with_a_reason(study):
    first, _ = promote(candidate(study)), promote(candidate(study, "b"))
    manager = factories.member(study, Role.MANAGER)
    modelling.rollback(study=study, model=first, member=manager, reason="It missed blasts.")
    assert ModelVersion.objects.get(study=study, state=ModelState.ACTIVE) == first
    first.refresh_from_db()
    assert first.gate_reasons[-1] == f"Made active by {manager.pseudonym}: It missed blasts."


def test_only_a_manager_of_the_study_with_a_reason_goes_back(study):
    first, _ = promote(candidate(study)), promote(candidate(study, "b"))
    annotator, manager = factories.member(study), factories.member(study, Role.MANAGER)
    stranger = factories.member(factories.study(), Role.MANAGER)
    with pytest.raises(Refused, match="Only a manager"):
        modelling.rollback(study=study, model=first, member=annotator, reason="x")
    with pytest.raises(BadInput, match="needs a reason"):
        modelling.rollback(study=study, model=first, member=manager, reason=" ")
    with pytest.raises(BadInput, match="must belong to the study"):
        modelling.rollback(study=study, model=first, member=stranger, reason="x")
