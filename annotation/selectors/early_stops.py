"""What stopping early costs: early stops that were asked on to the maximum, and what became of them.

Decides what a changed early stop is and how that speaks for those nobody checked; refuses to know how any was planted.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum

from annotation.models import GroundTruthRevision, Pick, Study
from annotation.states import PickState, Stratum
from learning.shares import Share, estimate_share


@dataclass(frozen=True, slots=True)
class EarlyStops:
    """`planted`: checks begun, of which `decided` have an outcome. `changes`: (would-be label, label) -> how many.

    `asked` counts the opinions that the checks asked for beyond the early stop. `unchecked` are regions that settled
    under the maximum and were not looked at again.
    """

    planted: int = 0
    decided: int = 0
    asked: int = 0
    unchecked: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        return self.changes.total()

    @property
    def error(self) -> Share | None:
        """The share of early stops that the full number of opinions would have decided otherwise."""
        return estimate_share(yes=self.changed, count=self.decided)

    def say(self) -> str:
        """The figures as sentences for a manager."""
        if self.error is None:
            waiting = f" {_many(self.planted, 'check')} under way." if self.planted else ""
            return f"No early stop has been checked to its end yet.{waiting}"
        of_all = [round(share * self.unchecked) for share in (self.error.value, self.error.low, self.error.high)]
        return (
            f"Of {_many(self.decided, 'early stop')} that went on to the maximum, {self.changed} got another label "
            f"({self.error.value:.1%}, 95%: {self.error.low:.1%} to {self.error.high:.1%}), for "
            f"{_many(self.asked, 'further opinion')}. Of {_many(self.unchecked, 'region')} settled early and not "
            f"checked that would be about {of_all[0]} ({of_all[1]} to {of_all[2]})."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as a report holds them."""
        error = self.error
        return {
            "planted": self.planted,
            "decided": self.decided,
            "changed": self.changed,
            "asked": self.asked,
            "unchecked": self.unchecked,
            "error": None if error is None else round(error.value, 6),
            "error_low": None if error is None else round(error.low, 6),
            "error_high": None if error is None else round(error.high, 6),
        }


def read(study: Study) -> EarlyStops:
    """All planted checks of the study that have begun, in two queries."""
    planted = decided = asked = 0
    changes: Counter[tuple[str, str]] = Counter()
    for state, early, final, count, more in _checks(study):
        planted, asked = planted + count, asked + more
        if state == PickState.SETTLED and final:
            decided += count
            if final != early:
                changes[early, final] += count
    return EarlyStops(planted, decided, asked, _count_unchecked(study), changes)


def _checks(study: Study) -> Any:
    """(state, would-be label, label it settled on, how many, opinions asked for since) of checks that have begun."""
    settled = GroundTruthRevision.objects.filter(
        region=OuterRef("region"), created_at__lte=OuterRef("closed_at"), is_settled=True
    )
    rows = Pick.objects.filter(study=study, early_answers__isnull=False).order_by()
    rows = rows.annotate(final=Subquery(settled.order_by("-number").values("label")[:1]))
    return rows.values_list("state", "early_label", "final").annotate(
        count=Count("pk"), more=Sum(F("slots_granted") - F("early_answers"))
    )


def _count_unchecked(study: Study) -> int:
    early = Q(slots_granted__lt=F("overlap"), early_answers=None) & ~Q(stratum=Stratum.RECHECK)
    return Pick.objects.filter(early, study=study, state=PickState.SETTLED).count()


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
