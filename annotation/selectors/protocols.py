"""The versions of a study's classes, and what differs between any two.

Decides what counts as a change; refuses to know what a change does to answers (`services.protocols`).
"""

import difflib
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import QuerySet

from annotation import mapping
from annotation.errors import Missing
from annotation.models import Protocol, Study
from annotation.services import protocols
from annotation.studyfolder import ClassPlan

_WORDS = {
    "name": "name", "colour": "colour", "key": "key", "definition": "definition", "is_special": "special outcome",
    "quota": "quota", "parent": "kind of",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a class that two versions share."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """From one version to another: classes by code, and the guideline line by line as (sign, text)."""

    added: list[ClassPlan]
    removed: list[ClassPlan]
    changed: list[tuple[ClassPlan, list[Change]]]
    guideline: list[tuple[str, str]]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.changed or any(sign != " " for sign, _ in self.guideline))


def versions(study: Study) -> QuerySet[Protocol]:
    """The published versions, newest first."""
    rows = Protocol.objects.filter(study=study).exclude(published_at=None)
    return rows.select_related("published_by").prefetch_related("classes").order_by("-number")


def version(study: Study, number: int) -> Protocol:
    """A version by its number, the draft included; Missing where there is none."""
    found = Protocol.objects.filter(study=study, number=number).first()
    if found is None:
        raise Missing(f"The study has no version {number} of its classes.")
    return found


def continuations(study: Study) -> dict[int, dict[str, str]]:
    """Number of an older version -> {its class: what it is called today}; classes that have ended are missing."""
    if study.protocol is None or study.protocol.number == 1:
        return {}
    exact = mapping.exact_codes(study)
    older = Protocol.objects.filter(study=study, number__lt=study.protocol.number).values_list("pk", "number")
    return {number: exact[pk] for pk, number in older}


def draft(study: Study) -> Protocol:
    """The draft of a later version; Missing where there is none."""
    found = protocols.draft_of(study)
    if found is None or study.protocol_id is None:
        raise Missing("There is no draft of a later version.")
    return found


def compare(before: Protocol, after: Protocol) -> Difference:
    """What a reader of `before` finds different in `after`."""
    old = {item.code: item for item in protocols.class_plans(before)}
    new = {item.code: item for item in protocols.class_plans(after)}
    both = [(old[code], item) for code, item in new.items() if code in old]
    changed = [(item, changes) for earlier, item in both if (changes := _changes(asdict(earlier), asdict(item)))]
    lines = difflib.ndiff(before.guideline.splitlines(), after.guideline.splitlines())
    return Difference(
        added=[item for code, item in new.items() if code not in old],
        removed=[item for code, item in old.items() if code not in new],
        changed=changed,
        guideline=[(line[0], line[2:]) for line in lines if line[0] != "?"],
    )


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    return [
        Change(word, _say(before[field]), _say(after[field]))
        for field, word in _WORDS.items()
        if before[field] != after[field]
    ]


def _say(value: Any) -> str:
    return {True: "yes", False: "no", None: "none", "": "none"}.get(value, str(value))
