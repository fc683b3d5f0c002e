"""`study.toml`: name, task, region size, domains, classes and policy, checked key by key.

Decides whether a study is described soundly; refuses to look at slides.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from annotation.errors import BadInput
from annotation.policy import Policy
from annotation.states import Task
from annotation.studyfolder.plan import ClassPlan
from annotation.studyfolder.problems import Problems

FILE = "study.toml"
KEYS = ("name", "task", "region", "domains", "classes", "policy", "guideline", "seed")
CLASS_KEYS = ("code", "name", "colour", "key", "definition", "special", "quota")
REGION_KEYS = ("width", "height", "um_per_px")
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_LARGEST_EDGE = 20_000


class Definition:
    """The checked content of a study.toml; values that did not hold have their defaults.

    Raises TOMLDecodeError where `text` is not TOML. `domains` is None where they did not hold.
    """

    def __init__(self, text: str, problems: Problems) -> None:
        self._lines = text.splitlines()
        self._problems = problems
        self._raw = tomllib.loads(text)
        self._check_keys(self._raw, KEYS, where="study.toml")
        self.name = self._text("name", longest=200)
        self.task = self._task()
        self.seed = self._number("seed", default=0)
        self.guideline = self._text("guideline", longest=100_000, default="")
        self.region_width, self.region_height, self.region_um_per_px = self._region()
        self.domains = self._domains()
        self.classes = self._classes()
        self.policy = self._policy()

    def _tell(self, reason: str, remedy: str, *, key: str = "") -> None:
        self._problems.add(file=FILE, line=self._line_of(key), reason=reason, remedy=remedy)

    def _line_of(self, key: str) -> int | None:
        """The first line that sets `key` or opens its table; None where it can't be told."""
        if not key:
            return None
        pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*(=|\])")
        return next((number for number, line in enumerate(self._lines, 1) if pattern.match(line)), None)

    def check_tiling(self) -> None:
        """Tell it where slides can't be tiled as the study asks; for a folder without regions.csv."""
        if self.region_width != self.region_height:
            reason = (
                f"The region is {self.region_width} x {self.region_height}, but without regions.csv slides are cut "
                "into squares."
            )
            self._tell(reason, "Give equal width and height, or a regions.csv.", key="region")

    def _check_keys(self, table: dict[str, Any], known: tuple[str, ...], *, where: str) -> None:
        for key in table:
            if key not in known:
                self._tell(f"Unknown key '{key}' in {where}.", f"Known keys are {', '.join(known)}.", key=key)

    def _text(self, key: str, *, longest: int, default: str | None = None) -> str:
        value = self._raw.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()) or len(value) > longest:
            self._tell(f"'{key}' must be a text of at most {longest} characters.", f'Write {key} = "...".', key=key)
            return ""
        return value.strip()

    def _number(self, key: str, *, default: int) -> int:
        value = self._raw.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
            self._tell(f"'{key}' must be a whole number.", f"Write {key} = {default}.", key=key)
            return default
        return value

    def _task(self) -> str:
        task = self._raw.get("task", Task.CLASSIFY)
        if task not in Task.values:
            known = ", ".join(f'"{value}"' for value in Task.values)
            self._tell(f"The task {task!r} is not known.", f"Known tasks are {known}.", key="task")
        return str(task)

    def _region(self) -> tuple[int, int, float | None]:
        region = self._raw.get("region", {"width": 256, "height": 256})
        if not isinstance(region, dict):
            self._tell("'region' must be a table.", "Write region = { width = 256, height = 256 }.", key="region")
            return 256, 256, None
        self._check_keys(region, REGION_KEYS, where="region")
        edges = []
        for key in ("width", "height"):
            edge = region.get(key)
            if not isinstance(edge, int) or isinstance(edge, bool) or not 1 <= edge <= _LARGEST_EDGE:
                remedy = f"Give whole pixels from 1 to {_LARGEST_EDGE:,}."
                self._tell(f"The region's '{key}' is {edge!r}.", remedy, key="region")
                edge = 256
            edges.append(edge)
        size = region.get("um_per_px")
        if size is not None and (isinstance(size, bool) or not isinstance(size, int | float) or not 0 < size < 1000):
            self._tell(f"The region's 'um_per_px' is {size!r}.", "Give micrometres per pixel above 0.", key="region")
            size = None
        return edges[0], edges[1], None if size is None else float(size)

    def _domains(self) -> list[str] | None:
        domains = self._raw.get("domains", [])
        reserved = {"path", "case"}
        good = isinstance(domains, list) and all(
            isinstance(name, str) and _COLUMN.fullmatch(name) and name not in reserved for name in domains
        )
        if not good or len(set(domains)) != len(domains):
            remedy = 'Write domains = ["lab", "scanner"]: different column names of slides.csv, not path or case.'
            self._tell("'domains' must be a list of column names.", remedy, key="domains")
            return None
        return list(domains)

    def _classes(self) -> list[ClassPlan]:
        rows = self._raw.get("classes", [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._tell("'classes' must be a list of tables.", "Write [[classes]] before each of them.", key="classes")
            return []
        classes = [self._class(row, number) for number, row in enumerate(rows, 1)]
        for what in ("code", "name", "key", "colour"):
            self._tell_clashes(what, [str(getattr(item, what)) for item in classes])
        if sum(not item.is_special for item in classes) < 2:
            self._tell("A study needs at least two classes that are not special.", "Add [[classes]].", key="classes")
        return classes

    def _tell_clashes(self, what: str, values: list[str]) -> None:
        for value in sorted({value for value in values if value and values.count(value) > 1}):
            numbers = [str(index) for index, other in enumerate(values, 1) if other == value]
            reason = f"The classes {' and '.join(numbers)} have the same {what} '{value}'."
            self._tell(reason, f"Give each class a {what} of its own.", key="classes")

    def _class(self, row: dict[str, Any], number: int) -> ClassPlan:
        where = f"class {number}"
        self._check_keys(row, CLASS_KEYS, where=where)
        code, colour, key = row.get("code"), row.get("colour", ""), row.get("key", "")
        name, definition = row.get("name", code), row.get("definition", "")
        special, quota = row.get("special", False), row.get("quota")
        checks = [
            (
                isinstance(code, str) and _CODE.fullmatch(code),
                "code",
                'Use small letters, digits, "-" and "_", at most 60.',
            ),
            (
                isinstance(name, str) and 0 < len(name) <= 120,
                "name",
                "Give a text of at most 120 characters.",
            ),
            (isinstance(colour, str) and _COLOUR.fullmatch(colour), "colour", 'Write it as "#rrggbb".'),
            (
                isinstance(key, str) and (key == "" or (len(key) == 1 and key.isprintable() and not key.isspace())),
                "key",
                "Give one character of the keyboard, or leave it out.",
            ),
            (isinstance(definition, str) and len(definition) <= 10_000, "definition", "Give a text."),
            (isinstance(special, bool), "special", "Write true or false."),
            (
                quota is None or (isinstance(quota, int) and not isinstance(quota, bool) and 0 <= quota < 2**31),
                "quota",
                "Give a whole number from 0.",
            ),
        ]
        for holds, field, remedy in checks:
            if not holds:
                said = f"does not hold: {row[field]!r}" if field in row else "is missing"
                self._tell(f"The {field} of {where} {said}.", remedy, key="classes")
        return ClassPlan(
            code=str(code),
            name=str(name),
            colour=str(colour).lower(),
            key=str(key),
            definition=str(definition),
            is_special=bool(special),
            quota=quota if isinstance(quota, int) else None,
        )

    def _policy(self) -> dict[str, Any]:
        values = self._raw.get("policy", {})
        if not isinstance(values, dict):
            self._tell("'policy' must be a table.", "Write [policy] and its keys below.", key="policy")
            return {}
        try:
            Policy.accept(values)
        except BadInput as error:
            found = error.details.get("problems")
            for problem in found if isinstance(found, list) else [error.message]:
                key = next((name for name in values if f"'{name}'" in problem), "policy")
                self._tell(f"Policy: {problem}.", "See docs/study-folder.md for the keys.", key=key)
            return {}
        return dict(values)


def read_definition(folder: Path, *, problems: Problems) -> Definition | None:
    """The definition in `folder`, checked; None where there is no readable study.toml."""
    path = folder / FILE
    remedy = "A study folder has study.toml and slides.csv; see docs/study-folder.md."
    if not path.is_file():
        problems.add(file=FILE, reason="The file is missing.", remedy=remedy)
        return None
    try:
        return Definition(path.read_text(encoding="utf-8-sig"), problems)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found.group(1)) if found else None
        reason = f"It is not valid TOML: {error}."
        problems.add(file=FILE, line=line, reason=reason, remedy="See https://toml.io for its syntax.")
        return None
    except (UnicodeDecodeError, OSError) as error:
        problems.add(file=FILE, reason=f"It can't be read as UTF-8 text: {error}.", remedy="Save it again.")
        return None
