"""Any sequence of versions, answers and undos: no answer is lost, and what is settled is settled in today's classes."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation import mapping
from annotation.errors import ClassesChanged, Conflict
from annotation.models import Annotation, Assignment, Pick, Protocol, Region, Study
from annotation.services import ledger, queue, truth
from annotation.states import AssignmentState, Method, RegionState
from tests import factories
from tests.annotation.answering import answer
from tests.annotation.protocol_changes import (
    MERGED,
    REDEFINED,
    RENAMED,
    RETIRED,
    SAME,
    SPLIT,
    change,
    study,
)

pytestmark = pytest.mark.django_db
POLICY = {"target_confidence": 0.7, "max_overlap": 3, "planted_check_rate": 0.0, "audit_rate": 0.0}
REGIONS, STEPS = 5, 14


class Walk:
    """One study and what must be true of it, kept apart from what the application believes."""

    def __init__(self, data: st.DataObject) -> None:
        self.draw = data.draw
        self.fresh: Iterator[str] = (f"k{number}" for number in count())
        self.codes = [next(self.fresh) for _ in range(4)]
        self.study: Study = study(self.codes, policy=POLICY)
        self.people = [factories.member(self.study) for _ in range(3)]
        for place in range(REGIONS):
            factories.pick(factories.region(factories.slide(self.study)), rank=place)
        self.steps: list[dict[str, str]] = []
        self.written = 0
        self.leases: list[tuple[Assignment, int, list[str]]] = []

    def claim(self) -> None:
        lease = queue.claim(member=self.draw(st.sampled_from(self.people)))
        if lease is not None and lease.token not in {held.token for held, *_ in self.leases}:
            self.leases.append((lease, self.version, self.codes))

    def submit(self) -> None:
        """Answer under the classes that were seen when the region was claimed, however old they are by now."""
        if not self.leases:
            return self.claim()
        lease, version, codes = self.leases.pop(self.draw(st.integers(0, len(self.leases) - 1)))
        label = self.draw(st.sampled_from(codes))
        send = {"member": lease.annotator, "token": lease.token, "idempotency_key": lease.token}
        try:
            queue.submit(**send, answer=answer(label), protocol=version)
            assert self.today(version, label)
        except ClassesChanged:
            assert not self.today(version, label)
            queue.submit(**send, answer=answer(self.draw(st.sampled_from(self.codes))), protocol=self.version)
        self.written += 1
        return None

    def undo(self) -> None:
        done = Assignment.objects.filter(study=self.study, state=AssignmentState.SUBMITTED).order_by("-pk").first()
        if done is None:
            return
        try:
            lease = queue.undo(member=done.annotator, token=done.token, idempotency_key=f"u{done.pk}")
        except Conflict:
            return
        self.written += 1
        self.leases.append((lease, self.version, self.codes))

    def publish(self) -> None:
        plans, codes = self._plan()
        self.steps.append(
            {
                source: targets[0]
                for source, (kind, *targets) in plans.items()
                if kind in (SAME, RENAMED, MERGED, RETIRED) and targets
            }
        )
        self.study = change(self.study, codes, plans)
        self.codes = codes

    def _plan(self) -> tuple[dict, list[str]]:
        """How each class goes on, drawn so that it holds together."""
        plans: dict[str, tuple] = {}
        left = list(self.draw(st.permutations(self.codes)))
        if len(left) > 3 and self.draw(st.booleans()):
            into = next(self.fresh)
            plans |= {left.pop(): (MERGED, into), left.pop(): (MERGED, into)}
        for code in left:
            kind = self.draw(st.sampled_from([SAME, SAME, RENAMED, REDEFINED, SPLIT, RETIRED]))
            if kind == RETIRED and len(left) < 4 or kind == SPLIT and len(self.codes) > 6:
                kind = SAME
            if kind == SPLIT:
                plans[code] = (SPLIT, code, next(self.fresh))
            elif kind == RETIRED:
                plans[code] = (RETIRED,)
            else:
                plans[code] = (kind, next(self.fresh) if kind == RENAMED else code)
        kept = {target for plan in plans.values() for target in plan[1:]}
        if len(kept) < 2:
            return {code: (SAME, code) for code in self.codes}, self.codes
        return plans, sorted(kept)

    @property
    def version(self) -> int:
        return len(self.steps) + 1

    def today(self, version: int, code: str) -> str:
        """What a class of `version` is called now, by following every step; "" where one does not go on exactly."""
        for step in self.steps[version - 1 :]:
            code = step.get(code, "")
        return code

    def check(self) -> None:
        """What holds at every moment."""
        assert Annotation.objects.filter(study=self.study).count() == self.written
        table = mapping.exact_codes(self.study)
        for protocol in Protocol.objects.filter(study=self.study):
            expected = {code: self.today(protocol.number, code) for code in protocol.codes}
            assert table[protocol.pk] == {code: name for code, name in expected.items() if name}
        for region in Region.objects.filter(study=self.study).select_related("current_revision__protocol"):
            now = region.current_revision
            asked = Pick.objects.filter(region=region, state__in=truth.LIVE_PICKS).exists()
            assert asked == (region.state in (RegionState.QUEUED, RegionState.ADJUDICATION))
            if region.state == RegionState.SETTLED:
                assert now.is_settled and self.today(now.protocol.number, now.label) in self.codes
            if now is not None and now.is_settled and now.method == Method.MAPPING:
                assert sum(now.posterior.values()) == pytest.approx(1.0)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_versions_and_answers_in_any_order_keep_every_promise(data: st.DataObject) -> None:
    _walk(data)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_versions_and_answers_in_many_orders_keep_every_promise(data: st.DataObject) -> None:
    _walk(data)


def _walk(data: st.DataObject) -> None:
    walk = Walk(data)
    acts = [walk.claim, walk.submit, walk.submit, walk.submit, walk.undo, walk.publish]
    for _ in range(STEPS):
        walk.draw(st.sampled_from(acts))()
    walk.check()
    assert ledger.verify(walk.study).ok
