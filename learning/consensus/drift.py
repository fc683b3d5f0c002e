"""Whether somebody's accuracy has fallen off, from the results of checks in the order of time.

Decides since when, and how much less the person's answers weigh; refuses to know what a check was and what follows
from it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.consensus.answers import Floats

FEWEST = 20
"""Checks before, and after: below that nothing is said."""
ALARM = 3.0
"""How many standard errors the last checks lie under all before, for drift to be called. See docs/adr/0014."""
CLEAR = 1.0
"""How few, for it to be over."""


@dataclass(frozen=True, slots=True)
class Course:
    """How somebody did: the share of right checks before and in the last window, and the place where drift began.

    `since` is None unless the person drifts now; `before` then is the share before that place. `called` are the
    numbers of checks after which drift was called, those calls included that are over.
    """

    checks: int
    before: float
    now: float
    since: int | None
    called: tuple[int, ...] = ()

    @property
    def is_drifting(self) -> bool:
        return self.since is not None


def follow(scores: Floats, kinds: NDArray[np.int64], *, window: int) -> Course:
    """Return the course of one person's checks, oldest first.

    `scores` (N,) are 1 for right, 0 for wrong, or the probability of being right; `kinds` (N,) tell checks of unequal
    difficulty apart (gold, repeats, ...), which are compared within their kind: Cochran (1954), Mantel & Haenszel
    (1959), one-sided, in a window that moves with every check. Once drift is called, what came since is no part of
    "before" any more, nor later, so that a long bad time doesn't become the measure.
    """
    if window < FEWEST:
        raise ValueError(f"A window of {window} checks tells nothing: {FEWEST} or more.")
    if scores.shape != kinds.shape or (len(scores) and not (scores.min() >= 0 and scores.max() <= 1)):
        raise ValueError("Each check has one score between 0 and 1, and one kind.")
    sound = np.ones(len(scores), dtype=bool)
    since: int | None = None
    called: list[int] = []
    end = 2 * FEWEST
    while end <= len(scores):
        ends = np.arange(end, len(scores) + 1)
        starts = ends - np.minimum(window, ends // 2)
        known = starts if since is None else np.full_like(starts, since)
        falls = _falls(_accumulate(scores, kinds, sound), _accumulate(scores, kinds), known, starts, ends)
        changed = falls >= ALARM if since is None else (falls < CLEAR) & (starts >= since)
        if not changed.any():
            break
        at = int(changed.argmax())
        if since is None:
            since = _began(scores, sound, int(starts[at]), int(ends[at]))
            called.append(int(ends[at]))
        else:
            sound[since : starts[at]] = False
            since = None
        end = int(ends[at]) + 1
    return _tell(scores, sound, since, window, tuple(called))


def _accumulate(scores: Floats, kinds: NDArray[np.int64], kept: NDArray[np.bool_] | None = None) -> Floats:
    """Count, sum and sum of squares of the kept scores before each place, by kind: (3, K, N + 1)."""
    member = (kinds[None, :] == np.unique(kinds)[:, None]) & (True if kept is None else kept[None, :])
    terms = np.stack([member, member * scores, member * scores**2]).astype(np.float64)
    return np.concatenate([np.zeros((*terms.shape[:2], 1)), terms.cumsum(axis=2)], axis=2)


def _falls(
    sound: Floats, every: Floats, known: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> Floats:
    """By how many standard errors the scores from `starts` to `ends` lie under the sound ones before `known`."""
    before, now = sound[:, :, known], every[:, :, ends] - every[:, :, starts]
    count, total, squares = before + now
    comparable = (before[0] > 0) & (now[0] > 0)
    count = np.where(comparable, count, 2.0)
    mean = total / count
    spread = np.maximum(squares - count * mean**2, 0.0) / (count - 1.0)
    lacking = np.where(comparable, now[0] * mean - now[1], 0.0).sum(axis=0)
    variance = np.where(comparable, now[0] * before[0] / count * spread, 0.0).sum(axis=0)
    # Half a check off, as counts are whole (Yates 1934): a first mistake after many right answers is no fall.
    error = np.sqrt(variance)
    falls: Floats = np.divide(lacking - 0.5, error, out=np.zeros_like(error), where=error > 0)
    return falls


def _began(scores: Floats, sound: NDArray[np.bool_], start: int, end: int) -> int:
    """The place from which on most lacks to the middle of before and now (Page 1954): in the window or one before."""
    middle = (scores[:start][sound[:start]].mean() + scores[start:end].mean()) / 2
    first = max(start - (end - start), FEWEST)
    missing = np.cumsum((middle - scores[first:end])[::-1])[::-1]
    return first + int(missing.argmax())


def _tell(scores: Floats, sound: NDArray[np.bool_], since: int | None, window: int, called: tuple[int, ...]) -> Course:
    last = scores[since:][-window:] if since is not None else scores[-window:]
    earlier = scores[:since][sound[:since]] if since is not None else scores[:-window][sound[:-window]]
    share = [float(part.mean()) if len(part) else float("nan") for part in (earlier, last)]
    return Course(checks=len(scores), before=share[0], now=share[1], since=since, called=called)


def weaken(confusion: Floats, course: Course) -> Floats:
    """Return the confusion matrix (K, K) with its diagonal lowered as the person's accuracy has fallen.

    What the diagonal loses goes to the errors in their proportion, so the person's answers say as much less as they are
    worth. The share of now is taken with two checks more, one of them right (Laplace), so that few checks don't make
    anybody's answers worthless. Unchanged where nobody drifts.
    """
    if not course.is_drifting or not course.before > 0:
        return confusion
    count = course.checks - (course.since or 0)
    now = (course.now * count + 1.0) / (count + 2.0)
    factor = min(now / course.before, 1.0)
    right = np.diagonal(confusion)
    wrong = 1.0 - right
    size = len(confusion)
    even = np.full_like(confusion, 1.0 / max(size - 1, 1))
    shares = np.divide(confusion, wrong[:, None], out=even, where=wrong[:, None] > 0)
    lowered: Floats = shares * (1.0 - right * factor)[:, None]
    np.fill_diagonal(lowered, right * factor)
    return lowered
