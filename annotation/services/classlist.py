"""Classes and guideline as people type them, checked all at once.

Decides what is told of what does not hold, row by row and field by field; refuses to store anything.
"""

from collections.abc import Sequence
from typing import Any

from annotation import keys
from annotation.errors import BadInput
from annotation.studyfolder import ClassPlan
from annotation.studyfolder import fields as checks
from annotation.studyfolder.classes import check_classes


class Complaints:
    """Collects what does not hold and raises it all at once."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def tell(self, reason: str, remedy: str, *, key: str, row: int | None = None, field: str = "") -> None:
        """Note one problem."""
        self.found.append({"message": f"{reason} {remedy}", "key": key, "row": row, "field": field})

    def raise_if_any(self) -> None:
        """BadInput with a sentence for each problem, and for programs where each of them is."""
        if self.found:
            said = " ".join(one["message"] for one in self.found)
            raise BadInput(said, problems=self.found)


def check(classes: list[dict[str, Any]], guideline: str, *, before: Sequence[ClassPlan]) -> tuple[list[ClassPlan], str]:
    """The classes and the guideline; BadInput names what does not hold.

    A key that belongs to a tool of a screen is refused unless the class of that code had it `before`.
    """
    complaints = Complaints()
    rows = check_classes(classes, tell=complaints.tell)
    _check_tools(rows, before=before, complaints=complaints)
    text = checks.check_text(
        {"guideline": guideline}, "guideline", longest=checks.LONGEST_GUIDELINE, tell=complaints.tell, default=""
    )
    complaints.raise_if_any()
    return rows, text


def _check_tools(rows: list[ClassPlan], *, before: Sequence[ClassPlan], complaints: Complaints) -> None:
    had = {item.code: item.key for item in before}
    for number, item in enumerate(rows, 1):
        tool = keys.tool_of(item.key)
        if tool and had.get(item.code) != item.key:
            reason = f"The key '{item.key}' belongs to {tool}."
            remedy = "Choose a digit or another letter."
            complaints.tell(reason, remedy, key="classes", row=number, field="key")
