"""The consensus of a whole study: background refits of reliability, and the canonical fit of a pass.

Decides which answers enter and in what order; the estimate itself is `learning.consensus`.
"""

from dataclasses import dataclass

import numpy as np
from django.db import transaction

from annotation import canonical, clock
from annotation.models import Pick, ReliabilitySnapshot, Study
from annotation.selectors import drift, opinions
from annotation.services import truth
from annotation.states import Stratum
from learning.consensus import gather
from learning.consensus.answers import Answers
from learning.consensus.dawid_skene import DawidSkene, Start, count_confusions, fit
from learning.consensus.drift import weaken
from learning.consensus.priors import default_confusion
from learning.consensus.reliability import bound_cells

WARM_ANSWERS = 20_000
"""Answers of the newest snapshot from which on a refit goes on from it."""

CELL_PLACES = 4


@dataclass(frozen=True, slots=True)
class Consensus:
    """A fit with the names of its axes: regions by public id, annotators by pseudonym, classes by code."""

    regions: list[str]
    pseudonyms: list[str]
    codes: list[str]
    answers: Answers
    fitted: DawidSkene


def canonical_fit(study: Study, *, numbers: set[tuple[str, str, int]] | None = None) -> Consensus:
    """A cold-start fit over all effective answers in sorted order: the same for any order of arrival.

    `numbers` limits it to answers (region, pseudonym, number): those a pass's ledger position vouches for.
    """
    found = opinions.read(study, numbers=numbers)
    fitted = fit(found.answers, priors=truth.expectations(study))
    return Consensus(found.regions, found.pseudonyms, found.codes, found.answers, fitted)


def refit(*, study: Study) -> ReliabilitySnapshot | None:
    """Refit all confusion matrices and store them as the snapshot that submits use from now on."""
    study = Study.objects.select_related("protocol").get(pk=study.pk)
    result = _fit_warm(study)
    if not len(result.answers):
        return None
    fair, counts = _count_fairly(study, result)
    cells = bound_cells(counts, priors=truth.expectations(study))
    own_class = np.arange(len(result.codes))
    courses = _follow(study, result, fair)
    confusion, reliability = {}, {}
    for column, name in enumerate(result.pseudonyms):
        own, followed = result.fitted.confusion[column], courses.get(name)
        confusion[name] = _rounded(weaken(own, followed.course) if followed else own)
        reliability[name] = {
            "mean": _rounded(cells.mean[column, own_class, own_class]),
            "low": _rounded(cells.low[column, own_class, own_class]),
            "high": _rounded(cells.high[column, own_class, own_class]),
            "cells": {
                "mean": np.round(cells.mean[column], CELL_PLACES).tolist(),
                "low": np.round(cells.low[column], CELL_PLACES).tolist(),
                "high": np.round(cells.high[column], CELL_PLACES).tolist(),
            },
            "answers": int((result.answers.annotators[fair] == column).sum()),
            "drift": followed.to_json() if followed else None,
        }
    with transaction.atomic():
        # Locked for the number alone: whoever submits, draws or trains must not wait for a fit of a million answers.
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        newest = ReliabilitySnapshot.objects.filter(study=study).order_by("-number").first()
        return ReliabilitySnapshot.objects.create(
            study=study,
            number=newest.number + 1 if newest else 1,
            protocol=study.current_protocol,
            class_codes=result.codes,
            prior=_rounded(result.fitted.prior),
            confusion=confusion,
            reliability=reliability,
            answers=len(result.answers),
            created_at=clock.now(),
        )


def _fit_warm(study: Study) -> Consensus:
    """A fit that goes on from the newest snapshot where the study is large; else the canonical one.

    A small study is fitted from cold in no time, and is not held to what a few early answers made of people.
    """
    last = truth.latest_snapshot(study)
    if last is None or last.answers < WARM_ANSWERS or last.class_codes != truth.class_codes(study):
        return canonical_fit(study)
    found, believed = opinions.read(study), truth.expectations(study)
    unknown = default_confusion(len(found.codes), priors=believed)
    known = [np.asarray(last.confusion[name]) if name in last.confusion else unknown for name in found.pseudonyms]
    start = Start(confusion=np.stack(known), prior=np.asarray(last.prior))
    fitted = fit(found.answers, priors=believed, warm_start=start)
    return Consensus(found.regions, found.pseudonyms, found.codes, found.answers, fitted)


def _count_fairly(study: Study, result: Consensus) -> tuple[np.ndarray, np.ndarray]:
    """Which answers were not sought for their difficulty, and the expected confusions (J, K, K) on those alone.

    What adaptive overlap and ranking collect is the hard part, and says too little good of everybody.
    """
    chosen = Pick.objects.filter(study=study, stratum__in=[Stratum.AUDIT, Stratum.RANDOM])
    names = set(chosen.values_list("region__public_id", flat=True))
    rows = np.array([name in names for name in result.regions], dtype=bool)
    fair = rows[result.answers.items]
    kept = result.answers
    subset = gather(
        items=kept.items[fair], annotators=kept.annotators[fair], labels=kept.labels[fair], sizes=kept.sizes
    )
    return fair, count_confusions(subset, result.fitted.posterior)


def _follow(study: Study, result: Consensus, fair: np.ndarray) -> dict[str, drift.Followed]:
    """How everybody's checks went over time, and the fair answers against this fit."""
    held = drift.Consensus(
        regions=result.regions,
        codes=result.codes,
        posterior=result.fitted.posterior,
        opinions=np.bincount(result.answers.items, minlength=len(result.regions)),
        fair={result.regions[row] for row in np.unique(result.answers.items[fair])},
    )
    return drift.follow_all(study, held, window=study.policy.drift_window)


def _rounded(values: np.ndarray) -> list:
    """Nested lists rounded to what enters a digest."""
    return np.vectorize(canonical.rounded)(values).tolist()
