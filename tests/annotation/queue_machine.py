"""A state machine of people at the queue: any order of their actions keeps slots, picks, regions and history true.

`test_truth_machine` runs it, with what managers do on top.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from itertools import count
from typing import Any

from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from annotation import clock
from annotation.errors import BadInput, Conflict, LeaseLost, Missing
from annotation.models import Annotation, Assignment, GroundTruthRevision, Membership, Pick, Region
from annotation.services import ledger, picks, queue, reviewing, studies, truth
from annotation.states import (
    SLOT_KINDS,
    AnswerKind,
    AssignmentKind,
    AssignmentState,
    PickState,
    RegionState,
    Role,
    Stratum,
)
from tests import factories

REGIONS = 3
LABELS = st.integers(0, 1)
PEOPLE = st.integers(0, 3)
WHICH = st.integers(0, REGIONS - 1)
POLICY = {
    "min_overlap": 2,
    "max_overlap": 3,
    "max_skips": 2,
    "planted_check_rate": 0.3,
    "repeat_rate": 0.15,
    "repeat_after_answers": 1,
}


class QueueMachine(RuleBasedStateMachine):
    """Two to four annotators, the last of whom also adjudicates, over a few regions in virtual time."""

    @initialize(annotators=st.integers(1, 3), rule=st.sampled_from(["majority", "dawid-skene"]))
    def open_study(self, annotators: int, rule: str) -> None:
        self.time = ExitStack()
        self.time.enter_context(clock.virtual(clock.now()))
        self.time.enter_context(connection.execute_wrapper(self.note_writes))
        self.has_changed = True
        self.study = factories.study(policy=POLICY | {"consensus": rule})
        slide = factories.slide(self.study)
        self.regions = [factories.region(slide) for _ in range(REGIONS)]
        self.people = [factories.member(self.study) for _ in range(annotators)]
        self.people.append(factories.member(self.study, Role.ADJUDICATOR))
        self.manager = factories.member(self.study, Role.MANAGER)
        self.keys = map(str, count())
        self.sent: list[dict[str, Any]] = []
        self.acknowledged: dict[int, str] = {}
        self.undone: list[tuple[dict[str, Any], int]] = []
        self.draw_batch()

    @rule(who=PEOPLE, label=LABELS, kind=st.sampled_from(["label", "label", "adjudicate"]))
    def answer_next(self, who: int, label: int, kind: str) -> None:
        lease = self.claim(who, kind)
        if lease is not None:
            self.submit(lease, label)

    @rule(who=PEOPLE, kind=st.sampled_from(["label", "label", "adjudicate"]))
    def hold_next(self, who: int, kind: str) -> None:
        self.claim(who, kind)

    @rule(who=PEOPLE, kind=st.sampled_from(["label", "label", "adjudicate"]), count=st.integers(1, REGIONS + 1))
    def hold_batch(self, who: int, kind: str, count: int) -> None:
        person = self.person(who)
        if kind == "adjudicate" and person.role != Role.ADJUDICATOR:
            return
        held = queue.claim_batch(member=person, kind=kind, count=count)
        assert len({lease.region_id for lease in held}) == len(held) <= count
        assert queue.claim_batch(member=person, kind=kind, count=max(1, len(held))) == held
        assert self.claim(who, kind) == (held[0] if held else None)

    def claim(self, who: int, kind: str) -> Assignment | None:
        person = self.person(who)
        if kind == "adjudicate" and person.role != Role.ADJUDICATOR:
            return None
        lease = queue.claim(member=person, kind=kind)
        assert lease is None or queue.claim(member=person, kind=kind) == lease
        return lease

    @rule(which=st.integers(0, 7), label=LABELS)
    def answer_held(self, which: int, label: int) -> None:
        held = self.leases()
        if held:
            self.submit(held[which % len(held)], label)

    @rule(which=st.integers(0, 7))
    def send_again(self, which: int) -> None:
        if self.sent:
            again = self.sent[which % len(self.sent)]
            assert self.acknowledged[queue.submit(**again).pk] == again["answer"]["label"]

    @rule(which=st.integers(0, 7), what=st.sampled_from(["renew", "release", "skip", "skip"]))
    def give_up(self, which: int, what: str) -> None:
        held = self.leases()
        if not held:
            return
        lease = held[which % len(held)]
        more = {"reason": "blurred"} if what == "skip" else {}
        try:
            getattr(queue, what)(member=lease.annotator, token=lease.token, **more)
        except LeaseLost:
            assert lease.expires_at <= clock.now()

    @rule(who=PEOPLE, what=st.sampled_from(["renew_batch", "release_batch"]))
    def keep_or_give_up_batch(self, who: int, what: str) -> None:
        person = self.person(who)
        now = clock.now()
        held = [lease for lease in self.leases() if lease.annotator_id == person.pk]
        if not held:
            return
        done = getattr(queue, what)(member=person, tokens=[lease.token for lease in held])
        if done is not None:
            assert done.lost == [lease for lease in held if lease.expires_at <= now]

    @rule(which=st.integers(0, 7))
    def undo(self, which: int) -> None:
        done = Assignment.objects.filter(annotator__in=self.people, state=AssignmentState.SUBMITTED).order_by("-pk")
        if not done:
            return
        lease = done[which % len(done)]
        sent = {"member": lease.annotator, "token": lease.token, "idempotency_key": next(self.keys)}
        try:
            fresh = queue.undo(**sent)
        except Conflict:
            assert not Annotation.objects.filter(study=self.study, idempotency_key=sent["idempotency_key"]).exists()
            return
        self.undone.append((sent, fresh.pk))

    @rule(which=st.integers(0, 7))
    def undo_again(self, which: int) -> None:
        if self.undone:
            sent, lease = self.undone[which % len(self.undone)]
            assert queue.undo(**sent).pk == lease

    @rule(minutes=st.sampled_from([1, 6, 16]))
    def wait(self, minutes: int) -> None:
        clock.advance(timedelta(minutes=minutes))

    @rule()
    def sweep(self) -> None:
        queue.expire()

    @rule()
    def escalate(self) -> None:
        picks.escalate_stuck(study=self.study)

    @rule(which=WHICH)
    def recheck(self, which: int) -> None:
        picks.recheck(study=self.study, regions=[self.regions[which]], reason="looks odd")

    @rule(which=WHICH, label=LABELS, exclude=st.booleans())
    def decide(self, which: int, label: int, exclude: bool) -> None:
        answer = None if exclude else {"kind": "class", "label": self.code(label)}
        truth.decide(
            region=self.regions[which], member=self.manager, answer=answer, reason="I looked.", exclude=exclude
        )

    @rule(which=WHICH, number=st.integers(1, 4))
    def restore(self, which: int, number: int) -> None:
        with suppress(Missing, BadInput, Conflict):
            reviewing.restore(region=self.regions[which], member=self.manager, number=number, reason="It was right.")

    @rule(is_open=st.booleans())
    def drain_or_reopen(self, is_open: bool) -> None:
        if is_open:
            studies.open_study(study=self.study)
        else:
            studies.drain(study=self.study)

    @rule()
    def draw_batch(self) -> None:
        pool = Region.objects.filter(study=self.study, state=RegionState.POOL).order_by("pk")
        if not pool:
            return
        specs = [
            picks.PickSpec(region_id=region.pk, rank=rank, stratum=Stratum.RANKED) for rank, region in enumerate(pool)
        ]
        picks.queue_batch(
            study=self.study, number=picks.next_number(self.study), strategy="random", seed=0, specs=specs
        )

    def code(self, label: int) -> str:
        """One of the two classes that people give."""
        return factories.CODES[label]

    def version(self) -> int:
        """The number of the rules that people see."""
        return 1

    def person(self, who: int) -> Membership:
        return self.people[who % len(self.people)]

    def leases(self) -> list[Assignment]:
        held = Assignment.objects.filter(annotator__in=self.people, state=AssignmentState.LEASED)
        return list(held.select_related("annotator").order_by("pk"))

    def submit(self, lease: Assignment, label: int) -> None:
        sent = {
            "member": lease.annotator,
            "token": lease.token,
            "answer": {"kind": "class", "label": self.code(label)},
            "idempotency_key": next(self.keys),
            "reason": "Clear." if lease.kind == "adjudicate" else "",
            "protocol": self.version(),
        }
        try:
            row = queue.submit(**sent)
        except LeaseLost:
            assert lease.expires_at <= clock.now() and lease.drafts.exists()
            return
        assert row.pk not in self.acknowledged
        self.acknowledged[row.pk] = row.label
        self.sent.append(sent)

    def note_writes(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        self.has_changed = self.has_changed or sql.startswith(("INSERT", "UPDATE", "DELETE"))
        return execute(sql, *arguments)

    @invariant()
    def everything_agrees_after_each_change(self) -> None:
        if self.has_changed:
            self.everything_agrees()
            self.has_changed = False

    def everything_agrees(self) -> None:
        answers = list(Annotation.objects.filter(study=self.study).order_by("id"))
        given = {row.pk: row.label for row in answers if row.kind != AnswerKind.WITHDRAWN}
        assert given == self.acknowledged
        assert len(answers) - len(given) == len(self.undone)
        revisions = list(GroundTruthRevision.objects.filter(study=self.study).order_by("region", "number"))
        check_numbers(revisions)
        leases = list(Assignment.objects.filter(study=self.study, state=AssignmentState.LEASED))
        live = Pick.objects.filter(study=self.study, state__in=[PickState.OPEN, PickState.ADJUDICATION])
        pick_of = {pick.region_id: pick for pick in live}
        assert len(pick_of) == len(live)
        of_pick = dict(Assignment.objects.filter(study=self.study).values_list("pk", "pick_id"))
        for pick in live:
            check_slots(pick, leases, [row for row in answers if of_pick[row.assignment_id] == pick.pk])
        newest = {row.region_id: row for row in revisions}
        taken_back = {row.parent_id for row in answers if row.kind == AnswerKind.WITHDRAWN}
        for region in Region.objects.filter(study=self.study):
            check_region(region, pick_of.get(region.pk), newest.get(region.pk), taken_back)

    def teardown(self) -> None:
        """The ledger holds, and with fresh people every begun region comes to an end."""
        try:
            studies.open_study(study=self.study)
            clock.advance(timedelta(hours=1))
            queue.expire()
            self.people = [factories.member(self.study) for _ in range(4)]
            judge = factories.member(self.study, Role.ADJUDICATOR)
            for person in [*self.people, judge]:
                kind = "adjudicate" if person is judge else "label"
                while (lease := queue.claim(member=person, kind=kind)) is not None:
                    self.submit(lease, 0)
            self.everything_agrees()
            live = Pick.objects.filter(study=self.study, state__in=[PickState.OPEN, PickState.ADJUDICATION])
            assert not live.exists()
            assert ledger.verify(self.study).ok
        finally:
            self.time.close()


def check_numbers(revisions: list[GroundTruthRevision]) -> None:
    newest: dict[int, GroundTruthRevision] = {}
    for row in revisions:
        before = newest.get(row.region_id)
        assert (row.number, row.parent_id) == ((before.number + 1, before.pk) if before else (1, None))
        newest[row.region_id] = row


def check_slots(pick: Pick, leases: list[Assignment], answers: list[Annotation]) -> None:
    """Open slots, leases and standing opinions are all that was asked for; somebody can still answer."""
    kinds = SLOT_KINDS if pick.state == PickState.OPEN else {AssignmentKind.ADJUDICATE}
    held = sum(lease.pick_id == pick.pk and lease.kind in kinds for lease in leases)
    assert pick.slots_open >= 0 and pick.slots_open + held > 0
    if pick.state == PickState.ADJUDICATION:
        assert pick.slots_open + held == 1
        return
    newest = {row.annotator_id: row.kind for row in answers if row.assignment_kind in SLOT_KINDS}
    standing = sum(kind != AnswerKind.WITHDRAWN for kind in newest.values())
    assert pick.slots_open + held + standing == pick.slots_granted <= pick.overlap, (pick.slots_open, held, standing)


def check_region(
    region: Region, pick: Pick | None, newest: GroundTruthRevision | None, taken_back: set[int | None]
) -> None:
    """The state of a region is that of its live pick, else that of its newest revision."""
    assert region.current_revision_id == (newest.pk if newest else None)
    is_settled = newest is not None and newest.is_settled
    assert is_settled == (region.state == RegionState.SETTLED)
    if pick is not None:
        assert region.state == (RegionState.QUEUED if pick.state == PickState.OPEN else RegionState.ADJUDICATION)
    else:
        assert region.state in (RegionState.POOL, RegionState.SETTLED, RegionState.EXCLUDED)
    if newest is not None and is_settled:
        assert not taken_back & set(newest.annotation_ids), "settled on an answer that was taken back"


def run(machine: type[QueueMachine], *, examples: int, steps: int) -> None:
    """Try `examples` times `steps` random actions."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # shrinking takes minutes, and the failing steps are printed anyway
        ),
    )
