"""People at the queue while managers change the protocol, run passes and freeze: any order keeps the truth true.

Overlap is never exceeded, revisions have no gaps, the ledger verifies, and what is frozen stays byte for byte.
"""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import rule

from annotation import clock, mapping
from annotation.errors import BadInput, ClassesChanged, GateClosed, LeaseLost
from annotation.models import ConsistencyPass, Finding, Protocol, Region, Release, Study
from annotation.releasing import files as released_files
from annotation.rules import Fix
from annotation.services import findings, protocols, queue, releases
from annotation.services.protocols import MappingPlan
from annotation.states import AssignmentState, FindingState, MappingKind, RegionState
from annotation.studyfolder import ClassPlan
from tests.annotation.consistency_studies import run_pass
from tests.annotation.queue_machine import LABELS, PEOPLE, QueueMachine, run

MOST_CLASSES = 6
CHANGES = ("rename", "merge", "split", "retire", "redefine", "reword")
Draft = tuple[list[ClassPlan], list[MappingPlan]]


class TruthMachine(QueueMachine):
    """The queue's machine with versions of the protocol, passes, decisions about findings, and releases."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh = (f"kind-{number}" for number in count(1))
        self.frozen: dict[int, dict[str, str]] = {}

    def code(self, label: int) -> str:
        return self.in_force().codes[label]

    def version(self) -> int:
        return self.in_force().number

    def in_force(self) -> Protocol:
        return Study.objects.select_related("protocol").get(pk=self.study.pk).current_protocol

    @rule(change=st.sampled_from(CHANGES), which=st.integers(0, MOST_CLASSES))
    def change_protocol(self, change: str, which: int) -> None:
        draft = protocols.begin_draft(study=self.study)
        plans = protocols.class_plans(draft)
        classes, mappings = getattr(self, f"_{change}")(plans, which % len(plans))
        try:
            protocols.save_draft(
                study=self.study, classes=classes, guideline="", plans=mappings, summary="Seen in practice."
            )
            protocols.impact(study=self.study)
            if len(classes) > MOST_CLASSES:
                raise BadInput("More classes than people here can tell apart.")
            protocols.publish_draft(study=self.study, member=self.manager)
        except BadInput:
            protocols.discard_draft(study=self.study)

    def _rename(self, plans: list[ClassPlan], which: int) -> Draft:
        return self._replace(plans, [which], [next(self.fresh)], MappingKind.RENAMED)

    def _merge(self, plans: list[ClassPlan], which: int) -> Draft:
        return self._replace(plans, [which, which - 1], [next(self.fresh)], MappingKind.MERGED)

    def _split(self, plans: list[ClassPlan], which: int) -> Draft:
        return self._replace(plans, [which], [next(self.fresh), next(self.fresh)], MappingKind.SPLIT)

    def _retire(self, plans: list[ClassPlan], which: int) -> Draft:
        return self._replace(plans, [which], [], MappingKind.RETIRED)

    def _redefine(self, plans: list[ClassPlan], which: int) -> Draft:
        return self._replace(plans, [which], [plans[which].code], MappingKind.REDEFINED)

    def _reword(self, plans: list[ClassPlan], which: int) -> Draft:
        return self._replace(plans, [which], [plans[which].code], MappingKind.SAME)

    def _replace(self, plans: list[ClassPlan], gone: list[int], codes: list[str], kind: MappingKind) -> Draft:
        """The classes `gone` become those of `codes`; every other one goes on as it is."""
        sources = [plans[index].code for index in gone]
        kept = [plan for plan in plans if plan.code not in sources]
        made = [ClassPlan(code=code, name=code, colour="#445566", key="", definition="") for code in codes]
        mappings = [MappingPlan(code, kind, tuple(codes)) for code in sources]
        mappings += [MappingPlan(plan.code, MappingKind.SAME, (plan.code,)) for plan in kept]
        return [*made, *kept], mappings

    @rule(who=PEOPLE, label=LABELS, older=st.integers(1, 4))
    def answer_by_older_rules(self, who: int, label: int, older: int) -> None:
        """An answer under rules that are no more: taken where its class goes on exactly, else kept as a draft."""
        lease = self.claim(who, "label")
        rules = Protocol.objects.filter(study=self.study, number=older).exclude(published_at=None).first()
        if lease is None or rules is None:
            return
        study = Study.objects.select_related("protocol").get(pk=self.study.pk)
        goes_on = rules.codes[label] in mapping.exact_codes(study).get(rules.pk, {})
        sent = {"answer": {"kind": "class", "label": rules.codes[label]}, "protocol": older}
        try:
            row = queue.submit(member=lease.annotator, token=lease.token, idempotency_key=next(self.keys), **sent)
        except ClassesChanged:
            lease.refresh_from_db()
            assert not goes_on and lease.state == AssignmentState.LEASED and lease.drafts.exists()
        except LeaseLost:
            assert lease.expires_at <= clock.now() and lease.drafts.exists()
        else:
            assert goes_on and row.protocol_id == rules.pk
            self.acknowledged[row.pk] = row.label

    @rule(does_waive=st.booleans())
    def check_and_freeze(self, does_waive: bool) -> None:
        row = run_pass(self.study, self.manager)
        if does_waive:
            self.waive(row)
        try:
            release = releases.freeze(study=self.study, consistency_pass=row, member=self.manager)
        except GateClosed:
            assert releases.blockers(row) or not row.numbers["released"]
            return
        assert not releases.blockers(row)
        self.frozen[release.pk] = digests(release)
        self.look_at_frozen(0)

    def waive(self, row: ConsistencyPass) -> None:
        open_ones = list(
            Finding.objects.filter(consistency_pass=row, state=FindingState.OPEN).exclude(rule="ledger-broken")
        )
        if open_ones:
            findings.apply_many(findings=open_ones, member=self.manager, reason="Borne.", fix=Fix.WAIVE)

    @rule(fix=st.sampled_from([Fix.RECHECK, Fix.ADJUDICATE, Fix.EXCLUDE, Fix.ACCEPT]), which=st.integers(0, 7))
    def work_a_finding_off(self, fix: Fix, which: int) -> None:
        newest = ConsistencyPass.objects.filter(study=self.study, release=None).order_by("-number").first()
        found = Finding.objects.filter(consistency_pass=newest, state=FindingState.OPEN, region__isnull=False)
        if newest is None or not found:
            return
        findings.apply(finding=found[which % len(found)], member=self.manager, reason="I looked.", fix=fix)

    @rule(which=st.integers(0, 7))
    def look_at_frozen(self, which: int) -> None:
        """What was frozen is what it was; cut again, it is the same."""
        if not self.frozen:
            return
        key = sorted(self.frozen)[which % len(self.frozen)]
        release = Release.objects.select_related("consistency_pass").get(pk=key)
        assert digests(release) == self.frozen[key]
        assert releases.check(release=release).ok
        again = releases.freeze(study=self.study, consistency_pass=release.consistency_pass, member=self.manager)
        assert again.pk == key and digests(again) == self.frozen[key]

    def everything_agrees(self) -> None:
        """Besides, every label has a class today, or the region is asked again."""
        super().everything_agrees()
        codes = mapping.exact_codes(Study.objects.select_related("protocol").get(pk=self.study.pk))
        for region in Region.objects.filter(study=self.study).select_related("current_revision"):
            revision = region.current_revision
            if revision is not None and region.state == RegionState.SETTLED:
                assert revision.label in codes.get(revision.protocol_id, {})

    def teardown(self) -> None:
        super().teardown()
        for key in range(len(self.frozen)):
            self.look_at_frozen(key)


def digests(release: Release) -> dict[str, str]:
    """File -> SHA-256, of everything in the release's folder."""
    place: Path = releases.place(release)
    files = sorted(path for path in place.rglob("*") if path.is_file())
    assert files
    return {str(path.relative_to(place)): released_files.hash_file(path) for path in files}


@pytest.mark.django_db
@pytest.mark.timeout(900)
@pytest.mark.parametrize("draw", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_any_order_of_actions_keeps_the_truth_true(draw: int) -> None:
    run(seed(draw)(TruthMachine), examples=5, steps=100)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.django_db
@pytest.mark.parametrize("draw", range(100, 120))
def test_the_truth_stays_true_over_a_long_search(swept: None, draw: int) -> None:
    run(seed(draw)(TruthMachine), examples=25, steps=200)
