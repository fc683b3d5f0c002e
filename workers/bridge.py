"""Rows to arrays and back: what steps read from the database, in an order that repeats.

Decides the order (slides by public id, regions by index), never by keys that another database would number
differently; refuses to know what is computed from the arrays.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, QuerySet
from numpy.typing import NDArray

from annotation import mapping
from annotation.errors import BadInput
from annotation.models import FeatureShard, LabelClass, ModelVersion, Region, Slide, Study
from annotation.rules import Item
from annotation.states import AuditHalf
from learning.features import Encoder, get_encoder, open_shard
from learning.features.rows import FeatureRows
from workers import files


def choose_encoder(study: Study) -> Encoder:
    """The encoder of the study's policy; BadInput lists the known ones."""
    try:
        return get_encoder(study.policy.encoder)
    except ValueError as error:
        raise BadInput(str(error)) from error


def read_rectangles(slide: Slide) -> NDArray[np.int32]:
    """x, y, width, height (N, 4) of a slide's regions in the order of `index`."""
    rows = slide.regions.order_by("index").values_list("x", "y", "width", "height")
    return np.array(list(rows), dtype=np.int32).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class Examples:
    """Settled regions with a class to learn, ordered by slide and index: N rows that belong together.

    `names` are (region's public id, revision's number); `cases` (N,) index into the study's sorted case codes;
    `domains` are names.
    """

    names: list[tuple[str, int]]
    revision_ids: list[int]
    features: NDArray[np.float16]
    labels: NDArray[np.int64]
    cases: NDArray[np.int64]
    domains: list[str]

    def __len__(self) -> int:
        return len(self.names)


def learnable_codes(study: Study) -> list[str]:
    """Codes of the current protocol that a model learns: special outcomes are none of them."""
    classes = LabelClass.objects.filter(protocol=study.protocol_id, is_special=False)
    return list(classes.order_by("position", "code").values_list("code", flat=True))


def codes_today(model: ModelVersion) -> tuple[str, ...]:
    """What the classes that a model tells apart are called today, in its order; "" for one that has ended."""
    table = mapping.exact_codes(model.study).get(model.training_set.protocol_id, {})
    return tuple(table.get(code, "") for code in model.class_codes)


def read_examples(study: Study, *, encoder_digest: str, audit_half: AuditHalf = AuditHalf.NONE) -> Examples:
    """Settled, not excluded regions of one part of the study, with labels under the current protocol.

    Regions of slides without features for this encoder are left out, and so are labels that no longer hold.
    """
    codes = {code: position for position, code in enumerate(learnable_codes(study))}
    table = mapping.exact_codes(study)
    cases = sorted(study.cases.values_list("code", flat=True))
    case_index = {code: position for position, code in enumerate(cases)}
    parts, names, revisions, labels, groups, domains = [], [], [], [], [], []
    for shard in read_shards(study, encoder_digest=encoder_digest):
        rows = []
        for index, public_id, revision, number, protocol, label in _settled_rows(shard.slide, audit_half):
            position = codes.get(table.get(protocol, {}).get(label, ""))
            if position is not None:
                rows.append(index)
                names.append((public_id, number))
                revisions.append(revision)
                labels.append(position)
                groups.append(case_index[shard.slide.case.code])
                domains.append(shard.slide.domain.name)
        if rows:
            parts.append(np.asarray(open_shard(files.path_of(shard.stored_name))[rows]))
    features = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float16)
    indices = np.array([labels, groups], dtype=np.int64)
    return Examples(names, revisions, features, indices[0], indices[1], domains)


def count_labels(study: Study, codes: Sequence[str]) -> NDArray[np.int64]:
    """Settled regions outside the audit sample of each of `codes`, (K,), under the names of today's protocol."""
    table = mapping.exact_codes(study)
    settled = Region.objects.filter(study=study, current_revision__is_settled=True).learnable()
    rows = settled.order_by().values_list("current_revision__protocol_id", "current_revision__label")
    counts: Counter[str] = Counter()
    for protocol, label, many in rows.annotate(many=Count("pk")):
        counts[table.get(protocol, {}).get(label, "")] += many
    return np.array([counts[code] if code else 0 for code in codes], dtype=np.int64)


def read_shards(study: Study, *, encoder_digest: str) -> list[FeatureShard]:
    """Shards of the study's current tilings under one encoder whose files are there, by the slides' public ids."""
    shards = FeatureShard.objects.filter(
        slide__study=study, encoder_digest=encoder_digest, tiling_digest=F("slide__tiling_digest")
    )
    rows = shards.select_related("slide", "slide__case", "slide__domain").order_by("slide__public_id")
    return [shard for shard in rows if files.path_of(shard.stored_name).is_file()]


def find_rows(study: Study, items: Sequence[Item], *, encoder_digest: str) -> tuple[NDArray[np.int64], FeatureRows]:
    """The row of each item in the study's shards one below the other, -1 where it has none; and these."""
    starts: dict[str, int] = {}
    shards, count = [], 0
    for shard in read_shards(study, encoder_digest=encoder_digest):
        starts[shard.slide.public_id] = count
        shards.append(open_shard(files.path_of(shard.stored_name)))
        count += shard.rows
    placed = Region.objects.filter(study=study).exclude(current_revision=None)
    index = dict(placed.values_list("public_id", "index").iterator(chunk_size=5000))
    rows = [starts[item.slide] + index[item.region] if item.slide in starts else -1 for item in items]
    return np.array(rows, dtype=np.int64), FeatureRows(shards)


def _settled_rows(slide: Slide, audit_half: AuditHalf) -> QuerySet[Region, tuple[int, str, int, int, int, str]]:
    settled = Region.objects.filter(
        slide=slide,
        audit_half=audit_half,
        current_revision__is_settled=True,
        current_revision__is_excluded=False,
    )
    return settled.order_by("index").values_list(
        "index",
        "public_id",
        "current_revision_id",
        "current_revision__number",
        "current_revision__protocol_id",
        "current_revision__label",
    )
