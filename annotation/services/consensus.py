"""The consensus of a whole study: background refits of reliability, and the canonical fit of a pass.

Decides which answers enter and in what order; the estimate itself is `learning.consensus`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from annotation import canonical, clock, mapping
from annotation.models import Annotation, Membership, Pick, ReliabilitySnapshot, Study
from annotation.services import truth
from annotation.states import SLOT_KINDS, Stratum
from learning.consensus import gather
from learning.consensus.answers import Answers
from learning.consensus.dawid_skene import DawidSkene, count_confusions, fit
from learning.consensus.priors import expect_accuracy
from learning.consensus.reliability import bound_diagonal


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
    codes = truth.class_codes(study)
    triples = _triples(study, codes, numbers)
    regions = sorted({region for region, _, _ in triples})
    pseudonyms = sorted({name for _, name, _ in triples})
    row = {name: index for index, name in enumerate(regions)}
    column = {name: index for index, name in enumerate(pseudonyms)}
    answers = gather(
        items=np.array([row[region] for region, _, _ in triples], dtype=np.int64),
        annotators=np.array([column[name] for _, name, _ in triples], dtype=np.int64),
        labels=np.array([label for _, _, label in triples], dtype=np.int64),
        sizes=(len(regions), len(pseudonyms), len(codes)),
    )
    return Consensus(regions, pseudonyms, codes, answers, fit(answers))


def _triples(study: Study, codes: list[str], numbers: set[tuple[str, str, int]] | None) -> list[tuple[str, str, int]]:
    """(region, pseudonym, class index) of every opinion that counts and holds under today's protocol."""
    table = mapping.exact_codes(study)
    index = {code: position for position, code in enumerate(codes)}
    rows = (
        Annotation.objects.filter(study=study)
        .order_by("id")
        .only("region_id", "annotator_id", "number", "kind", "assignment_kind", "label", "protocol_id")
    )
    names = dict(study.regions.values_list("id", "public_id")) if numbers is not None else {}
    people = dict(Membership.objects.filter(study=study).values_list("id", "pseudonym"))
    seen: Iterable[Annotation] = rows
    if numbers is not None:
        seen = (row for row in rows if (names[row.region_id], people[row.annotator_id], row.number) in numbers)
    kept = [row for row in truth.effective(seen) if row.assignment_kind in SLOT_KINDS]
    if not names:
        wanted = {row.region_id for row in kept}
        names = dict(study.regions.filter(annotations__isnull=False).values_list("id", "public_id").distinct())
        names = {key: name for key, name in names.items() if key in wanted}
    triples = []
    for row in kept:
        label = index.get(table.get(row.protocol_id, {}).get(row.label, ""))
        if label is not None:
            triples.append((names[row.region_id], people[row.annotator_id], label))
    return sorted(triples)


def refit(*, study: Study) -> ReliabilitySnapshot | None:
    """Refit all confusion matrices and store them as the snapshot that submits use from now on."""
    study = Study.objects.get(pk=study.pk)
    result = canonical_fit(study)
    if not len(result.answers):
        return None
    believed = expect_accuracy(len(result.codes))
    fair, counts = _count_fairly(study, result)
    bounds = bound_diagonal(counts, priors=believed)
    confusion, reliability = {}, {}
    for column, name in enumerate(result.pseudonyms):
        confusion[name] = _rounded(result.fitted.confusion[column])
        reliability[name] = {
            "mean": _rounded(bounds.mean[column]),
            "low": _rounded(bounds.low[column]),
            "high": _rounded(bounds.high[column]),
            "answers": int((result.answers.annotators[fair] == column).sum()),
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


def _rounded(values: np.ndarray) -> list:
    """Nested lists rounded to what enters a digest."""
    return np.vectorize(canonical.rounded)(values).tolist()
