"""How the classes of a study are shown: key, colour, pattern and letter, so that colour is never alone.

Decides letters and patterns from the order of the classes; refuses to know which screen shows them.
"""

from typing import Any

from annotation.models import LabelClass, Protocol, Study

PATTERNS = 8
"""How many patterns the stylesheet has; with the letter they tell any number of classes apart."""


def shown(study: Study, *, protocol: Protocol | None = None) -> list[dict[str, Any]]:
    """The classes of `protocol` (default: the one in force) in their order, as screens draw them."""
    rules = protocol or study.protocol
    rows = list(rules.classes.order_by("position", "code")) if rules else []
    signs = letters([row.name or row.code for row in rows])
    return [_show(row, sign, place) for place, (row, sign) in enumerate(zip(rows, signs, strict=True))]


def letters(names: list[str]) -> list[str]:
    """A sign of one or two letters for each name, all different: the first letter, or more where it is taken."""
    taken: set[str] = set()
    found = []
    for place, name in enumerate(names):
        letters_only = [sign for sign in name.upper() if sign.isalnum()] or ["?"]
        wishes = [letters_only[0], *(letters_only[0] + other for other in letters_only[1:]), str(place + 1)]
        sign = next((wish for wish in wishes if wish not in taken), f"{place + 1}")
        taken.add(sign)
        found.append(sign)
    return found


def _show(row: LabelClass, sign: str, place: int) -> dict[str, Any]:
    return {
        "code": row.code,
        "name": row.name,
        "colour": row.colour,
        "key": row.key,
        "letter": sign,
        "pattern": place % PATTERNS,
        "definition": row.definition,
        "special": row.is_special,
    }
