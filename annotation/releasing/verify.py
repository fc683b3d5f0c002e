"""Checks a release with nothing but its folder: files, counts, splits, the ledger, and every label against it.

Decides what fits; refuses databases, secrets and the network. Each problem is a sentence that names file and row.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation import chain, garbage
from annotation.releasing import changelog, ensemble, files, standing, tables, verify_formats
from annotation.releasing.formats import citation, coco, croissant
from annotation.releasing.manifest import FORMAT, VERSION

_FIRST = (files.LABELS, files.ANSWERS, files.CLASSES, files.LEDGER, files.DATASHEET)
_PARTS = {1: _FIRST, 2: (*_FIRST, coco.NAME, croissant.NAME, citation.NAME, changelog.NAME, files.README)}
"""Version of the manifest -> the files that no release of it lacks."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome: the manifest's digest, how many regions there are, and what does not fit."""

    digest: str
    regions: int
    problems: list[str]

    @property
    def ok(self) -> bool:
        return not self.problems


@garbage.left_alone()
def verify(path: Path, *, digest: str | None = None) -> Checked:
    """Check the folder at `path`. `digest`, known from elsewhere, is the only proof against a folder made anew."""
    if not path.is_dir():
        return Checked("", 0, [f"{path} is not a folder."])
    problems = files.find_damage(path)
    manifest_path = path / files.MANIFEST
    if not manifest_path.is_file():
        return Checked("", 0, problems)
    own = files.hash_file(manifest_path)
    expected = digest or (path.name if _is_digest(path.name) else None)
    if expected and expected != own:
        problems.append(f"{files.MANIFEST} has the digest {own}, but {expected} is expected.")
    regions = 0
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        if manifest.get("format") != FORMAT or manifest.get("version") not in _PARTS:
            problems.append(f"{files.MANIFEST} is not of the format {FORMAT} {VERSION} or older.")
        else:
            regions = manifest["counts"]["regions"]
            problems += _check_files(path, manifest)
            if all((path / name).is_file() for name in _PARTS[manifest["version"]]):
                problems += _check_content(path, manifest)
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError, csv.Error) as error:
        problems.append(f"The release cannot be read to its end: {type(error).__name__}: {error}.")
    return Checked(own, regions, problems)


def _is_digest(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)


def _check_files(path: Path, manifest: dict[str, Any]) -> Iterator[str]:
    facts = manifest["files"]
    for name in _PARTS[manifest["version"]]:
        if name not in facts:
            yield f"{files.MANIFEST} says nothing about {name}."
    for name, fact in facts.items():
        target = path / name
        if not files.is_name(name) or not target.is_file():
            yield f"{files.MANIFEST} names {name}, which is not there."
        elif files.hash_file(target) != fact["sha256"] or target.stat().st_size != fact["size_bytes"]:
            yield f"{name} is not the file that {files.MANIFEST} describes."
    yield from ensemble.check(manifest.get("facts", {}), facts)


def _check_content(path: Path, manifest: dict[str, Any]) -> Iterator[str]:
    labels = tables.read(path / files.LABELS)
    answers = tables.read(path / files.ANSWERS)
    yield from _check_counts(labels, answers, manifest)
    yield from _check_rows(labels, manifest)
    links = list(_read_ledger(path / files.LEDGER))
    yield from _check_chain(links, manifest)
    stood = standing.fold(links)
    yield from _check_labels(labels, stood, manifest)
    if manifest["version"] > 1:
        yield from verify_formats.check(path, labels, manifest)
    yield from _check_answers(labels, answers, stood)


def _check_counts(
    labels: list[dict[str, str]], answers: list[dict[str, str]], manifest: dict[str, Any]
) -> Iterator[str]:
    counts = manifest["counts"]
    counted = {
        "regions": len(labels),
        "answers": len(answers),
        "annotators": len({row["annotator"] for row in answers}),
        "slides": len(manifest["slides"]),
        "cases": len({slide["case"] for slide in manifest["slides"]}),
        "classes": dict(Counter(row["label"] for row in labels)),
        "splits": dict(Counter(row["split"] for row in labels)),
        "methods": dict(Counter(row["method"] for row in labels)),
    }
    for name, value in counted.items():
        if counts[name] != value:
            yield f"{files.MANIFEST} counts {name} as {counts[name]}, but the tables hold {value}."


def _check_rows(labels: list[dict[str, str]], manifest: dict[str, Any]) -> Iterator[str]:
    slides = {slide["slide"]: slide for slide in manifest["slides"]}
    codes, seen = manifest["protocol"]["classes"], set()
    for line, row in enumerate(labels, start=2):
        where = f"{files.LABELS}, line {line} (region {row['region']})"
        if row["region"] in seen:
            yield f"{where}: the region is there twice."
        seen.add(row["region"])
        if row["label"] not in codes:
            yield f"{where}: {row['label']} is not a class of the protocol."
        slide = slides.get(row["slide"])
        if slide is None:
            yield f"{where}: its slide {row['slide']} is not in the manifest."
            continue
        facts = {"slide_sha256": "sha256", "case": "case", "domain": "domain", "split": "split"}
        for column, key in facts.items():
            if row[column] != slide[key]:
                yield f"{where}: {column} is {row[column]}, but the manifest says {slide[key]} of its slide."
        if manifest["splits"].get(row["case"]) != row["split"]:
            yield f"{where}: case {row['case']} belongs to split {manifest['splits'].get(row['case'])}."
        yield from _check_posterior(row, codes, where)


def _check_posterior(row: dict[str, str], codes: list[str], where: str) -> Iterator[str]:
    shares = [row[f"p_{code}"] for code in codes]
    if not any(shares):
        return
    values = [float(share) for share in shares]
    if abs(sum(values) - 1) > 1e-4 or min(values) < 0:
        yield f"{where}: the soft label does not add up to one."
    elif row["label"] in codes and row["confidence"] != row[f"p_{row['label']}"]:
        yield f"{where}: the confidence is not the posterior of the label."


def _read_ledger(path: Path) -> Iterator[chain.Link]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                yield chain.from_line(line)
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error


def _check_chain(links: list[chain.Link], manifest: dict[str, Any]) -> Iterator[str]:
    pinned = chain.Anchor(manifest["ledger"]["position"], manifest["ledger"]["digest"])
    anchors = [pinned] if pinned.position else []
    for problem in chain.find_breaks(links, anchors=anchors):
        yield f"{files.LEDGER}: {problem}"
    if len(links) > pinned.position:
        yield f"{files.LEDGER} goes on after entry {pinned.position}, where the release ends."


def _check_labels(labels: list[dict[str, str]], stood: standing.Standing, manifest: dict[str, Any]) -> Iterator[str]:
    today, mappings = manifest["protocol"]["number"], manifest["protocol"]["mappings"]
    for line, row in enumerate(labels, start=2):
        where = f"{files.LABELS}, line {line} (region {row['region']})"
        content = stood.revisions.get(row["region"])
        if content is None or not content["settled"] or content["excluded"]:
            yield f"{where}: the ledger holds no settled truth for it."
            continue
        given = standing.label_of(content)
        label = given if content["protocol"] == today else mappings[str(content["protocol"])].get(given)
        truth = {"revision": content["number"], "label": label, "method": content["method"]}
        truth["protocol"] = content["protocol"]
        for column, value in truth.items():
            if row[column] != tables.to_text(value):
                yield f"{where}: {column} is {row[column]}, but the ledger says {value}."
    released = {row["region"] for row in labels}
    for region, content in sorted(stood.revisions.items()):
        if content["settled"] and not content["excluded"] and region not in released:
            given = standing.label_of(content)
            known = manifest["protocol"]["classes"] if content["protocol"] == today else None
            known = mappings.get(str(content["protocol"]), {}) if known is None else known
            if given in known:
                yield f"{files.LABELS}: region {region} is settled in the ledger, but missing here."


def _check_answers(
    labels: list[dict[str, str]], answers: list[dict[str, str]], stood: standing.Standing
) -> Iterator[str]:
    released = {row["region"] for row in labels}
    expected = {(one["region"], one["annotator"]): one for one in stood.effective() if one["region"] in released}
    opinions = Counter(one["region"] for one in stood.opinions() if standing.label_of(one))
    for line, row in enumerate(answers, start=2):
        where = f"{files.ANSWERS}, line {line} ({row['annotator']} on region {row['region']})"
        content = expected.pop((row["region"], row["annotator"]), None)
        if content is None:
            yield f"{where}: the ledger knows no such answer, or it is there twice."
            continue
        truth = {"number": content["number"], "label": standing.label_of(content), "kind": content["assignment_kind"]}
        truth |= {key: content[key] for key in ("protocol", "seconds", "flagged", "suggestion")}
        for column, value in truth.items():
            if row[column] != tables.to_text(value):
                yield f"{where}: {column} is {row[column]}, but the ledger says {value}."
    for region, annotator in sorted(expected):
        yield f"{files.ANSWERS}: the answer of {annotator} on region {region} is missing."
    for line, row in enumerate(labels, start=2):
        if int(row["n_answers"]) > opinions[row["region"]]:
            yield f"{files.LABELS}, line {line} (region {row['region']}): more opinions than the ledger holds."
