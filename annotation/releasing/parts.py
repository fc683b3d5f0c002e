"""What the files of a release hold: tables, the formats of other programs, and pages for people.

Decides files and columns; refuses to write to a disk.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from annotation import chain
from annotation.releasing import changelog, datasheet, files, manifest, readme, tables
from annotation.releasing.content import Content, ReleasedRegion
from annotation.releasing.formats import citation, coco, croissant, geojson
from annotation.releasing.manifest import FileFact

LABEL_COLUMNS = (
    "region slide slide_sha256 case domain x y width height label confidence method revision protocol "
    "n_answers agreement split audit"
).split()
ANSWER_COLUMNS = "region annotator number kind label protocol seconds flagged suggestion".split()
CLASS_COLUMNS = "code name colour definition special parent quota regions".split()


@dataclass(frozen=True, slots=True)
class Part:
    """A file in blocks; `rows` counts what a table or a format holds."""

    name: str
    blocks: Iterable[bytes]
    rows: int | None = None


def tables_of(content: Content) -> Iterator[Part]:
    """The tables, and the ledger up to the pass."""
    codes = content.codes
    labels = tables.render(label_columns(content), (_label_row(region, codes) for region in content.regions))
    yield Part(files.LABELS, [labels], len(content.regions))
    yield Part(files.ANSWERS, [tables.render(ANSWER_COLUMNS, _answer_rows(content))], len(content.answers))
    yield Part(files.CLASSES, [tables.render(CLASS_COLUMNS, _class_rows(content))], len(content.classes))
    lines = (f"{chain.to_line(link)}\n".encode() for link in content.links)
    yield Part(files.LEDGER, lines, content.position)
    if content.earlier is not None:
        yield Part(changelog.TABLE, [content.earlier.table], content.earlier.rows)


def formats_of(content: Content) -> Iterator[Part]:
    """The same labels as other programs open them."""
    yield Part(coco.NAME, coco.render(content), len(content.regions))
    for name, text in geojson.render(content):
        yield Part(name, [text])


def pages_of(content: Content, *, facts: Mapping[str, FileFact]) -> Iterator[Part]:
    """What is read by people, and by machines that look for data sets; `facts` are those of all other files."""
    yield Part(files.DATASHEET, [datasheet.render(content).encode()])
    yield Part(changelog.NAME, [changelog.render(content)])
    yield Part(citation.NAME, [citation.render(content)])
    yield Part(files.README, [readme.render(content, facts=facts)])
    columns = {files.LABELS: label_columns(content), files.ANSWERS: ANSWER_COLUMNS, files.CLASSES: CLASS_COLUMNS}
    yield Part(croissant.NAME, [croissant.render(content, files=facts, columns=columns)])


def label_columns(content: Content) -> list[str]:
    """The columns of the table of labels: those of every release, and a probability for each class."""
    return [*LABEL_COLUMNS, *(f"p_{code}" for code in content.codes)]


def _label_row(region: ReleasedRegion, codes: list[str]) -> list[object]:
    slide = region.slide
    known = region.posterior
    confidence = known[codes.index(region.label)] if known else None
    where: list[object] = [region.region, slide.slide, slide.sha256, slide.case, slide.domain]
    where += [region.x, region.y, region.width, region.height]
    what: list[object] = [region.label, confidence, region.method, region.revision, region.protocol]
    what += [region.opinions, region.agreement, slide.split, region.audit]
    return [*where, *what, *(known or [None] * len(codes))]


def _answer_rows(content: Content) -> Iterator[tuple[object, ...]]:
    for one in content.answers:
        given = (one.region, one.annotator, one.number, one.kind, one.label, one.protocol, one.seconds)
        yield (*given, one.is_flagged, one.suggestion)


def _class_rows(content: Content) -> Iterator[tuple[object, ...]]:
    counts = manifest.count(content)["classes"]
    for one in content.classes:
        said = (one.code, one.name, one.colour, one.definition, one.is_special, one.parent, one.quota)
        yield (*said, counts.get(one.code, 0))
