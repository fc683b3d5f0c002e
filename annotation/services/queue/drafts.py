"""Drafts: what was being entered outlives the lease it was entered under.

Decides that nothing entered is lost, and that nothing is kept twice; refuses to judge what was entered.
"""

from typing import Any

from annotation import canonical
from annotation.models import Assignment, Draft


def keep(assignment: Assignment, *, content: dict[str, Any] | None) -> None:
    """Keep what an ended lease held: a retry of the same adds no second draft, and emptiness none at all."""
    if not content or not any(content.get(part) for part in ("answer", "comment", "flagged")):
        return
    if all(differ(draft.content, content) for draft in assignment.drafts.all()):
        Draft.objects.create(assignment=assignment, content=content)


def differ(one: Any, other: Any) -> bool:
    """Whether two contents say different things."""
    return canonical.dumps(one) != canonical.dumps(other)
