"""`study.toml`: name, task, region size, domains, classes, policy, checklist and publication, checked key by key.

Decides whether a study is described soundly; refuses to look at slides.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.errors import BadInput
from annotation.studyfolder import fields
from annotation.studyfolder.classes import check_classes, check_enough
from annotation.studyfolder.plan import Definition
from annotation.studyfolder.problems import Problems

FILE = "study.toml"
LARGEST_BYTES = 4 * 1024 * 1024
KEYS = (
    "name",
    "task",
    "region",
    "domains",
    "classes",
    "policy",
    "guideline",
    "seed",
    "checklist",
    "publication",
    "rules",
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The checked content of a study.toml; values that did not hold have harmless ones in their place."""

    definition: Definition
    domains_hold: bool
    _lines: list[str]
    _problems: Problems

    def check_tiling(self) -> None:
        """Tell it where slides can't be tiled as the study asks; for a folder without regions.csv."""
        width, height = self.definition.region_width, self.definition.region_height
        if width != height:
            reason = f"The region is {width} x {height}, but without regions.csv slides are cut into squares."
            remedy = "Give equal width and height, or a regions.csv."
            line = find_line(self._lines, "region")
            self._problems.add(file=FILE, line=line, reason=reason, remedy=remedy)


def parse(text: str, problems: Problems) -> Parsed:
    """The definition in `text`; TOMLDecodeError where it is not TOML."""
    lines = text.splitlines()

    def tell(reason: str, remedy: str, *, key: str, row: int | None = None, field: str = "") -> None:
        problems.add(file=FILE, line=find_line(lines, key), reason=reason, remedy=remedy)

    raw: dict[str, Any] = tomllib.loads(text)
    fields.check_keys(raw, KEYS, where="study.toml", tell=tell)
    width, height, um_per_px = fields.check_region(raw.get("region", {"width": 256, "height": 256}), tell=tell)
    domains = fields.check_domains(raw.get("domains", []), tell=tell)
    classes = check_classes(raw.get("classes", []), tell=tell)
    check_enough(classes, tell=tell)
    definition = Definition(
        name=fields.check_text(raw, "name", longest=fields.LONGEST_NAME, tell=tell),
        task=fields.check_task(raw, tell=tell),
        seed=fields.check_seed(raw, tell=tell),
        region_width=width,
        region_height=height,
        region_um_per_px=um_per_px,
        domains=domains or [],
        classes=classes,
        guideline=fields.check_text(raw, "guideline", longest=fields.LONGEST_GUIDELINE, tell=tell, default=""),
        policy=fields.check_policy(raw.get("policy", {}), tell=tell),
        checklist=fields.check_checklist(raw.get("checklist", {}), tell=tell),
        publication=fields.check_publication(raw.get("publication", {}), tell=tell),
        rules=fields.check_rules(raw.get("rules", {}), codes=[item.code for item in classes], tell=tell),
    )
    return Parsed(definition, domains is not None, lines, problems)


def find_line(lines: list[str], key: str) -> int | None:
    """The first line that sets `key` or opens its table; None where it can't be told."""
    if not key:
        return None
    pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(=|\])")
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), None)


def read_definition(folder: Path, *, problems: Problems) -> Parsed | None:
    """The definition in `folder`, checked; None where there is no readable study.toml."""
    path = folder / FILE
    remedy = "A study folder has study.toml and slides.csv; see docs/study-folder.md."
    if not path.is_file():
        problems.add(file=FILE, reason="The file is missing.", remedy=remedy)
        return None
    try:
        return _parse_told(path.read_text(encoding="utf-8-sig"), problems)
    except (UnicodeDecodeError, OSError) as error:
        problems.add(file=FILE, reason=f"It can't be read as UTF-8 text: {error}.", remedy="Save it again.")
        return None


def read_text(text: str) -> Definition:
    """The definition in `text`, the content of a study.toml; BadInput lists every problem."""
    problems = Problems()
    if len(text.encode()) > LARGEST_BYTES:
        raise BadInput(f"A study.toml of more than {LARGEST_BYTES // 2**20} MiB holds more than a definition.")
    parsed = _parse_told(text.removeprefix("\ufeff"), problems)
    problems.raise_if_any(folder=FILE)
    assert parsed is not None  # what is not TOML is a problem of its own
    return parsed.definition


def _parse_told(text: str, problems: Problems) -> Parsed | None:
    try:
        return parse(text, problems)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found.group(1)) if found else None
        reason = f"It is not valid TOML: {error}."
        problems.add(file=FILE, line=line, reason=reason, remedy="See https://toml.io for its syntax.")
        return None
