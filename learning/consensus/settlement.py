"""When enough people have answered: settle, ask one more, wait, or call an adjudicator.

Decides from one region's posterior, how firm the answers are, and the study's policy, purely, inside the transaction
of a submit. Refuses to know how these were made and who answered. The label is always the people's: a model may only
end the asking.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from learning.consensus import hierarchy
from learning.consensus.answers import Floats
from learning.consensus.hierarchy import Families

# Two classes lead together when their posteriors differ by less than rounding can explain.
_TIE = 1e-9

# Audit regions measure everything else, so no policy lowers this.
AUDIT_OVERLAP = 2


class Kind(StrEnum):
    """What to do with the region."""

    SETTLE = "settle"
    OPEN_SLOT = "open_slot"
    WAIT = "wait"
    ADJUDICATE = "adjudicate"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, the leading class (None where two lead together), its posterior, and why, as a sentence.

    Where a parent settles for its kinds, it is the label and `confidence` what all of them have together.

    `is_check` says that the region would have been settled and gets a planted further opinion instead.
    """

    kind: Kind
    label: int | None
    confidence: float
    reason: str
    is_check: bool = False


def first_slots(*, min_overlap: int, is_audit: bool, fixed_overlap: int | None) -> int:
    """Return how many slots a pick starts with; `decide` waits for that many answers before it opens
    another."""
    wanted = fixed_overlap or min_overlap
    if wanted < 1:
        raise ValueError(f"An overlap of {wanted} asks nobody; it is 1 or more.")
    return max(wanted, AUDIT_OVERLAP) if is_audit else wanted


def decide(
    *,
    posterior: Floats,
    answers: int,
    min_overlap: int,
    max_overlap: int,
    target: float,
    rare: NDArray[np.bool_],
    firmness: float | None,
    single_reliability: float,
    planted_check: bool,
    is_audit: bool,
    fixed_overlap: int | None,
    doubted: int = 0,
    families: Families | None = None,
) -> Decision:
    """Decide over a region after an answer of one more person.

    `posterior` (K,), special outcomes included as classes like any other; `answers` counts distinct
    annotators who answered, neither gold nor repeats; `rare` (K,) marks classes that one person never
    settles. `firmness` is how surely the answers carry the leading class by themselves (`learning.consensus.firmness`):
    without the shares of the classes, or with what a model the study allows to count expects of this region. It has to
    reach the target, too, and `single_reliability` where only one has answered: a common class is not settled for
    being common. None for one answer of somebody unknown. `planted_check` is true where the
    region belongs to the planted share: it goes on to `max_overlap` although it could be settled.

    `doubted` counts the people among `answers` whose checks have fallen off: they don't count towards the
    minimum, and never settle a region by themselves.

    With a `fixed_overlap` (None or 0: adaptive) the leading class settles after that many answers, whatever
    its posterior; a tie goes to an adjudicator. Where the asking ends undecided between kinds of one class
    (`families` (K, K) of `hierarchy`), that class settles. ValueError for a policy that can't be.
    """
    _refuse_policy(min_overlap=min_overlap, max_overlap=max_overlap, target=target, answers=answers)
    first = first_slots(min_overlap=min_overlap, is_audit=is_audit, fixed_overlap=fixed_overlap)
    label, confidence = _lead(posterior)
    if answers < first:
        people = f"{answers} of at least {first} people have answered."
        return Decision(Kind.WAIT, label, confidence, people)
    if fixed_overlap:
        return _decide_fixed(posterior=posterior, label=label, answers=answers, families=families)

    doubt = _doubt(label=label, confidence=confidence, target=target)
    if doubt is None:
        is_rare = bool(rare[posterior.argmax()])
        wanted = single_reliability if answers == 1 else target
        doubt = _doubt_firmness(firmness, is_rare=is_rare, answers=answers, wanted=wanted)
    can_ask = answers < max(max_overlap, first)
    if doubt is None and doubted and answers - doubted < first and (can_ask or doubted == answers):
        doubt = f"The checks of {doubted} of the {answers} who answered have fallen off of late."
    if doubt is None and planted_check and can_ask:
        reason = f"Enough after {answers}, but planted for a check: one more blind opinion."
        return Decision(Kind.OPEN_SLOT, label, confidence, reason, is_check=True)
    if doubt is None:
        reason = f"The posterior of {confidence:.3f} reaches the target of {target:.3f} after {answers}."
        return Decision(Kind.SETTLE, label, confidence, reason)
    if can_ask:
        return Decision(Kind.OPEN_SLOT, label, confidence, f"{doubt} One more person is asked.")
    held = hierarchy.find_holder(posterior, families, target=target) if families is not None and answers > 1 else None
    if held is not None:
        reason = f"{doubt} After all {answers} allowed people the kinds of one class reach {held[1]:.3f} together."
        return Decision(Kind.SETTLE, *held, reason)
    reason = f"{doubt} All {answers} allowed people have answered, so an adjudicator decides."
    return Decision(Kind.ADJUDICATE, label, confidence, reason)


def _refuse_policy(*, min_overlap: int, max_overlap: int, target: float, answers: int) -> None:
    if not 1 <= min_overlap <= max_overlap:
        raise ValueError(f"An overlap from {min_overlap} to {max_overlap}: at least 1, and the maximum not below.")
    if not 0 < target <= 1:
        raise ValueError(f"A target of {target} is no posterior: above 0 and at most 1.")
    if answers < 0:
        raise ValueError(f"{answers} people can't have answered.")


def _lead(posterior: Floats) -> tuple[int | None, float]:
    if posterior.ndim != 1 or not len(posterior) or not np.isfinite(posterior).all():
        raise ValueError(f"A posterior is one finite share per class, but this is {posterior!r}.")
    top = int(posterior.argmax())
    rivals = int((posterior >= posterior[top] - _TIE).sum())
    return (top if rivals == 1 else None), float(posterior[top])


def _decide_fixed(*, posterior: Floats, label: int | None, answers: int, families: Families | None) -> Decision:
    confidence = float(posterior.max())
    if label is not None:
        reason = f"The study takes the leading class after {answers} answers."
        return Decision(Kind.SETTLE, label, confidence, reason)
    leading = posterior >= confidence - _TIE
    head = None if families is None else hierarchy.find_common(leading, families)
    if head is not None and families is not None:
        share = float(hierarchy.share_by_family(posterior, families)[head])
        reason = f"Kinds of one class lead together after {answers} answers, so that class holds."
        return Decision(Kind.SETTLE, head, share, reason)
    reason = f"Two classes lead together after {answers} answers, so an adjudicator decides."
    return Decision(Kind.ADJUDICATE, None, confidence, reason)


def _doubt(*, label: int | None, confidence: float, target: float) -> str | None:
    if label is None:
        return "Two classes lead together."
    if confidence < target:
        return f"The posterior of {confidence:.3f} is under the target of {target:.3f}."
    return None


def _doubt_firmness(firmness: float | None, *, is_rare: bool, answers: int, wanted: float) -> str | None:
    """What speaks against answers that reach the target with the help of the classes' shares."""
    if answers == 1 and is_rare:
        return "One person never settles a rare class."
    if firmness is None:
        return "How reliable this annotator is for this class isn't known yet."
    if firmness >= wanted:
        return None
    if answers == 1:
        return f"This one answer is worth {firmness:.3f} without the shares of the classes, under {wanted:.3f}."
    return f"Without the shares of the classes these answers give {firmness:.3f}, under the target of {wanted:.3f}."
