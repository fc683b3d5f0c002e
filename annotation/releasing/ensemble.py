"""The model in a release: its files, under its digest, as the pass has pinned them.

Decides names and that the bytes are those that were judged; refuses to load the model, and to say what it is worth
(`datasheet.model`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from annotation.errors import Conflict
from annotation.releasing.datasheet.model import FACT, FOLDER
from annotation.releasing.parts import Part


def carried(facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The card of the model that a release with these facts holds; None where it holds none."""
    card = facts.get(FACT)
    return card if card and card["accepted"] else None


def name_of(card: Mapping[str, Any], file: str) -> str:
    """Where a file of the model lies: the folder bears the model's digest, so the registry reads it as it is."""
    return f"{FOLDER}/{card['digest']}/{file}"


def render(facts: Mapping[str, Any], *, models: Path) -> Iterator[Part]:
    """The model's files, read from the registry `models`. Conflict where they are not those that the pass saw."""
    card = carried(facts)
    if card is None:
        return
    for file, fact in sorted(card["files"].items()):
        try:
            content = (models / card["digest"] / file).read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != fact["sha256"]:
            raise Conflict(
                f"{file} of model {card['number']} is gone or damaged, so it can't be released. Restore the store's "
                "folder of models from a backup, or run a new pass."
            )
        yield Part(name_of(card, file), [content])


def check(facts: Mapping[str, Any], held: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Sentences where the files that a manifest lists are not exactly those of the card."""
    card = carried(facts)
    wanted = {name_of(card, file): fact["sha256"] for file, fact in card["files"].items()} if card else {}
    listed = {name: fact["sha256"] for name, fact in held.items() if name.startswith(f"{FOLDER}/")}
    for name in sorted(wanted.keys() | listed.keys()):
        if name not in listed:
            yield f"{name} of the model is missing."
        elif wanted.get(name) != listed[name]:
            yield f"{name} is not of the model that the pass judged."
