"""From the last answer to a verified release: drain, adjudicate, pass, fix, pass again, sample, freeze, verify.

Decides what a reasonable manager would do about each finding; refuses to know how people reach the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from annotation.errors import ConcordError
from annotation.models import AcceptanceSample, ConsistencyPass, Finding, Membership, Pick, Release, Study
from annotation.releasing import verify
from annotation.rules import CHANGING_FIXES, Fix, by_code
from annotation.rules.acceptance import RULE as _SAMPLED
from annotation.selectors import acceptance as samples
from annotation.services import acceptance, findings, passes, picks, releases, studies
from annotation.states import AnswerKind, FindingState, PassState, PickState, Severity

ROUNDS = 8
RECHECK_ROUNDS = 2
"""After so many rounds of further opinions, what still stands goes to the adjudicators."""


class Hands(Protocol):
    """Whoever makes people and jobs work: until nothing is left for them to do."""

    def label(self, *, until: int | None = None) -> None: ...

    def adjudicate(self) -> None: ...

    def run_jobs(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Closed:
    """How a study ended. `problems` are sentences; empty where the release was verified."""

    release: Release | None
    rounds: int
    problems: list[str]

    @property
    def is_verified(self) -> bool:
        return self.release is not None and not self.problems


def close_study(
    *,
    study: Study,
    manager: Membership,
    hands: Hands,
    told: Callable[[str], None],
    sample: int = 0,
    is_thorough: bool = False,
) -> Closed:
    """Finish what was begun and bring the study to a verified release; problems are told, never raised.

    `sample` regions of the first clean pass are answered blind again, and what is found wrong is mended. Who is
    thorough acts on the warnings of the first pass about regions, too.
    """
    studies.drain(study=study)
    told("Draining: what was begun is finished.")
    finish_begun(study=study, hands=hands)
    for number in range(1, ROUNDS + 1):
        row = _run_pass(study=study, manager=manager, hands=hands)
        if row.state != PassState.DONE:
            return Closed(None, number, [f"Pass {row.number} {row.state}: see its job for the reason."])
        blocking = releases.blockers(row)
        told(f"Pass {row.number}: {row.findings.count()} findings, {len(blocking)} open blockers.")
        heeded = _read_warnings(row) if is_thorough and number == 1 else []
        if not (blocking or heeded) and sample and not AcceptanceSample.objects.filter(study=study).exists():
            size = min(sample, row.numbers["released"])
            acceptance.draw(consistency_pass=row, member=manager, size=size)
            told(f"Sample: {size} of {row.numbers['released']} regions are answered blind again.")
            finish_begun(study=study, hands=hands)
            continue
        if not (blocking or heeded):
            return _release(study=study, manager=manager, row=row, rounds=number, told=told)
        try:
            _mend(blocking + heeded, manager=manager, round_number=number)
        except ConcordError as error:
            return Closed(None, number, [error.message])
        finish_begun(study=study, hands=hands)
    return Closed(None, ROUNDS, [f"Blockers are left after {ROUNDS} passes."])


def finish_begun(*, study: Study, hands: Hands) -> None:
    """Let people answer and adjudicate until no pick and no region of an acceptance sample is open."""
    left, before = _count_open(study), -1
    while left and left != before:
        hands.label()
        picks.escalate_stuck(study=study)
        hands.adjudicate()
        acceptance.close_stuck(study=study)
        hands.run_jobs()
        left, before = _count_open(study), left


def _count_open(study: Study) -> int:
    """How much is not decided; a region of a sample counts once while answered and once more while decided."""
    live = Pick.objects.filter(study=study, state__in=[PickState.OPEN, PickState.ADJUDICATION]).count()
    sample = samples.open_sample(study)
    if sample is None:
        return live
    waiting = sample.items.filter(closed_at=None)
    return live + 2 * waiting.count() - waiting.filter(needs_adjudication=True).count()


def _run_pass(*, study: Study, manager: Membership, hands: Hands) -> ConsistencyPass:
    row = passes.start(study=study, member=manager)
    hands.run_jobs()
    row.refresh_from_db()
    return row


def _read_warnings(row: ConsistencyPass) -> list[Finding]:
    """The open warnings about regions that further people or an adjudicator could answer."""
    asked = row.findings.filter(severity=Severity.WARNING, state=FindingState.OPEN, region__isnull=False)
    return list(asked.filter(fix__in=[Fix.RECHECK, Fix.ADJUDICATE]).order_by("rule", "region__public_id"))


def _mend(rows: list[Finding], *, manager: Membership, round_number: int) -> None:
    """Act on open findings: ask again, then let an adjudicator decide, and waive what no answer can mend."""
    by_fix: dict[Fix, list[Finding]] = {}
    for finding in rows:
        # One that was fixed is closed already; the next pass will see what came of it.
        if finding.state != FindingState.OPEN:
            continue
        if finding.rule == _SAMPLED.code:
            _take_over(finding, manager)
        else:
            by_fix.setdefault(_choose(finding, round_number), []).append(finding)
    for fix, alike in sorted(by_fix.items()):
        findings.apply_many(findings=alike, member=manager, reason=_REASONS[fix], fix=fix)


def _take_over(finding: Finding, manager: Membership) -> None:
    """The verdict of those who answered blind becomes the label."""
    answer = {"kind": AnswerKind.CLASS.value, "label": finding.data["evidence"]["verdict"]}
    reason = "What fresh eyes found in the acceptance sample."
    findings.apply(finding=finding, member=manager, reason=reason, fix=Fix.ADJUDICATE, answer=answer)


_REASONS = {
    Fix.MERGE: "They show the same: one of them stays.",
    Fix.RECHECK: "Further people are asked.",
    Fix.ADJUDICATE: "Further opinions did not settle it: an adjudicator decides.",
    Fix.WAIVE: "Known and borne: the study ends with what it has.",
}


def _choose(finding: Finding, round_number: int) -> Fix:
    if finding.region_id is None or finding.fix not in CHANGING_FIXES:
        return Fix.WAIVE
    if round_number > RECHECK_ROUNDS + 2:
        return Fix.WAIVE
    if finding.fix == Fix.MERGE or _is_same_twice(finding):
        return Fix.MERGE
    if finding.fix == Fix.RECHECK and round_number <= RECHECK_ROUNDS:
        return Fix.RECHECK
    return Fix.ADJUDICATE


def _is_same_twice(finding: Finding) -> bool:
    """Whether two regions show the same and carry one label: no opinion parts them, so one has to go."""
    rule = by_code(finding.rule)
    labels = finding.data["evidence"].get("labels", [])
    return rule is not None and Fix.MERGE in rule.offers and len(set(labels)) == 1


def _release(
    *, study: Study, manager: Membership, row: ConsistencyPass, rounds: int, told: Callable[[str], None]
) -> Closed:
    try:
        release = releases.freeze(study=study, consistency_pass=row, member=manager)
    except ConcordError as error:
        return Closed(None, rounds, [error.message])
    checked = verify.verify(releases.place(release), digest=release.manifest_digest)
    told(f"Release {release.number}: {release.items_count:,} regions, {release.manifest_digest[:12]}.")
    return Closed(release, rounds, list(checked.problems))
