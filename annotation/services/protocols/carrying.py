"""Truths that go on by rule: what was settled as a class that is renamed, merged or retired into another.

Decides what the new revision of such a region says; refuses to judge regions that have to be seen again (`asking`).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import F, Q, QuerySet

from annotation import canonical, mapping
from annotation.models import GroundTruthRevision, Protocol, Study
from annotation.services import truth
from annotation.services.protocols import mappings
from annotation.states import MappingKind, Method
from learning.consensus.recoding import recode_shares

_SAME_NUMBER = 1e-6


def settled(study: Study) -> QuerySet[GroundTruthRevision]:
    """The newest revisions of regions whose truth stands."""
    rows = GroundTruthRevision.objects.filter(study=study, is_settled=True, is_excluded=False)
    return rows.filter(region__current_revision=F("pk")).order_by()


def carried(study: Study, *, after: mapping.Codes) -> QuerySet[GroundTruthRevision]:
    """Those whose class goes on exactly, under another code: `after` is what `mapping.with_next` says."""
    return settled(study).filter(_by_label(study, lambda codes, code: codes.get(code, code) != code, after))


def stale(study: Study, *, after: mapping.Codes) -> QuerySet[GroundTruthRevision]:
    """Those whose class no longer holds."""
    return settled(study).filter(_by_label(study, lambda codes, code: code not in codes, after))


def _by_label(study: Study, holds: Any, after: mapping.Codes) -> Q:
    """Revisions of the protocols' classes for which `holds`; what is unaffected, mostly most, is never read."""
    chosen = Q(pk__in=[])
    for protocol in Protocol.objects.filter(study=study).exclude(published_at=None):
        codes = after.get(protocol.pk, {})
        wanted = [code for code in protocol.codes if holds(codes, code)]
        if wanted:
            chosen |= Q(protocol=protocol, label__in=wanted)
    return chosen


def carry_over(study: Study, *, draft: Protocol, after: mapping.Codes, at: datetime) -> list[dict[str, Any]]:
    """Write the revisions of all regions that go on by rule, and return what the ledger vouches for.

    They rest on the same answers as before. Probabilities of classes that merge add up; what a split class had is
    shared out evenly. A person's decision keeps its confidence.
    """
    rows = carried(study, after=after).select_related("region", "snapshot", "protocol").order_by("region__public_id")
    kinds = {plan.source: plan.kind for plan in mappings.read(draft)}
    today = mapping.exact_codes(study)
    fold = Folding(study, draft=draft)
    written = []
    for old in rows.iterator(chunk_size=5000):
        code = after[old.protocol_id][old.label]
        kind = kinds[today[old.protocol_id][old.label]]
        written.append(_continue(old, code=code, fold=fold, draft=draft, kind=kind, at=at))
    return truth.write_all(written)


def _continue(
    old: GroundTruthRevision, *, code: str, fold: "Folding", draft: Protocol, kind: MappingKind, at: datetime
) -> GroundTruthRevision:
    posterior = fold.posterior(old.protocol_id, old.posterior)
    is_posterior = (
        old.confidence is not None and abs(old.posterior.get(old.label, -1.0) - old.confidence) < _SAME_NUMBER
    )
    return GroundTruthRevision(
        study_id=old.study_id,
        region=old.region,
        number=old.number + 1,
        parent=old,
        is_settled=True,
        answer={**(old.answer or {}), "label": code},
        label=code,
        confidence=posterior[code] if is_posterior else old.confidence,
        posterior=posterior,
        method=Method.MAPPING,
        annotation_ids=old.annotation_ids,
        evidence=old.evidence,
        protocol=draft,
        snapshot=old.snapshot,
        reason=f"Protocol {draft.number}: the class '{old.label}' is {kind}, and goes on as '{code}'.",
        created_at=at,
    )


class Folding:
    """Says probabilities over the classes of any published version over those of the next one."""

    def __init__(self, study: Study, *, draft: Protocol) -> None:
        assert study.protocol is not None
        self._codes = list(draft.codes)
        self._step = shares_of(mappings.read(draft), before=study.protocol.codes, after=self._codes)
        self._current = study.protocol.codes
        self._today = mapping.exact_codes(study)

    def posterior(self, protocol_id: int, posterior: dict[str, float]) -> dict[str, float]:
        """The probabilities by code; nothing where nothing is known."""
        values = np.zeros(len(self._current))
        table = self._today.get(protocol_id, {})
        for code, value in posterior.items():
            if code in table:
                values[self._current.index(table[code])] += value
        if not values.any():
            return {}
        folded = recode_shares(values, shares=self._step)
        return {code: canonical.rounded(value) for code, value in zip(self._codes, folded, strict=True)}


def shares_of(
    plans: Iterable[mappings.MappingPlan], *, before: Iterable[str], after: list[str], exact_only: bool = False
) -> np.ndarray:
    """How the classes before go on, (K, L): one where they go to one class, evenly where they split."""
    rows = {code: row for row, code in enumerate(before)}
    shares = np.zeros((len(rows), len(after)))
    for plan in plans:
        if plan.is_exact or not exact_only:
            for target in plan.targets:
                shares[rows[plan.source], after.index(target)] = 1 / len(plan.targets)
    return shares
