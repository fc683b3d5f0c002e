"""A study's slides as the watch over domains sees them: what each case has in each domain, under one model.

Decides which regions are read and which answer of the model counts; refuses to judge: that is `learning.domains`. The
audit sample is never scored, and so it is not here.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from annotation.models import FeatureShard, GroundTruthRevision, ModelVersion, ScoreFile
from learning import registry
from learning.domains.shift import ROWS_A_SIDE
from learning.domains.watch import Units
from learning.features import open_shard
from learning.query import scores
from workers import bridge, files
from workers.progress import Progress


@dataclass
class _Unit:
    """What one case has in one domain, added up slide by slide."""

    regions: int = 0
    trained: int = 0
    unheard: int = 0
    level: float = 0.0
    classes: Counter[int] = field(default_factory=Counter)
    samples: list[NDArray[np.float16]] = field(default_factory=list)


def read_units(model: ModelVersion, *, seed: int, report: Progress) -> Units:
    """All cases and domains with scores of the model, in the order of names; slides whose files are lost are left out.

    The class of a region that the model was trained on is the out-of-fold answer, and its disagreement is left out.
    Of a learned encoder the features beside its own are compared: its own know the regions it has learned from.
    """
    learned = model.study.encoders.filter(digest=model.encoder_digest).first()
    digest = learned.beside if learned else model.encoder_digest
    names = dict(ScoreFile.objects.filter(model=model).values_list("slide_id", "stored_name"))
    shards = [
        shard
        for shard in bridge.read_shards(model.study, encoder_digest=digest)
        if shard.slide_id in names and files.path_of(names[shard.slide_id]).is_file()
    ]
    trained = _read_trained(model)
    places = Counter((shard.slide.domain.name, shard.slide.case.code) for shard in shards)
    most = {name: max(1, ROWS_A_SIDE // count) for name, count in Counter(name for name, _ in places).items()}
    found = {place: _Unit() for place in sorted(places)}
    generator = np.random.default_rng(seed)
    for done, shard in enumerate(shards, start=1):
        domain, case = shard.slide.domain.name, shard.slide.case.code
        wanted = -(-most[domain] // places[domain, case])
        _add(found[domain, case], shard, names[shard.slide_id], trained[shard.slide_id], wanted, generator)
        report(done, len(shards))
    return _stack(found, classes=len(model.class_codes))


def _read_trained(model: ModelVersion) -> dict[int, dict[int, int]]:
    """Slide -> {index of a region that the model was trained on: the class it was given by who had not seen it}."""
    revisions = model.training_set.revision_ids
    rows = GroundTruthRevision.objects.filter(pk__in=revisions)
    where = {row[0]: row[1:] for row in rows.values_list("pk", "region__slide_id", "region__index")}
    proba = registry.load(files.models_folder(), model.digest).ensemble.oof_proba
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for revision, answer in zip(revisions, proba.argmax(axis=1).tolist(), strict=True):
        slide, index = where[revision]
        found[slide][index] = answer
    return found


def _add(
    unit: _Unit,
    shard: FeatureShard,
    name: str,
    trained: dict[int, int],
    wanted: int,
    generator: np.random.Generator,
) -> None:
    scored = scores.load(files.path_of(name))
    rows = np.array(sorted(trained), dtype=np.int64)
    top = scored.top1.astype(np.int64)
    top[rows] = [trained[row] for row in rows.tolist()]
    unheard = np.delete(scored.mutual_information.astype(np.float64), rows)
    unit.regions += len(scored)
    unit.trained += len(rows)
    unit.unheard += len(unheard)
    unit.level += float(unheard.sum())
    unit.classes.update(top.tolist())
    sample = np.sort(generator.permutation(len(scored))[:wanted])
    unit.samples.append(np.asarray(open_shard(files.path_of(shard.stored_name))[sample]))


def _stack(found: dict[tuple[str, str], _Unit], *, classes: int) -> Units:
    units = list(found.values())
    _, cases = np.unique([case for _, case in found], return_inverse=True)
    sampled = [sum(len(part) for part in unit.samples) for unit in units]
    parts = [part for unit in units for part in unit.samples]
    return Units(
        domains=[domain for domain, _ in found],
        cases=cases.astype(np.int64),
        regions=np.array([unit.regions for unit in units], dtype=np.int64),
        trained=np.array([unit.trained for unit in units], dtype=np.int64),
        shares=np.array([[unit.classes[code] / unit.regions for code in range(classes)] for unit in units]),
        levels=np.array([unit.level / max(unit.unheard, 1) for unit in units]),
        features=np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float16),
        unit_of=np.repeat(np.arange(len(units)), sampled),
    )
