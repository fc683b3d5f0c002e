"""A model's word may end the asking about a region or prolong it, where a study allows it; it names no label."""

import pytest

from annotation.services import consensus
from annotation.states import PickState
from tests import factories
from tests.annotation.answering import submit

pytestmark = pytest.mark.django_db
SAID, OTHER = factories.CODES[:2]


@pytest.mark.parametrize(
    ("may_support", "predicted", "top", "answers"),
    [
        (True, SAID, 0.99, 1),
        (True, SAID, 0.3, 2),
        (True, OTHER, 0.95, 3),
        (True, OTHER, 0.3, 2),
        (True, "", 0.0, 2),
        (False, SAID, 0.99, 2),
        (False, OTHER, 0.95, 2),
    ],
)
def test_a_region_takes_as_many_answers_as_people_and_model_leave_open(may_support, predicted, top, answers):
    policy = {"min_overlap": 1, "planted_check_rate": 0.0, "rare_share": 0.0, "model_may_support": may_support}
    study = factories.study(policy=policy)
    slide = factories.slide(study)
    people = [factories.member(study) for _ in range(3)]
    for _ in range(6):
        factories.pick(factories.region(slide), slots=2)
        for person in people[:2]:
            submit(person, SAID)
    consensus.refit(study=study)
    pick = factories.pick(factories.region(slide), slots=1, parts={"predicted": predicted, "top": top})
    for person in people[:answers]:
        pick.refresh_from_db()
        assert pick.state == PickState.OPEN
        submit(person, SAID)
    pick.refresh_from_db()
    assert pick.state == PickState.SETTLED
    pick.region.refresh_from_db()
    assert pick.region.current_revision.label == SAID


def test_people_who_contradict_each_other_are_followed_by_somebody_though_the_class_is_common():
    study = factories.study(policy={"planted_check_rate": 0.0, "max_overlap": 3})
    slide = factories.slide(study)
    ana, ben = (factories.member(study) for _ in range(2))
    for _ in range(12):
        factories.pick(factories.region(slide), slots=2)
        submit(ana, SAID)
        submit(ben, SAID)
    found = consensus.refit(study=study)
    assert found is not None and found.prior[found.class_codes.index(SAID)] > 0.6
    pick = factories.pick(factories.region(slide), slots=2, overlap=3)
    submit(ana, SAID)
    submit(ben, OTHER)
    pick.refresh_from_db()
    assert (pick.state, pick.slots_open) == (PickState.OPEN, 1)
