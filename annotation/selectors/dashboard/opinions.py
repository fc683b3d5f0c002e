"""The opinions that agreement may be measured on: blind answers to regions that were not sought for their difficulty.

Decides which regions are fair (audit sample and random share) and how many are looked at; refuses to measure.
"""

from dataclasses import dataclass

import numpy as np
from django.db.models import CharField
from django.db.models.functions import MD5, Cast

from annotation.models import Annotation, Pick, Region
from annotation.selectors.dashboard.board import Board
from annotation.states import SLOT_KINDS, AnswerKind, Stratum
from learning.consensus import gather
from learning.consensus.answers import Answers

MOST_REGIONS = 2000
"""Of a larger study that many regions, by a digest of their keys: a random sample, and the same one each time."""


@dataclass(frozen=True, slots=True)
class FairOpinions:
    """Answers with the names of their axes; `cases` (I,) is each region's case."""

    answers: Answers
    cases: np.ndarray
    pseudonyms: list[str]
    codes: list[str]
    is_sample: bool


def read(board: Board) -> FairOpinions:
    """The standing opinions under the board's domain and days, by today's codes."""
    cases = _read_cases(board)
    kept = list(cases)[:MOST_REGIONS]
    codes = [one.code for one in board.reading.classes]
    labels = _read_labels(board, kept, codes)
    places = {region: place for place, region in enumerate(kept)}
    people = sorted({name for _, name in labels})
    columns = {name: place for place, name in enumerate(people)}
    answers = gather(
        items=np.array([places[region] for region, _ in labels], dtype=np.int64),
        annotators=np.array([columns[name] for _, name in labels], dtype=np.int64),
        labels=np.array(list(labels.values()), dtype=np.int64),
        sizes=(len(kept), len(people), max(len(codes), 1)),
    )
    return FairOpinions(answers, np.array([cases[one] for one in kept]), people, codes, len(cases) > MOST_REGIONS)


def _read_cases(board: Board) -> dict[int, int]:
    """Region -> case of the fair regions that somebody has begun, one more than are looked at."""
    picked = Pick.objects.filter(study=board.study, stratum__in=[Stratum.AUDIT, Stratum.RANDOM], has_begun=True)
    if board.filters.domain:
        picked = picked.filter(region__slide__domain__name=board.filters.domain)
    drawn = picked.order_by(MD5(Cast("region_id", CharField())), "region_id").values_list("region_id", flat=True)
    # A region is picked again for a recheck at most now and then: asked for with some to spare, and once each.
    wanted = list(dict.fromkeys(drawn[: 2 * MOST_REGIONS]))[: MOST_REGIONS + 1]
    found = dict(Region.objects.filter(pk__in=wanted).order_by().values_list("pk", "slide__case"))
    return {region: found[region] for region in wanted}


def _read_labels(board: Board, regions: list[int], codes: list[str]) -> dict[tuple[int, str], int]:
    """(region, pseudonym) -> class index of the person's newest opinion, where it has a class today."""
    place = {code: index for index, code in enumerate(codes)}
    rows = (
        Annotation.objects.filter(
            board.filters.answers(),
            study=board.study,
            region__in=regions,
            assignment_kind__in=SLOT_KINDS,
            corrections__isnull=True,
        )
        .exclude(kind=AnswerKind.WITHDRAWN)
        .order_by("pk")
        .values_list("region_id", "annotator_id", "protocol_id", "label")
    )
    names = {one.pk: one.pseudonym for one in board.reading.members}
    found = {}
    for region, annotator, protocol, label in rows:
        index = place.get(board.reading.codes.get(protocol, {}).get(label, ""))
        if index is not None:
            found[region, names[annotator]] = index
    return found
