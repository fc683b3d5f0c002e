"""The opinions that agreement may be measured on: blind answers to regions that were not sought for their difficulty.

Decides which regions are fair (audit sample and random share) and how many are looked at; refuses to measure.
"""

from dataclasses import dataclass

import numpy as np

from annotation.models import Annotation, Pick, Region
from annotation.selectors.dashboard.board import Board
from annotation.states import SLOT_KINDS, AnswerKind, Stratum
from learning.consensus import gather
from learning.consensus.answers import Answers

MOST_REGIONS = 4000
"""Of a larger study that many regions, in the order of their opaque names: a keyed digest, so a random sample."""


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
    picked = Pick.objects.filter(study=board.study, stratum__in=[Stratum.AUDIT, Stratum.RANDOM], has_begun=True).values(
        "region"
    )
    regions = Region.objects.filter(pk__in=picked).order_by("public_id")
    if board.filters.domain:
        regions = regions.filter(slide__domain__name=board.filters.domain)
    cases = dict(regions.values_list("pk", "slide__case")[: MOST_REGIONS + 1])
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
        .values_list("region", "annotator__pseudonym", "protocol", "label")
    )
    found = {}
    for region, name, protocol, label in rows:
        index = place.get(board.reading.codes.get(protocol, {}).get(label, ""))
        if index is not None:
            found[region, name] = index
    return found
