"""Orders in which a member's leased regions can be looked at: by slide, by likeness, by the model's suggestion.

Decides what an order may depend on: place and pixels, and what the model says only where the study shows it to this
person for this region. Nobody's answers have a part in it. Refuses to hand out work.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation import store
from annotation.models import Assignment, EncoderVersion, FeatureShard, Membership, Study
from annotation.policy import LARGEST_BATCH
from annotation.selectors import queue
from annotation.states import AssignmentKind
from learning import similarity


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Tokens of leases in one order each; None where there is no such order. `unlike`: those without features."""

    slide: list[str]
    similarity: list[str] | None
    unlike: int
    suggestion: list[str] | None
    uncertainty: list[str] | None


def of_member(*, study: Study, member: Membership) -> Arrangement:
    """The orders of what `member` holds now and is asked to label."""
    held = list(queue.held(member).exclude(kind=AssignmentKind.ADJUDICATE)[:LARGEST_BATCH])
    by_place = sorted(held, key=lambda row: (row.region.slide.public_id, row.region.index))
    alike, unlike = _by_likeness(by_place)
    shows = study.policy.show_suggestions
    return Arrangement(
        slide=_tokens(by_place),
        similarity=_tokens([*alike, *unlike]) if alike else None,
        unlike=len(unlike),
        suggestion=_tokens(_by_suggestion(by_place)) if shows else None,
        uncertainty=_tokens(_by_uncertainty(by_place)) if shows else None,
    )


def _tokens(leases: Sequence[Assignment]) -> list[str]:
    return [lease.token for lease in leases]


def _by_suggestion(leases: Sequence[Assignment]) -> list[Assignment]:
    """Those without a suggestion last; gold, repeats and the control share have none."""
    return sorted(leases, key=lambda row: (not row.suggestion, row.suggestion))


def _by_uncertainty(leases: Sequence[Assignment]) -> list[Assignment]:
    """The least sure suggestion first. What was not shown to this person orders nothing."""

    def certainty(row: Assignment) -> float:
        return float(row.pick.parts.get("top", 1.0)) if row.suggestion and row.pick else 2.0

    return sorted(leases, key=certainty)


def _by_likeness(leases: Sequence[Assignment]) -> tuple[list[Assignment], list[Assignment]]:
    """The leases whose regions have features, like beside like, and the others."""
    shards = _shards(leases)
    rows = {lease.pk: _row(shards.get(lease.region.slide_id), lease.region.index) for lease in leases}
    known = [lease for lease in leases if rows[lease.pk] is not None]
    if not known:
        return [], list(leases)
    features = np.stack([row for lease in known if (row := rows[lease.pk]) is not None])
    alike = [known[place] for place in similarity.order(features)]
    return alike, [lease for lease in leases if rows[lease.pk] is None]


def _shards(leases: Sequence[Assignment]) -> dict[int, NDArray[np.float16]]:
    """The features of the leases' slides under the encoder that knows most of these regions, mapped into memory.

    A learned encoder does not come here: it has learned from answers, and the order it makes would tell of them.
    """
    learned = EncoderVersion.objects.filter(study__in={lease.study_id for lease in leases}).values("digest")
    slides = {lease.region.slide_id: lease.region.slide for lease in leases}
    found = [
        shard
        for shard in FeatureShard.objects.filter(slide__in=slides).exclude(encoder_digest__in=learned).order_by("pk")
        if shard.tiling_digest == slides[shard.slide_id].tiling_digest
    ]
    weight = Counter(lease.region.slide_id for lease in leases)
    known: Counter[str] = Counter()
    for shard in found:
        known[shard.encoder_digest] += weight[shard.slide_id]
    best = max(known, key=lambda digest: known[digest], default="")
    opened = {shard.slide_id: _open(shard) for shard in found if shard.encoder_digest == best}
    return {slide: rows for slide, rows in opened.items() if rows is not None}


def _open(shard: FeatureShard) -> NDArray[np.float16] | None:
    try:
        rows = np.load(store.root() / shard.stored_name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return rows if rows.ndim == 2 and len(rows) == shard.rows else None


def _row(shard: NDArray[np.float16] | None, index: int) -> NDArray[np.float16] | None:
    return None if shard is None or index >= len(shard) else np.asarray(shard[index])
