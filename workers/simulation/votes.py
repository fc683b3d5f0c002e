"""Recorded votes: who said what about which region, from the import or from a file.

Decides what a usable set of votes is, and names the line where it is not; refuses to know how they are replayed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.errors import BadInput
from annotation.models import RecordedVote, Region, Study
from annotation.services import truth
from annotation.studyfolder import Problems
from annotation.studyfolder.probing import checksum
from annotation.studyfolder.regions import REGIONS, VOTES
from annotation.studyfolder.tables import Row, positive_seconds, read_table, whole_number
from learning.consensus import Answers, gather

_BOX = ("x", "y", "width", "height")


@dataclass(frozen=True, slots=True)
class Vote:
    """One recorded opinion: a class of today's protocol, and how long it took where that was written down."""

    label: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Book:
    """All votes: reader (a keyed digest) -> region (its public id) -> vote. `codes` are the protocol's classes."""

    codes: list[str]
    votes: Mapping[str, Mapping[str, Vote]]

    @property
    def count(self) -> int:
        return sum(len(given) for given in self.votes.values())

    @property
    def regions(self) -> list[str]:
        return sorted({region for given in self.votes.values() for region in given})

    def answers(self) -> Answers:
        """Every vote as arrays: items as in `regions`, annotators by the readers' sorted names."""
        place = {region: index for index, region in enumerate(self.regions)}
        code = {name: index for index, name in enumerate(self.codes)}
        triples = [
            (place[region], column, code[vote.label])
            for column, reader in enumerate(sorted(self.votes))
            for region, vote in self.votes[reader].items()
        ]
        items, annotators, labels = np.array(triples, dtype=np.int64).T
        return gather(
            items=items, annotators=annotators, labels=labels, sizes=(len(place), len(self.votes), len(self.codes))
        )


def recorded(study: Study) -> Book:
    """The votes that were imported with the study; BadInput where there are none or a class is not today's."""
    rows = RecordedVote.objects.filter(region__study=study).order_by("annotator", "region__public_id")
    votes: dict[str, dict[str, Vote]] = {}
    for reader, region, label, seconds in rows.values_list("annotator", "region__public_id", "label", "seconds"):
        votes.setdefault(reader, {})[region] = Vote(label, seconds)
    if not votes:
        raise BadInput(
            f"Nobody's votes are recorded for '{study.slug}': import it with a {VOTES}, or name a file with --votes."
        )
    codes = truth.class_codes(study)
    unknown = sorted({vote.label for given in votes.values() for vote in given.values()} - set(codes))
    if unknown:
        raise BadInput(
            f"Votes of '{study.slug}' name classes that its protocol no longer has: {', '.join(unknown)}. "
            "Name a file with --votes whose labels are today's."
        )
    return Book(codes, votes)


def read_file(path: Path, *, study: Study) -> Book:
    """The votes of a CSV file (region, annotator, label[, seconds]); BadInput lists every line that does not hold.

    A region is named as the study does (its public id), or by the id in a regions.csv that lies beside the file.
    """
    problems = Problems()
    codes = truth.class_codes(study)
    names = _name_regions(path.parent, study=study, problems=problems)
    votes: dict[str, dict[str, Vote]] = {}
    for row in read_table(path, needed=["region", "annotator", "label"], optional=["seconds"], problems=problems):
        seconds = positive_seconds(row, "seconds", problems)
        region, reader = names.get(row["region"], ""), study.opaque_id("annotator", row["annotator"])
        wrong = _look(row, region=region, codes=codes, is_known=region in votes.get(reader, {}))
        if wrong is None:
            votes.setdefault(reader, {})[region] = Vote(row["label"], seconds)
        else:
            problems.add(file=row.file, line=row.line, reason=wrong[0], remedy=wrong[1])
    if not votes and not problems:
        problems.add(file=path.name, reason="It holds no vote.", remedy="Give a row for each opinion.")
    if problems:
        lines = [str(problem) for problem in problems.listed()]
        raise BadInput(f"{path.name} can't be replayed on '{study.slug}':\n" + "\n".join(lines), problems=lines)
    return Book(codes, votes)


def _look(row: Row, *, region: str, codes: list[str], is_known: bool) -> tuple[str, str] | None:
    """What is wrong with a row and what to do, or None."""
    if not region:
        remedy = f"Use the study's own name of it, or put the study folder's {REGIONS} beside the file."
        return f"The study has no region '{row['region']}'.", remedy
    if not row["annotator"]:
        return "The vote has no annotator.", "Name each annotator; only a keyed digest is stored."
    if row["label"] not in codes:
        return f"The label '{row['label']}' is not a class of the study.", f"Its classes are {', '.join(codes)}."
    if is_known:
        return f"'{row['annotator']}' voted on this region before.", "Keep one vote for each person."
    return None


def _name_regions(folder: Path, *, study: Study, problems: Problems) -> dict[str, str]:
    """Every name that a file may call a region by -> the region's public id."""
    known = set(Region.objects.filter(study=study).values_list("public_id", flat=True))
    names = {name: name for name in known}
    if not (folder / REGIONS).is_file():
        return names
    digests: dict[str, str] = {}
    for row in read_table(folder / REGIONS, needed=["id", "slide", *_BOX], problems=problems):
        path = folder / row["slide"]
        if row["slide"] not in digests:
            digests[row["slide"]] = checksum(path) if path.is_file() else ""
        # As the import names it: by the slide's content and the rectangle.
        box = [whole_number(row, column, problems) for column in _BOX]
        name = study.opaque_id("region", digests[row["slide"]], *box)
        if name in known:
            names[row["id"]] = name
    return names
