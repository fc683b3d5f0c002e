"""Consistency passes: all rules over the truth of a study as it stood at one ledger position.

Decides what a pass stores and which earlier decisions still hold; refuses to know what any rule looks for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation import canonical, clock, sidebyside
from annotation.errors import BadInput
from annotation.models import ConsistencyPass, Finding, GroundTruthRevision, Membership, PassItem, Study
from annotation.releasing.datasheet import model as model_card
from annotation.rules import RULES, Evidence, Fix, Found, PassView, Rule
from annotation.rules.settings import Setting, resolve
from annotation.selectors import passview
from annotation.services import jobs, ledger
from annotation.states import FindingState, JobKind, PassState, may_move

Key = tuple[str, int, str, str, str, str]
Gather = Callable[[passview.Reading], Evidence]


@transaction.atomic
def start(*, study: Study, member: Membership | None = None) -> ConsistencyPass:
    """Pin the next pass to the head of the ledger, and enqueue its job."""
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if study.protocol_id is None:
        raise BadInput("The study has no protocol yet, so there is nothing to check: publish one first.")
    head = ledger.head(study)
    newest = ConsistencyPass.objects.filter(study=study).order_by("-number").first()
    row = ConsistencyPass.objects.create(
        study=study,
        number=newest.number + 1 if newest else 1,
        ledger_position=head.position,
        ledger_digest=head.digest,
        started_by=member,
        created_at=clock.now(),
    )
    jobs.enqueue(study=study, kind=JobKind.CONSISTENCY_PASS, key=str(row.number), payload={"pass": row.number})
    return row


def execute(consistency_pass: ConsistencyPass, *, gather: Gather | None = None) -> ConsistencyPass:
    """Run all rules and store what they saw and found; a finished pass is returned as it is.

    `gather` asks models and pixels about what the pass reads. Everything is computed first, from one snapshot; then
    it is written in one transaction.
    """
    current = ConsistencyPass.objects.get(pk=consistency_pass.pk)
    if current.state == PassState.DONE:
        return current
    reading = passview.read(current)
    if gather is not None:
        reading = replace(reading, view=replace(reading.view, evidence=gather(reading)))
    settings = resolve(reading.rule_values)
    found = [(rule, one) for rule in RULES if settings[rule.code].is_on for one in _run(rule, reading.view, settings)]
    with transaction.atomic():
        row = ConsistencyPass.objects.select_for_update(no_key=True).get(pk=current.pk)
        if row.state == PassState.DONE:
            return row
        _store_items(row, reading)
        decided = _store_findings(row, found, reading.region_keys)
        _finish(row, reading, found, decided)
    return row


@transaction.atomic
def fail(*, consistency_pass: ConsistencyPass) -> None:
    """Note that the pass will not finish; nothing of it was written."""
    row = ConsistencyPass.objects.select_for_update(no_key=True).get(pk=consistency_pass.pk)
    if may_move(row.state, PassState.FAILED, of=PassState):
        row.state, row.finished_at = PassState.FAILED, clock.now()
        row.save(update_fields=["state", "finished_at"])


def _run(rule: Rule, view: PassView, settings: Mapping[str, Setting]) -> Iterable[Found]:
    """What the rule finds, in a fixed order, each with the severity that the study gives it."""
    found = sorted(rule.find(view), key=lambda one: (one.region, one.counterpart, one.subject, one.message))
    return [replace(one, severity=settings[rule.code].rate(rule, one.severity)) for one in found]


def _store_items(row: ConsistencyPass, reading: passview.Reading) -> None:
    view, methods = reading.view, reading.view.methods()
    wanted = {(item.region, item.revision) for item in view.items}
    rows = GroundTruthRevision.objects.filter(study=row.study_id, is_settled=True)
    keys = {
        (region, number): key
        for key, region, number in rows.values_list("id", "region__public_id", "number").iterator(chunk_size=5000)
        if (region, number) in wanted
    }
    PassItem.objects.bulk_create(
        (
            PassItem(
                consistency_pass=row,
                region_id=reading.region_keys[item.region],
                revision_id=keys[item.region, item.revision],
                posterior=dict(zip(view.codes, item.posterior, strict=True)) if item.posterior else {},
                others=sidebyside.others_of(item.region, methods),
            )
            for item in view.items
            # The ledger's own rule blocks a pass whose rows are gone; they can't be referred to here.
            if (item.region, item.revision) in keys
        ),
        batch_size=2000,
    )


def _store_findings(
    row: ConsistencyPass, found: list[tuple[Rule, Found]], region_keys: dict[str, int]
) -> Counter[tuple[str, str]]:
    """Write all findings, with the decisions of earlier passes that still hold; counts (severity, state)."""
    earlier = _read_decisions(row)
    findings = []
    for rule, one in found:
        finding = Finding(
            consistency_pass=row,
            rule=rule.code,
            severity=one.severity or rule.severity,
            region_id=region_keys.get(one.region),
            counterpart_id=region_keys.get(one.counterpart),
            subject=one.subject,
            message=one.message,
            fix=rule.fix,
            data={"version": rule.version, "evidence": one.evidence, "evidence_digest": one.evidence_digest},
        )
        _carry(earlier.get(_key(finding, one.region, one.counterpart)), finding, row.created_at)
        findings.append(finding)
    Finding.objects.bulk_create(findings, batch_size=1000)
    return Counter((finding.severity, finding.state) for finding in findings)


def _key(finding: Finding, region: str, counterpart: str) -> Key:
    data = finding.data
    return (finding.rule, data["version"], region, counterpart, finding.subject, data["evidence_digest"])


def _read_decisions(row: ConsistencyPass) -> dict[Key, Finding]:
    """The newest finding of earlier passes for each key, decided or not: a reopened one carries nothing."""
    earlier = Finding.objects.filter(
        consistency_pass__study=row.study_id, consistency_pass__number__lt=row.number
    ).select_related("consistency_pass", "region", "counterpart")
    newest = {}
    for finding in earlier.order_by("consistency_pass__number", "id").iterator(chunk_size=2000):
        region = finding.region.public_id if finding.region else ""
        counterpart = finding.counterpart.public_id if finding.counterpart else ""
        newest[_key(finding, region, counterpart)] = finding
    return newest


def _carry(earlier: Finding | None, finding: Finding, at: datetime) -> None:
    """Take over a decision that left the data as they are, if it has not run out."""
    if earlier is None or earlier.state == FindingState.OPEN:
        return
    decision = earlier.data.get("decision", {})
    has_run_out = earlier.waived_until is not None and earlier.waived_until <= at
    if decision.get("fix") not in (Fix.ACCEPT, Fix.WAIVE) or has_run_out:
        return
    finding.state = earlier.state
    finding.decided_by_id = earlier.decided_by_id
    finding.decided_at = earlier.decided_at
    finding.reason = earlier.reason
    finding.waived_until = earlier.waived_until
    first = decision.get("carried_from", earlier.consistency_pass.number)
    finding.data["decision"] = {**decision, "carried_from": first}


def _finish(
    row: ConsistencyPass,
    reading: passview.Reading,
    found: list[tuple[Rule, Found]],
    decided: Counter[tuple[str, str]],
) -> None:
    view, settings = reading.view, resolve(reading.rule_values)
    counts = {f"{severity} {state}": number for (severity, state), number in sorted(decided.items())}
    policy = view.policy.to_json()
    row.rules = {
        rule.code: {
            "version": rule.version,
            "policy": {name: policy[name] for name in rule.reads},
            **settings[rule.code].to_json(),
        }
        for rule in RULES
    }
    row.numbers = {**reading.facts, "items": len(view.items), "released": len(view.released()), "findings": counts}
    labels = {item.region: item.label for item in view.released()}
    row.numbers["side_by_side"] = sidebyside.compare(labels, view.methods())
    if view.evidence.facts:
        row.numbers["evidence"] = dict(view.evidence.facts)
    if view.evidence.model:
        row.numbers[model_card.FACT] = dict(view.evidence.model)
    row.state, row.finished_at = PassState.DONE, clock.now()
    row.save()
    ledger.append(
        study=row.study,
        kind="pass",
        payload={"pass": _vouch(row, view, found, counts)},
        at=row.finished_at,
    )


def _vouch(
    row: ConsistencyPass, view: PassView, found: list[tuple[Rule, Found]], counts: dict[str, int]
) -> dict[str, Any]:
    """What the ledger keeps of a pass: digests of what it saw and found, free of keys of this database."""
    return {
        "number": row.number,
        "position": row.ledger_position,
        "digest": row.ledger_digest,
        "rules": {rule.code: rule.version for rule in RULES},
        "items": len(view.items),
        "items_digest": canonical.digest([[item.region, item.revision, item.label, item.split] for item in view.items]),
        "consensus_digest": row.numbers["consensus"]["digest"],
        "findings": counts,
        "findings_digest": canonical.digest(
            [[rule.code, one.region, one.counterpart, one.subject, one.evidence_digest] for rule, one in found]
        ),
    }
