"""Answers under suggestions that were wrong on purpose, and answers to like regions without any suggestion.

Decides what is comparable: regions whose settled truth is another class than the wrong one, so that what was planted
was wrong indeed. Refuses to reckon a share: that is `learning.consensus.sway`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from annotation.models import Annotation, LabelClass, Study
from annotation.selectors import outcomes
from annotation.services.queue import suggesting
from annotation.states import AssignmentKind, RegionState

Codes = outcomes.Codes


@dataclass(slots=True)
class Tally:
    """Wrong suggestions shown and followed; control answers, and those that fell for the same class unsuggested."""

    planted: int = 0
    followed: int = 0
    controls: int = 0
    lapses: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.planted + other.planted,
            self.followed + other.followed,
            self.controls + other.controls,
            self.lapses + other.lapses,
        )


def tally(study: Study, *, codes: Codes) -> dict[str, Tally]:
    """By pseudonym, of regions that have settled since."""
    found: dict[str, Tally] = defaultdict(Tally)
    for name, said, wrong, truth in _planted(study, codes):
        if wrong != truth:
            found[name].planted += 1
            found[name].followed += said == wrong
    for name, said, wrong, truth in _controls(study, codes):
        if wrong and wrong != truth:
            found[name].controls += 1
            found[name].lapses += said == wrong
    return dict(found)


def _planted(study: Study, codes: Codes) -> Iterator[tuple[str, str, str, str]]:
    rows = _settled(outcomes.standing(study, AssignmentKind.SWAY))
    for name, protocol, said, rules, truth, wrong in rows.values_list(*_COLUMNS, "suggestion"):
        table = codes.get(protocol, {})
        today = codes.get(rules, {}).get(truth, "")
        if today and wrong in table:
            yield name, table.get(said, ""), table[wrong], today


def _controls(study: Study, codes: Codes) -> Iterator[tuple[str, str, str, str]]:
    learnable = list(
        LabelClass.objects.filter(protocol=study.protocol_id, is_special=False).values_list("code", flat=True)
    )
    rows = _settled(outcomes.standing(study, AssignmentKind.LABEL)).filter(
        suggestion="",
        assignment__pick__stratum__in=suggesting.PLANTED_STRATA,
        assignment__pick__parts__has_key="predicted",
    )
    columns = (*_COLUMNS, "assignment__pick__parts", "region__public_id")
    for name, protocol, said, rules, truth, parts, region in rows.values_list(*columns):
        today = codes.get(rules, {}).get(truth, "")
        wrong = suggesting.wrong_class(parts, codes=learnable, seed=study.seed, region=region)
        if today:
            yield name, codes.get(protocol, {}).get(said, ""), wrong, today


_COLUMNS = (
    "annotator__pseudonym",
    "protocol",
    "label",
    "region__current_revision__protocol",
    "region__current_revision__label",
)


def _settled(rows: QuerySet[Annotation]) -> QuerySet[Annotation]:
    return rows.filter(region__state=RegionState.SETTLED, region__current_revision__is_settled=True)
