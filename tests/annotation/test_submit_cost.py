"""What a submit costs the database, up to and with the question what is due next."""

import pytest

from annotation.models import GroundTruthRevision
from annotation.services import queue
from tests import factories

pytestmark = pytest.mark.django_db

SETTLING_QUERIES = 31


def test_a_submit_that_settles_a_region_stays_within_its_queries(
    django_capture_on_commit_callbacks, django_assert_max_num_queries
):
    study = factories.study(policy={"planted_check_rate": 0.0})
    factories.pick(factories.region(factories.slide(study)))
    first, second = factories.member(study), factories.member(study)
    answer = {"kind": "class", "label": "neutrophil"}
    lease = queue.claim(member=first)
    queue.submit(member=first, token=lease.token, answer=answer, idempotency_key="first")
    lease = queue.claim(member=second)
    with django_assert_max_num_queries(SETTLING_QUERIES), django_capture_on_commit_callbacks(execute=True):
        queue.submit(member=second, token=lease.token, answer=answer, idempotency_key="second")
    assert GroundTruthRevision.objects.get(study=study).is_settled
