"""What stood at a ledger position, read from the ledger alone: the last revision of each region, and the answers.

Decides by position only, so that people may go on submitting; refuses to know rows and clocks.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from annotation.answers import label_of as label_of_answer
from annotation.chain import Link
from annotation.states import SLOT_KINDS, AnswerKind, AssignmentKind, Method

EVIDENCE_KINDS = frozenset({*(kind.value for kind in SLOT_KINDS), AssignmentKind.ADJUDICATE.value})
OPINION_KINDS = frozenset(kind.value for kind in SLOT_KINDS)

_SHAPES: dict[str, dict[str, type | tuple[type, ...]]] = {
    "annotation": {
        "region": str, "annotator": str, "number": int, "protocol": int, "kind": str, "assignment_kind": str,
        "answer": (dict, type(None)),
    },
    "revision": {
        "region": str, "number": int, "protocol": int, "settled": bool, "excluded": bool, "method": str,
        "answer": (dict, type(None)),
    },
}  # fmt: skip
"""What is read of an answer and of a revision, whoever wrote the entry."""
ROWS = frozenset(_SHAPES)
"""The kinds of rows that entries vouch for."""


@dataclass(slots=True)
class Standing:
    """`revisions`: region -> content of its newest revision. `answers`: (region, pseudonym) -> content of the
    newest answer that is evidence, withdrawn or not. `asides`: (region, pseudonym, kind of assignment) -> content of
    the newest answer that is no evidence (repeats, gold). `numbers`: every answer as (region, pseudonym, number).
    `origins`: region -> how its label came about, also where a mapping has carried it over since.
    """

    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    asides: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    numbers: set[tuple[str, str, int]] = field(default_factory=set)

    def effective(self) -> Iterator[dict[str, Any]]:
        """Contents of the answers that count, ordered by region and pseudonym."""
        for _, content in sorted(self.answers.items()):
            if content["kind"] != AnswerKind.WITHDRAWN:
                yield content

    def opinions(self) -> Iterator[dict[str, Any]]:
        """Effective answers that are independent opinions: no adjudications."""
        return (content for content in self.effective() if content["assignment_kind"] in OPINION_KINDS)


def fold(links: Iterable[Link]) -> Standing:
    """What stands after `links`, which start at the first entry; an unreadable payload is passed over."""
    standing = Standing()
    for link in links:
        for content in contents(link):
            if content["row"] == "revision":
                standing.revisions[content["region"]] = content
                if content["method"] != Method.MAPPING or content.get("actor"):
                    standing.origins[content["region"]] = content["method"]
            else:
                name = (content["region"], content["annotator"])
                standing.numbers.add((*name, content["number"]))
                if content["assignment_kind"] in EVIDENCE_KINDS:
                    standing.answers[name] = content
                else:
                    standing.asides[*name, content["assignment_kind"]] = content
    return standing


def contents(link: Link) -> Iterator[dict[str, Any]]:
    """The answers and revisions an entry vouches for: single ones under any key, several under `rows`.

    What has not their shape is passed over: such an entry was altered, and the check of the chain names it.
    """
    try:
        payload = json.loads(link.payload)
    except (ValueError, RecursionError):
        return
    if not isinstance(payload, dict):
        return
    rows = payload.get("rows")
    for value in [*payload.values(), *(rows if isinstance(rows, list) else [])]:
        if isinstance(value, dict) and _has_shape(value):
            yield value


def _has_shape(value: dict[str, Any]) -> bool:
    row = value.get("row")
    wanted = _SHAPES.get(row) if isinstance(row, str) else None
    if wanted is None:
        return False
    # A plain loop: a generator for each of 100,000 rows takes twice as long.
    for key, kind in wanted.items():  # noqa: SIM110
        if not isinstance(value.get(key), kind):
            return False
    return True


def label_of(content: dict[str, Any]) -> str:
    """The class that an answer or a revision gives, under its own protocol; empty for every other kind."""
    return label_of_answer(content["answer"])
