"""The pool that a batch is drawn from, as arrays over all slides with features.

Decides which rows may be picked and which count as taken; refuses to know how a batch is chosen. Only indices leave
the database: no row of a region is built for a pool of millions.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Aggregate, BinaryField, Func, QuerySet, Value
from numpy.typing import NDArray

from annotation.models import FeatureShard, ModelVersion, Region, ScoreFile, Study
from annotation.services import picks
from annotation.states import RegionState
from learning.features import open_shard
from learning.features.rows import FeatureRows
from learning.query import Scores, scores
from workers import bridge, files

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """N regions in the order of slides' public ids and regions' indices.

    `lost`: keys of slides whose scores are on record and not in the store. `starts` (S + 1,): first row of each slide;
    `domains` (N,) index into the sorted names of domains; `available` and `taken`: rows that may be picked, and rows
    whose likes should not be; the audit sample is in neither. `settled` (S,): settled regions of each domain.
    """

    shards: list[FeatureShard]
    starts: Rows
    features: FeatureRows
    domains: NDArray[np.int64]
    settled: NDArray[np.int64]
    available: Rows
    taken: Rows
    scores: Scores | None
    lost: list[int]

    def has_waiting(self, study: Study) -> bool:
        """Whether a region of these slides was never queued."""
        slides = [shard.slide_id for shard in self.shards]
        return Region.objects.filter(study=study, slide__in=slides).learnable().in_pool().exists()

    def find_regions(self, rows: Rows) -> list[Region]:
        """The regions of these rows, in their order."""
        slide_of = np.searchsorted(self.starts, rows, side="right") - 1
        index = rows - self.starts[slide_of]
        found: dict[tuple[int, int], Region] = {}
        for position in np.unique(slide_of).tolist():
            slide_id = self.shards[position].slide_id
            wanted = index[slide_of == position].tolist()
            for region in Region.objects.filter(slide=slide_id, index__in=wanted):
                found[position, region.index] = region
        return [found[key] for key in zip(slide_of.tolist(), index.tolist(), strict=True)]


def read_pool(study: Study, *, encoder_digest: str, model: ModelVersion | None) -> Pool:
    """The pool of the slides with features and, where `model` is given, with scores of it."""
    shards = bridge.read_shards(study, encoder_digest=encoder_digest)
    names: dict[int, str] = {}
    lost: list[int] = []
    if model is not None:
        names = dict(ScoreFile.objects.filter(model=model).values_list("slide_id", "stored_name"))
        lost = [slide for slide, name in names.items() if not files.path_of(name).is_file()]
        shards = [shard for shard in shards if shard.slide_id in names.keys() - lost]
    starts = np.concatenate([[0], np.cumsum([shard.rows for shard in shards])]).astype(np.int64)
    domain_names = sorted({shard.slide.domain.name for shard in shards})
    domains = [domain_names.index(shard.slide.domain.name) for shard in shards]
    return Pool(
        shards=shards,
        starts=starts,
        features=FeatureRows(_map_shards(shards)),
        domains=np.repeat(np.array(domains, dtype=np.int64), np.diff(starts)),
        settled=bridge.count_domains(study, domain_names),
        available=_gather(shards, starts, _available(study)),
        taken=_gather(shards, starts, _taken(study)),
        scores=_read_scores(shards, names) if model is not None else None,
        lost=lost,
    )


class ClosedShard:
    """A shard that is mapped only while rows are read: a mapping holds a file, and slides come by the thousand."""

    def __init__(self, shard: FeatureShard, *, dimensions: int) -> None:
        self._path = files.path_of(shard.stored_name)
        self.shape = (shard.rows, dimensions)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows) -> NDArray[np.float16]:
        return np.asarray(open_shard(self._path)[rows])


def _map_shards(shards: list[FeatureShard]) -> Any:
    if not shards:
        return []
    dimensions = int(open_shard(files.path_of(shards[0].stored_name)).shape[1])
    return [ClosedShard(shard, dimensions=dimensions) for shard in shards]


def _read_scores(shards: list[FeatureShard], names: dict[int, str]) -> Scores:
    return scores.merge([scores.load(files.path_of(names[shard.slide_id])) for shard in shards])


def _gather(shards: list[FeatureShard], starts: Rows, regions: QuerySet[Region]) -> Rows:
    """Rows of the pool that `regions` are, in ascending order.

    The database packs the indices of a slide into one value: a row for each of a million takes it ten times as long.
    """
    four_bytes = Func("index", function="int4send", output_field=BinaryField())
    packed = Aggregate(four_bytes, Value(b""), function="string_agg", output_field=BinaryField())
    start_of = {shard.slide_id: start for shard, start in zip(shards, starts[:-1].tolist(), strict=True)}
    parts = [
        start_of[slide] + np.frombuffer(indices, dtype=">i4").astype(np.int64)
        for slide, indices in regions.values("slide").annotate(packed=packed).values_list("slide", "packed")
        if slide in start_of
    ]
    return np.sort(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)


def _available(study: Study) -> QuerySet[Region]:
    """The pool, and what a new batch takes back into it: what it replaces must be able to win again."""
    learnable = Region.objects.filter(study=study).learnable().order_by()
    return learnable.in_pool() | learnable.filter(pk__in=picks.withdrawable(study).values("region_id"))


def _taken(study: Study) -> QuerySet[Region]:
    asked = Region.objects.filter(study=study).learnable()
    asked = asked.exclude(state__in=[RegionState.POOL, RegionState.EXCLUDED])
    return asked.exclude(pk__in=picks.withdrawable(study).values("region_id")).order_by()
