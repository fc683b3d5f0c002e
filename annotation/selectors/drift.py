"""Who has fallen off: every person's checks in the order of time, with the fair answers against the consensus.

Decides what counts as a check; whether accuracy fell is `learning.consensus.drift`, what follows is for others.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from annotation import canonical, mapping
from annotation.models import Annotation, Study
from annotation.selectors import outcomes
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind
from learning.consensus.drift import Course, follow

_KINDS = {AssignmentKind.GOLD: 0, AssignmentKind.REPEAT: 1}
_FAIR = 2


class Check(NamedTuple):
    """One result: `score` is 1 for right, 0 for wrong, or the probability of being right."""

    number: int
    kind: int
    score: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Consensus:
    """What fair answers are held against: the posterior (N, K) of `regions` (public ids) over `codes`."""

    regions: Sequence[str]
    codes: Sequence[str]
    posterior: np.ndarray
    opinions: np.ndarray  # (N,) how many people answered
    fair: Collection[str]  # public ids of regions that were not sought for their difficulty


@dataclass(frozen=True, slots=True)
class Followed:
    """A person's course, and when it turned: None where nobody says that it has."""

    course: Course
    since: datetime | None

    def to_json(self) -> dict[str, Any] | None:
        """What a snapshot keeps of it: nothing unless the person drifts."""
        if self.since is None:
            return None
        return {
            "since": self.since.isoformat(),
            "before": canonical.rounded(self.course.before, 4),
            "now": canonical.rounded(self.course.now, 4),
            "checks": self.course.checks,
        }


def follow_all(study: Study, consensus: Consensus, *, window: int) -> dict[str, Followed]:
    """Everybody's course by pseudonym: gold, repeats, and fair answers of regions that others answered too."""
    found: dict[str, list[Check]] = defaultdict(list)
    codes = mapping.exact_codes(study)
    for one in outcomes.read(study, codes=codes):
        found[one.pseudonym].append(Check(one.number, _KINDS[one.kind], float(one.is_right), one.at))
    for name, check in _fair(study, consensus, codes):
        found[name].append(check)
    return {name: _follow(sorted(checks), window=window) for name, checks in found.items()}


def _follow(checks: list[Check], *, window: int) -> Followed:
    scores = np.array([one.score for one in checks], dtype=np.float64)
    kinds = np.array([one.kind for one in checks], dtype=np.int64)
    course = follow(scores, kinds, window=window)
    return Followed(course, None if course.since is None else checks[course.since].at)


def _fair(study: Study, consensus: Consensus, codes: outcomes.Codes) -> list[tuple[str, Check]]:
    """Standing answers to fair regions with at least two opinions, scored by the posterior of what was said."""
    row = {name: place for place, name in enumerate(consensus.regions) if consensus.opinions[place] > 1}
    wanted = {name: place for name, place in row.items() if name in consensus.fair}
    index = {code: place for place, code in enumerate(consensus.codes)}
    answers = Annotation.objects.filter(study=study, assignment_kind__in=SLOT_KINDS, corrections__isnull=True)
    answers = answers.exclude(kind=AnswerKind.WITHDRAWN).order_by()
    columns = ("pk", "annotator__pseudonym", "region__public_id", "protocol", "label", "created_at")
    found = []
    for number, name, region, protocol, label, at in answers.values_list(*columns).iterator(chunk_size=5000):
        said = index.get(codes.get(protocol, {}).get(label, ""))
        if said is not None and region in wanted:
            score = min(max(float(consensus.posterior[wanted[region], said]), 0.0), 1.0)
            found.append((name, Check(number, _FAIR, score, at)))
    return found
