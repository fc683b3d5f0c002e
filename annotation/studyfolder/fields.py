"""What may stand in each field of a study's definition, whether it comes from a study.toml or from a screen.

Decides values and their limits, field by field; refuses to know files, requests and rows. Every check takes `tell`,
which is given what does not hold, and answers with the value or a harmless one in its place.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from annotation import checklist, publication
from annotation.errors import BadInput
from annotation.policy import Policy
from annotation.rules import settings
from annotation.states import Task

REGION_KEYS = ("width", "height", "um_per_px")
LONGEST_NAME = 200
LONGEST_GUIDELINE = 100_000
LARGEST_EDGE = 20_000
RESERVED_COLUMNS = frozenset({"path", "case"})
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


class Tell(Protocol):
    """Takes a problem. `key` is the definition's key; `row` (from 1) and `field` say where in a list of tables."""

    def __call__(self, reason: str, remedy: str, *, key: str, row: int | None = None, field: str = "") -> None: ...


def check_keys(table: Mapping[str, Any], known: tuple[str, ...], *, where: str, tell: Tell) -> None:
    """Tell every key of `table` that means nothing: a misspelt one would be silently ignored."""
    for key in table:
        if key not in known:
            tell(f"Unknown key '{key}' in {where}.", f"Known keys are {', '.join(known)}.", key=key)


def check_text(raw: Mapping[str, Any], key: str, *, longest: int, tell: Tell, default: str | None = None) -> str:
    """The text under `key`, stripped; without a default it must say something."""
    value = raw.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()) or len(value) > longest:
        tell(f"'{key}' must be a text of at most {longest} characters.", f'Write {key} = "...".', key=key)
        return ""
    if "\x00" in value:
        tell(f"'{key}' holds a NUL character.", "Take it out.", key=key)
        return ""
    return value.strip()


def check_seed(raw: Mapping[str, Any], *, tell: Tell) -> int:
    """The seed that draws audit sample, splits and checks."""
    value = raw.get("seed", 0)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        tell("'seed' must be a whole number.", "Write seed = 0.", key="seed")
        return 0
    return value


def check_task(raw: Mapping[str, Any], *, tell: Tell) -> str:
    """The task; there is one so far."""
    task = raw.get("task", Task.CLASSIFY)
    if task not in Task.values:
        known = ", ".join(f'"{value}"' for value in Task.values)
        tell(f"The task {task!r} is not known.", f"Known tasks are {known}.", key="task")
    return str(task)


def check_region(region: Any, *, tell: Tell) -> tuple[int, int, float | None]:
    """Width and height in pixels, and their size in µm where one is asked for."""
    if not isinstance(region, Mapping):
        tell("'region' must be a table.", "Write region = { width = 256, height = 256 }.", key="region")
        return 256, 256, None
    check_keys(region, REGION_KEYS, where="region", tell=tell)
    edges = []
    for key in ("width", "height"):
        edge = region.get(key)
        if not isinstance(edge, int) or isinstance(edge, bool) or not 1 <= edge <= LARGEST_EDGE:
            remedy = f"Give whole pixels from 1 to {LARGEST_EDGE:,}."
            tell(f"The region's '{key}' is {edge!r}.", remedy, key="region", field=key)
            edge = 256
        edges.append(edge)
    size = region.get("um_per_px")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int | float) or not 0 < size < 1000):
        remedy = "Give micrometres per pixel above 0."
        tell(f"The region's 'um_per_px' is {size!r}.", remedy, key="region", field="um_per_px")
        size = None
    return edges[0], edges[1], None if size is None else float(size)


def check_domains(domains: Any, *, tell: Tell) -> list[str] | None:
    """The domain columns in their order; None where they do not hold."""
    good = isinstance(domains, list) and all(
        isinstance(name, str) and _COLUMN.fullmatch(name) and name not in RESERVED_COLUMNS for name in domains
    )
    if not good or len(set(domains)) != len(domains):
        remedy = 'Write domains = ["lab", "scanner"]: different column names of slides.csv, not path or case.'
        tell("'domains' must be a list of column names.", remedy, key="domains")
        return None
    return list(domains)


def check_policy(values: Any, *, tell: Tell) -> dict[str, Any]:
    """What differs from the default policy."""
    if not isinstance(values, Mapping):
        tell("'policy' must be a table.", "Write [policy] and its keys below.", key="policy")
        return {}
    try:
        Policy.accept(dict(values))
    except BadInput as error:
        found = error.details.get("problems")
        for problem in found if isinstance(found, list) else [error.message]:
            key = next((name for name in values if f"'{name}'" in problem), "policy")
            tell(f"Policy: {problem}.", "See docs/study-folder.md for the keys.", key=key)
        return {}
    return dict(values)


def check_rules(values: Any, *, codes: Iterable[str], tell: Tell) -> dict[str, Any]:
    """What differs from the rules' own severity and thresholds."""
    problems = settings.find_problems(values, codes=codes)
    for problem in problems:
        key = next((f"rules.{code}" for code in values if problem.startswith(f"{code}:")), "rules")
        tell(f"Rules: {problem}", "See docs/study-folder.md for the tables.", key=key)
    return {} if problems else {str(code): dict(said) for code, said in values.items()}


def check_checklist(values: Any, *, tell: Tell) -> dict[str, str]:
    """The answers to the checklist's questions."""
    if not isinstance(values, Mapping):
        tell("'checklist' must be a table.", "Write [checklist] and its keys below.", key="checklist")
        return {}
    check_keys(values, checklist.KEYS, where="checklist", tell=tell)
    answers = {}
    for key in checklist.KEYS:
        if key in values and (text := check_text(values, key, longest=checklist.LONGEST_ANSWER, tell=tell, default="")):
            answers[key] = text
    return answers


def check_publication(values: Any, *, tell: Tell) -> dict[str, str]:
    """What releases say of their licence, creators, citation, address and keywords."""
    if not isinstance(values, Mapping):
        tell("'publication' must be a table.", "Write [publication] and its keys below.", key="publication")
        return {}
    check_keys(values, publication.KEYS, where="publication", tell=tell)
    said = {}
    for one in publication.FIELDS:
        text = check_text(values, one.key, longest=one.longest, tell=tell, default="") if one.key in values else ""
        if problem := text and publication.find_problem(one.key, text):
            tell(*problem, key=one.key)
        elif text:
            said[one.key] = text
    return said
