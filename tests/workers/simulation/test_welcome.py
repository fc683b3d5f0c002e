import pytest
from django.contrib.auth import authenticate

from annotation.services import queue
from annotation.states import StudyState
from tests import factories
from workers.simulation import demo

pytestmark = pytest.mark.django_db


def test_a_visitor_finds_an_open_study_with_work_after_the_script_is_done():
    study = factories.study(policy={"min_overlap": 2})
    factories.pick(factories.region(factories.slide(study)))
    study.state = StudyState.CLOSED
    study.save(update_fields=["state"])
    name = demo.welcome(study=study, password="a long password")
    study.refresh_from_db()
    user = authenticate(username=name, password="a long password")
    assert study.state == StudyState.RUNNING
    assert user is not None and not user.is_staff
    assert queue.claim(member=user.memberships.get(study=study)) is not None


def test_welcoming_twice_keeps_one_visitor():
    study = factories.study()
    demo.welcome(study=study, password="one")
    demo.welcome(study=study, password="two")
    assert study.memberships.count() == 1
    assert authenticate(username=demo.VISITOR, password="two") is not None
