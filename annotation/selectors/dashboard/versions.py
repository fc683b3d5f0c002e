"""The newest model versions with the scores that were written down when they were trained and judged.

Decides which numbers of a model's record a page shows; refuses to load what they were trained on, which may be long.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Func, IntegerField

from annotation.models import ModelVersion
from annotation.selectors.dashboard.board import Board
from annotation.states import ModelState

MOST_VERSIONS = 100


class Cardinality(Func):
    """How many items an array column has, without reading them."""

    function = "CARDINALITY"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class Version:
    """A model version as the dashboard shows it."""

    number: int
    state: str
    revisions: int
    out_of_fold_f1: float | None
    audit_f1: float | None
    audit_low: float | None
    audit_high: float | None
    audit_looks: int
    reasons: list[str]
    growth: dict[str, Any] | None
    everywhere: dict[str, Any] | None
    created_at: datetime
    activated_at: datetime | None


def read(board: Board) -> list[Version]:
    """The newest versions, newest first, and the active one however old it is."""
    return board.reading.once("versions", lambda: _read(board))


def _read(board: Board) -> list[Version]:
    rows = ModelVersion.objects.filter(study=board.study)
    wanted = ("number", "state", "numbers__out_of_fold__macro_f1", "numbers__gate__basis",
              "numbers__gate__candidate__macro_f1", "numbers__gate__candidate__macro_f1_low",
              "numbers__gate__candidate__macro_f1_high", "audit_looks", "gate_reasons", "created_at",
              "activated_at", "numbers__growth", "numbers__gate__everywhere")  # fmt: skip
    listed = rows.annotate(revisions=Cardinality(F("training_set__revision_ids"))).values("revisions", *wanted)
    found = list(listed.order_by("-number")[:MOST_VERSIONS])
    if len(found) == MOST_VERSIONS and not any(row["state"] == ModelState.ACTIVE for row in found):
        found += list(listed.filter(state=ModelState.ACTIVE))
    return [_version(row) for row in found]


def _version(row: dict[str, Any]) -> Version:
    by_audit = row["numbers__gate__basis"] == "audit"
    return Version(
        number=row["number"],
        state=row["state"],
        revisions=row["revisions"],
        out_of_fold_f1=row["numbers__out_of_fold__macro_f1"],
        audit_f1=row["numbers__gate__candidate__macro_f1"] if by_audit else None,
        audit_low=row["numbers__gate__candidate__macro_f1_low"] if by_audit else None,
        audit_high=row["numbers__gate__candidate__macro_f1_high"] if by_audit else None,
        audit_looks=row["audit_looks"],
        reasons=list(row["gate_reasons"]),
        growth=row["numbers__growth"],
        everywhere=row["numbers__gate__everywhere"],
        created_at=row["created_at"],
        activated_at=row["activated_at"],
    )
