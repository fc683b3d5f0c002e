"""Reads what a consistency pass sees: the truth of a study exactly as it stood at the pass's ledger position.

Decides by the ledger what had been written by then, so that people go on working; refuses to write anything.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation import canonical, mapping, sidebyside, splits
from annotation.chain import Anchor
from annotation.models import (
    ConsistencyPass,
    LabelClass,
    LedgerAnchor,
    Membership,
    ModelVersion,
    Protocol,
    Region,
    ReleaseItem,
    Study,
)
from annotation.policy import Policy
from annotation.releasing import standing
from annotation.rules import Box, EarlierSplit, Item, PassView, Waiting
from annotation.rules.settings import limits
from annotation.selectors import accepted, passasides
from annotation.services import consensus, ledger
from annotation.snapshot import one_snapshot
from annotation.states import AssignmentKind, AuditHalf, Method, RegionState
from learning.consensus import gather
from learning.consensus.agreement import Agreement, Estimate, measure_agreement

POSTERIOR_PLACES = 6
_ASKS_AGAIN = (Method.CONSISTENCY.value, Method.MAPPING.value)
"""A region that such a revision left open is asked again."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a pass needs: the view for the rules, region keys by public id, and the facts that a release repeats."""

    view: PassView
    region_keys: dict[str, int]
    facts: dict[str, Any]
    rule_values: dict[str, Any]
    fitted: consensus.Consensus | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    key: int
    pixel_digest: str
    audit: str
    state: str
    slide: str
    case: str
    domain: str
    x: int
    y: int
    width: int
    height: int


def read(consistency_pass: ConsistencyPass) -> Reading:
    """Everything at the position of `consistency_pass`."""
    with one_snapshot():
        study = Study.objects.select_related("protocol").get(pk=consistency_pass.study_id)
        stood = standing.fold(ledger.links(study, upto=consistency_pass.ledger_position))
        places = _read_places(study)
        fitted = consensus.canonical_fit(study, numbers=stood.numbers)
        posteriors = _read_posteriors(fitted, study.policy)
        earlier, earlier_of_case = _read_earlier_splits(study, places)
        items = _split(_build_items(study, stood, places, posteriors), study, earlier_of_case)
        waiting, collecting = _find_open(stood, places)
        tables = code_tables(study)
        golds = passasides.read_golds(study, tables)
        samples = accepted.closed_by(study, position=consistency_pass.ledger_position)
        assert study.protocol is not None
        classes = list(LabelClass.objects.filter(protocol=study.protocol).order_by("position", "code"))
        view = PassView(
            position=consistency_pass.ledger_position,
            protocol=study.protocol.number,
            codes=tuple(fitted.codes),
            policy=study.policy,
            items=items,
            quotas={one.code: one.quota for one in classes if one.quota},
            special=frozenset(one.code for one in classes if one.is_special),
            parents={one.code: one.parent for one in classes if one.parent},
            waiting=waiting,
            collecting=collecting,
            by_people=sidebyside.by_people(fitted.regions, fitted.answers, fitted.fitted.posterior, codes=fitted.codes),
            earlier=earlier,
            ledger_problems=tuple(_check_ledger(study, consistency_pass)),
            thresholds=limits(study.rule_values),
            slides=passasides.read_frames(study),
            domains=passasides.read_domains(study),
            repeats=passasides.read_repeats(stood, tables),
            golds=golds,
            gold_answers=passasides.read_gold_answers(stood, tables, golds),
            verdicts=accepted.verdicts(samples, tables=tables),
        )
        facts = _gather_facts(study, view, stood, fitted, places)
        measured = accepted.facts(samples, released=view.released(), tables=tables, codes=view.codes)
        keys = {name: place.key for name, place in places.items()}
        facts = {**facts, "acceptance": measured} if measured else facts
        return Reading(view, keys, facts, study.rule_values, fitted)


def _read_places(study: Study) -> dict[str, _Place]:
    rows = (
        Region.objects.filter(study=study)
        .exclude(state=RegionState.POOL, current_revision=None)
        .order_by("public_id")
        .values_list(
            "public_id", "id", "pixel_digest", "audit_half", "state",
            "slide__public_id", "slide__case__code", "slide__domain__name", "x", "y", "width", "height",
        )
    )  # fmt: skip
    return {name: _Place(*values) for name, *values in rows.iterator(chunk_size=5000)}


def _read_posteriors(fitted: consensus.Consensus, policy: Policy) -> dict[str, tuple[float, ...]]:
    """Region -> the canonical consensus: vote shares where the study settles by majority, else Dawid-Skene."""
    if not fitted.regions:
        return {}
    values = fitted.fitted.posterior
    if policy.consensus == "majority":
        votes = fitted.answers.count_labels()
        values = votes / votes.sum(axis=1, keepdims=True)
    rounded = np.round(values, POSTERIOR_PLACES).tolist()
    return {name: tuple(row) for name, row in zip(fitted.regions, rounded, strict=True)}


def _build_items(
    study: Study,
    stood: standing.Standing,
    places: dict[str, _Place],
    posteriors: dict[str, tuple[float, ...]],
) -> list[Item]:
    tables = code_tables(study)
    rechecked = {one["region"] for one in stood.opinions() if one["assignment_kind"] == AssignmentKind.RECHECK}
    items = []
    for region, content in sorted(stood.revisions.items()):
        place = places.get(region)
        if place is None or not content["settled"] or content["excluded"]:
            continue
        given = standing.label_of(content)
        items.append(
            Item(
                region=region,
                revision=content["number"],
                label=tables.get(content["protocol"], {}).get(given, ""),
                given_label=given,
                protocol=content["protocol"],
                method=stood.origins.get(region, content["method"]),
                posterior=posteriors.get(region, ()),
                pixel_digest=place.pixel_digest,
                slide=place.slide,
                case=place.case,
                domain=place.domain,
                split="",
                audit=place.audit,
                box=Box(place.x, place.y, place.width, place.height),
                is_rechecked=region in rechecked,
            )
        )
    return items


def code_tables(study: Study) -> dict[int, dict[str, str]]:
    """Protocol number -> {its class code: the code today}, by exact mappings alone."""
    numbers = dict(Protocol.objects.filter(study=study).values_list("id", "number"))
    return {numbers[key]: table for key, table in mapping.exact_codes(study).items()}


def _read_earlier_splits(
    study: Study, places: dict[str, _Place]
) -> tuple[dict[str, EarlierSplit], dict[str, frozenset[str]]]:
    """Where the newest release that holds it put each region, and all splits that each case of today was in."""
    newest: dict[str, EarlierSplit] = {}
    of_case: dict[str, set[str]] = defaultdict(set)
    rows = ReleaseItem.objects.filter(release__study=study).order_by("release__number", "region__public_id")
    for region, number, split in rows.values_list("region__public_id", "release__number", "split"):
        newest[region] = EarlierSplit(number, split)
        if region in places:
            of_case[places[region].case].add(split)
    return newest, {case: frozenset(found) for case, found in of_case.items()}


def _split(items: list[Item], study: Study, earlier: dict[str, frozenset[str]]) -> tuple[Item, ...]:
    domains: dict[str, set[str]] = defaultdict(set)
    audit = set()
    for item in items:
        if item.label:
            domains[item.case].add(item.domain)
            if item.audit != AuditHalf.NONE:
                audit.add(item.case)
    policy = study.policy
    assigned = splits.assign(
        [splits.SplitCase(case, " + ".join(sorted(names)), case in audit) for case, names in domains.items()],
        seed=study.seed,
        test_share=policy.test_share,
        validation_share=policy.validation_share,
        earlier=earlier,
    )
    return tuple(item.placed_in(assigned.get(item.case, "")) for item in items)


def _find_open(stood: standing.Standing, places: dict[str, _Place]) -> tuple[tuple[Waiting, ...], int]:
    """Regions whose truth is open although someone counts on it, and how many collect their first opinions."""
    waiting, collecting = [], 0
    handed_on = {name for name, place in places.items() if place.state == RegionState.ADJUDICATION}
    for region in sorted(stood.revisions.keys() | {content["region"] for content in stood.effective()} | handed_on):
        content = stood.revisions.get(region)
        if content and (content["settled"] or content["excluded"]):
            continue
        number = content["number"] if content else 0
        if region in places and places[region].state == RegionState.ADJUDICATION:
            waiting.append(Waiting(region, "adjudication", number))
        elif content:
            why = "recheck" if content["method"] in _ASKS_AGAIN else "reopened"
            waiting.append(Waiting(region, why, number))
        else:
            collecting += 1
    return tuple(waiting), collecting


def _check_ledger(study: Study, consistency_pass: ConsistencyPass) -> list[str]:
    anchors = [Anchor(row.position, row.digest) for row in LedgerAnchor.objects.filter(study=study)]
    if consistency_pass.ledger_position:
        anchors.append(Anchor(consistency_pass.ledger_position, consistency_pass.ledger_digest))
    return ledger.verify(study, anchors=anchors).problems


def _gather_facts(
    study: Study,
    view: PassView,
    stood: standing.Standing,
    fitted: consensus.Consensus,
    places: dict[str, _Place],
) -> dict[str, Any]:
    """JSON values that hold for the pass for ever, whatever is changed later."""
    released = view.released()
    people = list(Membership.objects.filter(study=study).order_by("pseudonym"))
    names = {row.pseudonym: row.role for row in people}
    answered = {name for _, name in stood.answers}
    trained = [row.pseudonym for row in people if row.is_trained and row.pseudonym in answered]
    models = ModelVersion.objects.filter(study=study).order_by("number").values("number", "digest", "encoder")
    posterior = np.round(fitted.fitted.posterior, POSTERIOR_PLACES).tolist()
    return {
        "protocol": view.protocol,
        "mappings": {str(number): table for number, table in sorted(code_tables(study).items())},
        "policy": view.policy.to_json(),
        "classes": dict(sorted(Counter(item.label for item in released).items())),
        "slides": {item.slide: [item.case, item.domain, item.split] for item in released},
        "annotators": {name: names[name] for name in sorted({name for _, name in stood.answers} & names.keys())},
        "models": list(models),
        "left_out": {
            "collecting opinions": view.collecting,
            "waiting for a decision": len(view.waiting),
            "excluded": sum(content["excluded"] for content in stood.revisions.values()),
            "without an exact class in this protocol": len(view.items) - len(released),
        },
        "consensus": {
            "method": view.policy.consensus,
            "regions": len(fitted.regions),
            "annotators": len(fitted.pseudonyms),
            "answers": len(fitted.answers),
            "digest": canonical.digest([fitted.regions, fitted.pseudonyms, fitted.codes, posterior]),
        },
        "agreement": _measure(study, fitted, places),
        # Only where something was said: what was cut before there was a checklist stays byte by byte as it was.
        **({"checklist": dict(study.checklist)} if study.checklist else {}),
        **({"publication": dict(study.publication)} if study.publication else {}),
        **({"trained": trained} if trained else {}),
    }


def _measure(study: Study, fitted: consensus.Consensus, places: dict[str, _Place]) -> dict[str, dict[str, Any]]:
    """Agreement over all regions, and over the audit sample alone: only that one is unbiased."""
    cases = np.array([places[name].case for name in fitted.regions])
    is_audit = np.array([places[name].audit != AuditHalf.NONE for name in fitted.regions], dtype=bool)
    measured = {}
    for name, chosen in (("all", np.ones(len(cases), dtype=bool)), ("audit", is_audit)):
        kept = chosen[fitted.answers.items] if len(fitted.answers) else np.zeros(0, dtype=bool)
        row_of = np.cumsum(chosen) - 1
        answers = gather(
            items=row_of[fitted.answers.items[kept]],
            annotators=fitted.answers.annotators[kept],
            labels=fitted.answers.labels[kept],
            sizes=(int(chosen.sum()), len(fitted.pseudonyms), len(fitted.codes)),
        )
        if (answers.count_labels().sum(axis=1) > 1).any():
            measured[name] = _describe(measure_agreement(answers, cases=cases[chosen], seed=abs(study.seed)))
    return measured


def _describe(measured: Agreement) -> dict[str, Any]:
    return {
        "alpha": _bounds(measured.alpha),
        "ac1": _bounds(measured.ac1),
        "raw": _bounds(measured.raw),
        "per_class": [_bounds(one) for one in measured.per_class],
        "items": measured.items,
        "cases": measured.cases,
        "answers": measured.answers,
    }


def _bounds(estimate: Estimate) -> list[float | None]:
    values = (estimate.value, estimate.low, estimate.high)
    return [canonical.rounded(value, 6) if np.isfinite(value) else None for value in values]
