"""The hash chain of a ledger as plain values: how a link is made and how a chain is checked.

Needs no database and no secret, so that an export and an anchor are enough to check a ledger anywhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

GENESIS = hashlib.sha256(b"concord ledger, version 1").hexdigest()
"""The digest before the first entry."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as it was written: `payload` is canonical JSON text, byte for byte what was hashed."""

    position: int
    kind: str
    payload: str
    previous_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that was carried outside."""

    position: int
    digest: str


def hash_link(*, position: int, kind: str, payload: str, previous_digest: str) -> str:
    """SHA-256 (hex) over the previous digest, position, kind and payload, each ended by a newline."""
    text = f"{previous_digest}\n{position}\n{kind}\n{payload}\n"
    return hashlib.sha256(text.encode()).hexdigest()


def find_breaks(links: Iterable[Link], *, anchors: Iterable[Anchor] = ()) -> Iterator[str]:
    """Yield a sentence for each place where the chain or an anchor does not hold, first one first."""
    waiting = {anchor.position: anchor for anchor in anchors}
    position, previous = 0, GENESIS
    for link in links:
        if link.position != position + 1:
            yield f"Entry {position + 1} is missing: after entry {position} comes entry {link.position}."
        if link.previous_digest != previous:
            yield f"Entry {link.position} does not follow the entry before it: its previous digest differs."
        expected = hash_link(
            position=link.position, kind=link.kind, payload=link.payload, previous_digest=link.previous_digest
        )
        if expected != link.digest:
            yield f"Entry {link.position} ({link.kind}) was altered: its content no longer has its digest."
        anchor = waiting.pop(link.position, None)
        if anchor and anchor.digest != link.digest:
            yield f"Entry {link.position} is not the entry that was anchored: the chain up to it was rewritten."
        position, previous = link.position, link.digest
    for anchor in sorted(waiting.values(), key=lambda anchor: anchor.position):
        yield f"The ledger ends at entry {position}, but entry {anchor.position} was anchored: its end was cut off."


def to_line(link: Link) -> str:
    """One line of an export (JSON)."""
    values = [link.position, link.kind, link.payload, link.previous_digest, link.digest]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def from_line(line: str) -> Link:
    """The link on a line of an export; ValueError where the line is not one."""
    values = json.loads(line)
    if not isinstance(values, list) or len(values) != 5:
        raise ValueError("A line of a ledger export is a list of position, kind, payload and two digests.")
    return Link(*values)
