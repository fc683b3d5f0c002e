"""Who falls off weighs less and settles nothing alone, until the checks are good again; and the manager is told."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from annotation.models import Annotation, Assignment, Membership, Region, ReliabilitySnapshot, Study
from annotation.selectors.dashboard import Board, Filters, Reading, actions
from annotation.services import consensus
from annotation.states import AnswerKind, AssignmentKind, AssignmentState, PickState
from tests import factories
from tests.annotation.answering import submit

pytestmark = pytest.mark.django_db
RIGHT, WRONG = factories.CODES[:2]


@pytest.fixture
def study():
    return factories.study(policy={"min_overlap": 1, "planted_check_rate": 0.0, "single_reliability": 0.5,
                                   "rare_share": 0.0, "target_confidence": 0.6})  # fmt: skip


def check(member: Membership, labels: list[str]) -> None:
    """Answers of `member` to gold, written at once: the queue's way takes a second for thirty."""
    study, start = member.study, Annotation.objects.count()
    slide = study.slides.first()
    at = timezone.now()
    regions = Region.objects.bulk_create(
        Region(study=study, slide=slide, index=500 + start + n, x=n, y=900 + start, width=9, height=9,
               public_id=f"{start + n:020x}")
        for n in range(len(labels))
    )  # fmt: skip
    for region in regions:
        factories.gold(region, label=RIGHT)
    leases = Assignment.objects.bulk_create(
        Assignment(study=study, region=region, annotator=member, kind=AssignmentKind.GOLD, leased_at=at,
                   expires_at=at, state=AssignmentState.SUBMITTED)
        for region in regions
    )  # fmt: skip
    Annotation.objects.bulk_create(
        Annotation(study=study, region=lease.region, annotator=member, number=1, assignment=lease,
                   assignment_kind=lease.kind, protocol=study.protocol, kind=AnswerKind.CLASS, label=label,
                   answer={"kind": "class", "label": label}, idempotency_key=lease.token,
                   created_at=at + timedelta(seconds=n))
        for n, (lease, label) in enumerate(zip(leases, labels, strict=True))
    )  # fmt: skip


def refit(study: Study) -> ReliabilitySnapshot:
    found = consensus.refit(study=study)
    assert found is not None
    return found


def test_drift_is_noticed_weighs_less_settles_nothing_alone_and_is_forgiven(study):
    slide = factories.slide(study)
    ana, ben = factories.member(study), factories.member(study)
    for _ in range(8):
        factories.pick(factories.region(slide), slots=2)
        submit(ana, RIGHT)
        submit(ben, RIGHT)
    check(ana, [RIGHT] * 100)
    before = refit(study)
    assert before.reliability[ana.pseudonym]["drift"] is None

    # One answer of somebody sound settles, as this study allows.
    pick = factories.pick(factories.region(slide), slots=1)
    submit(ana, RIGHT)
    pick.refresh_from_db()
    assert pick.state == PickState.SETTLED

    check(ana, [RIGHT, WRONG] * 25)
    after = refit(study)
    drift = after.reliability[ana.pseudonym]["drift"]
    assert drift["before"] > 0.95 and 0.4 < drift["now"] < 0.75
    diagonals = [np.diagonal(np.array(one.confusion[ana.pseudonym])) for one in (before, after)]
    assert (diagonals[1] < 0.8 * diagonals[0]).all()
    assert after.reliability[ben.pseudonym]["drift"] is None

    pick = factories.pick(factories.region(slide), slots=1)
    submit(ana, RIGHT)
    pick.refresh_from_db()
    assert (pick.state, pick.slots_open) == (PickState.OPEN, 1)
    submit(ben, RIGHT)
    pick.refresh_from_db()
    assert pick.state == PickState.SETTLED
    said = [one.what for one in actions.read(Board(Reading(study), Filters()))]
    assert any(one.startswith(f"{ana.pseudonym} has fallen off since") for one in said)

    check(ana, [RIGHT] * 60)
    assert refit(study).reliability[ana.pseudonym]["drift"] is None
