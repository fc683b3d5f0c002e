"""What stands on a region: effective answers, opinions under today's classes, the posterior they give.

Decides which answers count and what they say together; refuses to know what follows from it (`settlement`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from django.db import connection

from annotation import mapping
from annotation.models import Region, ReliabilitySnapshot, Study
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind
from learning.consensus import dawid_skene, firmness, priors

# Both by hand, as they stand in every submit: putting them together anew takes as long as all the rest. One JSON text
# holds the matrices, as an array of the database would be taken apart in Python, sign by sign.
_NEWEST = """
    SELECT s.id, s.study_id, s.number, s.protocol_id, s.class_codes, s.prior, s.answers, s.created_at,
        (SELECT coalesce(jsonb_agg(jsonb_build_array(m.pseudonym, m.rows, m.is_drifting)), '[]')::text
         FROM annotation_confusionmatrix m WHERE m.snapshot_id = s.id AND m.pseudonym = ANY (%s)) AS own
    FROM annotation_reliabilitysnapshot s
    WHERE s.study_id = %s AND s.protocol_id = %s
    ORDER BY s.number DESC LIMIT 1
"""

_ANSWERS = """
    SELECT a.id, a.number, a.region_id, a.annotator_id, m.pseudonym, a.protocol_id, a.kind, a.assignment_kind,
        a.label, a.suggestion, a.is_flagged
    FROM annotation_annotation a JOIN annotation_membership m ON m.id = a.annotator_id
    WHERE a.region_id = %s ORDER BY a.id
"""

EVIDENCE_KINDS = frozenset({*SLOT_KINDS, AssignmentKind.ADJUDICATE})


class Written(Protocol):
    """What is asked of an answer's row to know whether it counts: of the model's, or of some of its columns."""

    @property
    def region_id(self) -> int: ...
    @property
    def annotator_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def assignment_kind(self) -> str: ...


class _Answer(NamedTuple):
    id: int
    number: int
    region_id: int
    annotator_id: int
    pseudonym: str
    protocol_id: int
    kind: str
    assignment_kind: str
    label: str
    suggestion: str
    is_flagged: bool


_Row = TypeVar("_Row", bound=Written)


@dataclass(frozen=True, slots=True)
class Opinion:
    """One person's answer that counts, under today's class codes; `number` counts the person's rows on the region."""

    annotation_id: int
    number: int
    pseudonym: str
    label: str
    suggestion: str
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is known of one annotator: P(answer = column | truth = row), and whether he or she has fallen off."""

    rows: np.ndarray
    is_drifting: bool


@dataclass(frozen=True, slots=True)
class Belief:
    """The posterior over `codes`, who it rests on, and what was known of them: the snapshot it was computed with.

    `likelihood` is what the opinions say without the shares of the classes; None where they are only counted.
    """

    codes: list[str]
    posterior: np.ndarray
    opinions: list[Opinion]
    snapshot: ReliabilitySnapshot | None
    matrices: Mapping[str, Matrix] = field(default_factory=dict)
    likelihood: np.ndarray | None = None

    @property
    def prior(self) -> np.ndarray | None:
        """Shares of the classes, where a snapshot knows them."""
        return None if self.snapshot is None else np.asarray(self.snapshot.prior)


def class_codes(study: Study) -> list[str]:
    """Codes of the current protocol in their order, special outcomes included."""
    return list(study.protocol.codes) if study.protocol else []


def expectations(study: Study) -> priors.Priors:
    """What is believed of an annotator before any answer, under today's classes and their parents."""
    parents = study.protocol.parents if study.protocol else ()
    return priors.expect_accuracy(len(class_codes(study)), parents=parents)


def effective(rows: Iterable[_Row]) -> list[_Row]:
    """The newest answer per region and person that was not taken back; repeats and gold are no evidence.

    `rows` must come in the order of writing.
    """
    newest: dict[tuple[int, int], _Row] = {}
    for row in rows:
        if row.assignment_kind in EVIDENCE_KINDS:
            newest[row.region_id, row.annotator_id] = row
    return [row for row in newest.values() if row.kind != AnswerKind.WITHDRAWN]


def opinions_on(region: Region, *, study: Study) -> list[Opinion]:
    """Opinions (not adjudications) on one region that hold under today's protocol, ordered by pseudonym."""
    table = mapping.exact_codes(study)
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [region.pk])
        rows = [_Answer(*row) for row in cursor.fetchall()]
    found = [
        Opinion(
            annotation_id=row.id,
            number=row.number,
            pseudonym=row.pseudonym,
            label=table.get(row.protocol_id, {}).get(row.label, ""),
            suggestion=row.suggestion,
            is_flagged=row.is_flagged,
        )
        for row in effective(rows)
        if row.assignment_kind in SLOT_KINDS
    ]
    return sorted((one for one in found if one.label), key=lambda one: one.pseudonym)


def believe(region: Region, *, study: Study) -> Belief:
    """The posterior of one region from its opinions and the newest stored confusion matrices."""
    codes = class_codes(study)
    opinions = opinions_on(region, study=study)
    labels = np.array([codes.index(one.label) for one in opinions], dtype=np.int64)
    if study.policy.consensus == "majority":
        counts = np.bincount(labels, minlength=len(codes)).astype(np.float64)
        return Belief(codes, counts / max(counts.sum(), 1.0), opinions, None)
    snapshot, own = _look_up(study, codes, [one.pseudonym for one in opinions])
    unknown = priors.default_confusion(len(codes), priors=expectations(study))
    rows = [own[one.pseudonym].rows if one.pseudonym in own else unknown for one in opinions]
    confusion = np.stack(rows) if rows else np.empty((0, len(codes), len(codes)))
    prior = np.full(len(codes), 1.0 / len(codes)) if snapshot is None else np.asarray(snapshot.prior)
    posterior = dawid_skene.posterior_of(labels=labels, confusion=confusion, prior=prior)
    likelihood = firmness.likelihood_of(labels=labels, confusion=confusion)
    return Belief(codes, posterior, opinions, snapshot, own, likelihood)


def latest_snapshot(study: Study) -> ReliabilitySnapshot | None:
    """The newest confusion matrices that know today's classes."""
    snapshots = ReliabilitySnapshot.objects.filter(study=study, protocol=study.protocol_id)
    return snapshots.order_by("-number").first()


def _look_up(
    study: Study, codes: list[str], pseudonyms: list[str]
) -> tuple[ReliabilitySnapshot | None, dict[str, Matrix]]:
    """The newest snapshot over `codes`, and of its matrices those of a few people alone: in one statement."""
    newest = next(iter(ReliabilitySnapshot.objects.raw(_NEWEST, [pseudonyms, study.pk, study.protocol_id])), None)
    if newest is None or newest.class_codes != codes:
        return None, {}
    return newest, {name: Matrix(np.asarray(rows), drifts) for name, rows, drifts in json.loads(newest.own)}  # type: ignore[attr-defined]
