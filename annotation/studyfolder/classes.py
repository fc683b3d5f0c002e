"""The classes of a definition: what each may be, and that no two can be confused.

Decides codes, colours, keys and clashes; refuses to know which keys belong to tools of a screen (`annotation.keys`).
"""

import re
from collections.abc import Mapping
from typing import Any

from annotation.studyfolder.fields import Tell, check_keys
from annotation.studyfolder.plan import ClassPlan

CLASS_KEYS = ("code", "name", "colour", "key", "definition", "special", "quota", "parent")
LONGEST_DEFINITION = 10_000
MOST_CLASSES = 200
FEWEST_CLASSES = 2
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_MUST_DIFFER = ("code", "name", "key", "colour")


def check_classes(rows: Any, *, tell: Tell) -> list[ClassPlan]:
    """The classes in their order; every problem is told with its row and field."""
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        tell("'classes' must be a list of tables.", "Write [[classes]] before each of them.", key="classes")
        return []
    if len(rows) > MOST_CLASSES:
        tell(f"There are {len(rows)} classes.", f"A study has at most {MOST_CLASSES}.", key="classes")
        return []
    classes = [_check(row, number, tell) for number, row in enumerate(rows, 1)]
    for what in _MUST_DIFFER:
        _tell_clashes(what, [str(getattr(item, what)) for item in classes], tell)
    _check_parents(classes, tell)
    return classes


def check_enough(classes: list[ClassPlan], *, tell: Tell) -> None:
    """Tell it where there is nothing to choose between."""
    if sum(not item.is_special for item in classes) < FEWEST_CLASSES:
        tell("A study needs at least two classes that are not special.", "Add [[classes]].", key="classes")


def _tell_clashes(what: str, values: list[str], tell: Tell) -> None:
    for value in sorted({value for value in values if value and values.count(value) > 1}):
        numbers = [index for index, other in enumerate(values, 1) if other == value]
        reason = f"The classes {' and '.join(map(str, numbers))} have the same {what} '{value}'."
        tell(reason, f"Give each class a {what} of its own.", key="classes", row=numbers[-1], field=what)


def _check_parents(classes: list[ClassPlan], tell: Tell) -> None:
    """Each parent is another class that is no special outcome, and nothing is above itself."""
    known = {item.code: item for item in classes}
    for number, item in enumerate(classes, 1):
        if not item.parent:
            continue
        above = known.get(item.parent)
        if above is None:
            reason, remedy = f"'{item.parent}' is no class.", "Name the code of another class, or leave it out."
        elif item.is_special or above.is_special:
            reason, remedy = "A special outcome is no kind of a class and has no kinds.", "Leave the parent out."
        elif _is_above_itself(item, known):
            reason, remedy = "Following its parents leads back to it.", "Leave one of these parents out."
        else:
            continue
        said = f"The parent of class {number} does not hold. {reason}"
        tell(said, remedy, key="classes", row=number, field="parent")


def _is_above_itself(item: ClassPlan, known: Mapping[str, ClassPlan]) -> bool:
    above, passed = known.get(item.parent), set[str]()
    while above is not None and above.code not in passed:
        if above.code == item.code:
            return True
        passed.add(above.code)
        above = known.get(above.parent)
    return False


def _check(row: Mapping[str, Any], number: int, tell: Tell) -> ClassPlan:
    where = f"class {number}"
    check_keys(row, CLASS_KEYS, where=where, tell=tell)
    code, colour, key = row.get("code"), row.get("colour", ""), row.get("key", "")
    name, definition = row.get("name", code), row.get("definition", "")
    special, quota, parent = row.get("special", False), row.get("quota"), row.get("parent", "")
    is_key = isinstance(key, str) and (key == "" or (len(key) == 1 and key.isprintable() and not key.isspace()))
    is_quota = quota is None or (isinstance(quota, int) and not isinstance(quota, bool) and 0 <= quota < 2**31)
    checks = [
        (
            isinstance(code, str) and _CODE.fullmatch(code),
            "code",
            'Use small letters, digits, "-" and "_", at most 60.',
        ),
        (_is_text(name, longest=120) and name.strip() != "", "name", "Give a text of at most 120 characters."),
        (isinstance(colour, str) and _COLOUR.fullmatch(colour), "colour", 'Write it as "#rrggbb".'),
        (is_key, "key", "Give one character of the keyboard, or leave it out."),
        (_is_text(definition, longest=LONGEST_DEFINITION), "definition", "Give a text."),
        (isinstance(special, bool), "special", "Write true or false."),
        (is_quota, "quota", "Give a whole number from 0."),
        (isinstance(parent, str), "parent", "Name the code of another class, or leave it out."),
    ]
    for holds, field, remedy in checks:
        if not holds:
            said = f"does not hold: {_short(row[field])}" if field in row else "is missing"
            tell(f"The {field} of {where} {said}.", remedy, key="classes", row=number, field=field)
    return ClassPlan(
        code=str(code),
        name=str(name),
        colour=str(colour).lower(),
        key=str(key),
        definition=str(definition),
        is_special=bool(special),
        quota=quota if isinstance(quota, int) else None,
        parent=parent if isinstance(parent, str) else "",
    )


def _is_text(value: Any, *, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and "\x00" not in value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
