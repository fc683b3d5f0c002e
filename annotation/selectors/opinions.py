"""Every opinion of a study that counts, as columns: what the consensus is computed from.

Decides which answers enter and in what order; refuses to hold rows, of which there may be millions, and to estimate.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation import mapping
from annotation.models import Annotation, Membership, Study
from annotation.services import truth
from annotation.states import SLOT_KINDS, AnswerKind
from learning.consensus import gather
from learning.consensus.answers import Answers

Keys = NDArray[np.int64]

_NONE = -1
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Opinions:
    """Answers with the names of their axes: regions by public id, annotators by pseudonym, classes by code."""

    regions: list[str]
    pseudonyms: list[str]
    codes: list[str]
    answers: Answers


def read(study: Study, *, numbers: set[tuple[str, str, int]] | None = None) -> Opinions:
    """The newest standing opinion of each person on each region, in classes of today, sorted by names.

    `numbers` limits it to answers (region, pseudonym, number): those a pass's ledger position vouches for.
    """
    codes = truth.class_codes(study)
    people = dict(Membership.objects.filter(study=study).values_list("id", "pseudonym"))
    names = dict(study.regions.filter(annotations__isnull=False).values_list("id", "public_id").distinct())
    region_keys, person_keys, labels = _read_columns(study, codes, names=names, people=people, numbers=numbers)
    kept = find_newest(region_keys, person_keys)
    kept = kept[labels[kept] != _NONE]
    rows, regions = _sort_names(region_keys[kept], names)
    columns, pseudonyms = _sort_names(person_keys[kept], people)
    sizes = (len(regions), len(pseudonyms), len(codes))
    answers = gather(items=rows, annotators=columns, labels=labels[kept], sizes=sizes)
    return Opinions(regions, pseudonyms, codes, answers)


def find_newest(regions: Keys, people: Keys) -> Keys:
    """Places of the last row of each region and person: `truth.effective` over columns in the order of writing."""
    order = np.lexsort((people, regions))
    if not len(order):
        return order
    regions, people = regions[order], people[order]
    is_last = np.append((regions[1:] != regions[:-1]) | (people[1:] != people[:-1]), True)
    return order[is_last]


def _read_columns(
    study: Study,
    codes: list[str],
    *,
    names: dict[int, str],
    people: dict[int, str],
    numbers: set[tuple[str, str, int]] | None,
) -> tuple[Keys, Keys, Keys]:
    """Region keys, member keys and places of classes; NONE for what replaces an opinion without being one."""
    place = {code: index for index, code in enumerate(codes)}
    table = mapping.exact_codes(study)
    columns = array("q"), array("q"), array("q")
    for region, person, number, protocol, label, counts in _rows(study):
        if numbers is None or (names[region], people[person], number) in numbers:
            columns[0].append(region)
            columns[1].append(person)
            columns[2].append(place.get(table.get(protocol, {}).get(label, ""), _NONE) if counts else _NONE)
    regions, persons, labels = (np.frombuffer(column, dtype=np.int64) for column in columns)
    return regions, persons, labels


def _rows(study: Study) -> Iterator[tuple[int, int, int, int, str, bool]]:
    rows = Annotation.objects.filter(study=study, assignment_kind__in=truth.EVIDENCE_KINDS).order_by("id")
    fields = ("region_id", "annotator_id", "number", "protocol_id", "label", "kind", "assignment_kind")
    for *found, kind, asked_as in rows.values_list(*fields).iterator(chunk_size=_CHUNK):
        yield *found, kind != AnswerKind.WITHDRAWN and asked_as in SLOT_KINDS


def _sort_names(keys: Keys, names: dict[int, str]) -> tuple[Keys, list[str]]:
    """The place of each key among the sorted names, and these names."""
    found, inverse = np.unique(keys, return_inverse=True)
    named = [names[key] for key in found.tolist()]
    order = sorted(range(len(named)), key=named.__getitem__)
    places = np.empty(len(named), dtype=np.int64)
    places[order] = np.arange(len(named))
    return places[inverse], [named[index] for index in order]
