"""The hash chain of a ledger as plain values: how a link is made, how a chain is checked, what an anchor looks like.

Needs no database, no secret and nothing but Python: this one file, an export and the anchors are enough to check a
ledger anywhere (`python chain.py EXPORT ANCHORS...`). Refuses to know what an entry says.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GENESIS = hashlib.sha256(b"concord ledger, version 1").hexdigest()
"""The digest before the first entry."""

FORMAT, VERSION = "concord-ledger", 1
_ANCHOR = re.compile(r"concord-anchor 1 (\S+) (\d{1,18}) ([0-9a-f]{64})(?: (\S+))?\s*$")
_SHORT = re.compile(r"(\d{1,18}):([0-9a-f]{64})$")
_TOLD = 20


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
    """A head that was carried outside; `study` is empty where the anchor does not say whose it is."""

    position: int
    digest: str
    study: str = ""
    at: str = ""


def hash_link(*, position: int, kind: str, payload: str, previous_digest: str) -> str:
    """SHA-256 (hex) over the previous digest, position, kind and payload, each ended by a newline."""
    text = f"{previous_digest}\n{position}\n{kind}\n{payload}\n"
    return hashlib.sha256(text.encode()).hexdigest()


def find_breaks(links: Iterable[Link], *, anchors: Iterable[Anchor] = ()) -> Iterator[str]:
    """Yield a sentence for each place where the chain or an anchor does not hold, first one first.

    A chain that was made anew from some entry on holds by itself; it is the first anchor that fails and the last one
    that held which say where. Needs no more memory than the anchors take, however long the chain.
    """
    waiting = defaultdict(list)
    for anchor in anchors:
        waiting[anchor.position].append(anchor)
    position, previous, held = 0, GENESIS, 0
    if any(anchor.digest != GENESIS for anchor in waiting.pop(0, [])):
        yield "An anchor of the empty ledger has not the digest that every ledger begins with."
    for link in links:
        yield from _find_misfits(link, position=position, previous=previous)
        position, previous = link.position, link.digest
        carried = waiting.pop(position, [])
        if any(anchor.digest != link.digest for anchor in carried):
            yield f"Entry {position} is not the entry that was anchored: {_bound(held, position)} was rewritten."
        elif carried:
            held = position
    for missing in sorted(waiting):
        yield f"The ledger ends at entry {position}, but entry {missing} was anchored: its end was cut off."


def _find_misfits(link: Link, *, position: int, previous: str) -> Iterator[str]:
    """What is wrong with `link` after the entry at `position` with the digest `previous`."""
    if link.position != position + 1:
        yield f"Entry {position + 1} is missing: after entry {position} comes entry {link.position}."
    if link.previous_digest != previous:
        yield f"Entry {link.position} does not follow the entry before it: its previous digest differs."
    expected = hash_link(
        position=link.position, kind=link.kind, payload=link.payload, previous_digest=link.previous_digest
    )
    if expected != link.digest:
        yield f"Entry {link.position} ({link.kind}) was altered: its content no longer has its digest."


def _bound(held: int, position: int) -> str:
    if held == position - 1:
        return "it"
    if not held:
        return f"something from entry 1 to entry {position}"
    return f"something after entry {held} (anchored, and good) and up to entry {position}"


def to_line(link: Link) -> str:
    """One line of an export (JSON)."""
    values = [link.position, link.kind, link.payload, link.previous_digest, link.digest]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def from_line(line: str) -> Link:
    """The link on a line of an export; ValueError where the line is not one."""
    values = _loads(line)
    kinds = (int, str, str, str, str)
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise ValueError("A line of a ledger export is a list of position, kind, payload and two digests.")
    "".join(values[1:]).encode()  # text that has no bytes was never hashed
    return Link(*values)


def to_header(*, study: str, entries: int, head: str) -> str:
    """The first line of an export."""
    return json.dumps({"format": FORMAT, "version": VERSION, "study": study, "entries": entries, "head": head})


def to_anchor_line(anchor: Anchor) -> str:
    """The one line in which an anchor is printed, written to files and sent."""
    return f"concord-anchor 1 {anchor.study or '-'} {anchor.position} {anchor.digest} {anchor.at or '-'}"


def read_anchors(lines: Iterable[str]) -> Iterator[Anchor]:
    """The anchors in a text: the line that is printed, a mail around it, `120:3f9a...`, the JSON of `verify_ledger`, or
    an earlier export, each of whose entries is one. ValueError for a line that was an anchor and is damaged.
    """
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if "concord-anchor" in text:
            found = _ANCHOR.search(text)
            if not found:
                raise ValueError(f"Line {number} is a damaged anchor: {text[:100]}")
            study, position, digest, at = found.groups()
            yield Anchor(int(position), digest, "" if study == "-" else study, "" if at in (None, "-") else at)
        elif short := _SHORT.match(text):
            yield Anchor(int(short[1]), short[2])
        elif text.startswith("["):
            link = from_line(text)
            yield Anchor(link.position, link.digest)
        elif text.startswith("{") and FORMAT not in text:
            yield _from_json(text, number)


def _from_json(text: str, number: int) -> Anchor:
    values = _loads(text)
    short = _SHORT.match(f"{values.get('position')}:{values.get('digest')}") if isinstance(values, dict) else None
    if not short:
        raise ValueError(f"Line {number} is no anchor: expected JSON with position and digest.")
    return Anchor(int(short[1]), short[2])


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("Nested too deeply.") from error


class Export:
    """An export read line by line: `header` is known once iteration has begun; `position` and `digest` grow with it."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.header: dict[str, Any] = {}
        self.position, self.digest = 0, GENESIS
        self.damage = ""

    def __iter__(self) -> Iterator[Link]:
        for number, line in enumerate(self._lines, start=1):
            try:
                if number == 1 and line.startswith("{"):
                    self.header = _loads(line)
                    continue
                link = from_line(line)
            except ValueError:
                self.damage = f"Line {number} is no entry: after entry {self.position} the file was cut or altered."
                return
            self.position, self.digest = link.position, link.digest
            yield link
        announced = self.header.get("entries", self.position)
        if announced != self.position:
            self.damage = f"The file announces {announced} entries, but ends at entry {self.position}: it was cut off."


def check_export(lines: Iterable[str], *, anchors: Iterable[Anchor] = ()) -> tuple[Export, list[str]]:
    """The export and what does not fit in it, first one first; anchors are all taken for its own."""
    export = Export(lines)
    problems = list(find_breaks(export, anchors=anchors))
    if export.damage:
        # What the file lost, an anchor may tell too; the line comes first, as it names the place.
        problems.insert(
            next((at for at, one in enumerate(problems) if "The ledger ends" in one), len(problems)), export.damage
        )
    return export, problems


def main(arguments: list[str] | None = None) -> int:
    """0: everything fits; 1: something does not; 2: a file can't be read."""
    parser = argparse.ArgumentParser(
        prog="chain.py",
        description="Check the export of a ledger against anchors that were kept elsewhere. Needs only Python.",
    )
    parser.add_argument("export", type=Path, help="what `manage.py export_ledger` wrote, or ledger.jsonl of a release")
    parser.add_argument("anchors", type=Path, nargs="*", help="texts with anchors: a file, a mail, an earlier export")
    parser.add_argument("--anchor", action="append", default=[], metavar="TEXT", help="an anchor, as it was printed")
    given = parser.parse_args(arguments)
    try:
        carried = list(read_anchors(given.anchor))
        for path in given.anchors:
            found = list(read_anchors(path.read_text(encoding="utf-8").splitlines()))
            if not found:
                raise ValueError(f"{path} holds no anchor.")
            carried += found
        with given.export.open(encoding="utf-8", errors="replace", newline="\n") as stream:
            study = _study_of(stream.readline())
            stream.seek(0)
            own = [anchor for anchor in carried if not (study and anchor.study) or anchor.study == study]
            export, problems = check_export(stream, anchors=own)
    except (OSError, ValueError) as error:
        print(f"Nothing was checked: {error}", file=sys.stderr)
        return 2
    if carried and not own:
        problems.append(f"None of the {len(carried)} anchors is of study '{study}': nothing outside vouches for it.")
    return _tell(export, problems, own)


def _study_of(line: str) -> str:
    try:
        header = _loads(line)
    except ValueError:
        return ""
    return str(header.get("study", "")) if isinstance(header, dict) else ""


def _tell(export: Export, problems: list[str], anchors: list[Anchor]) -> int:
    print(f"{export.position} entries, head {export.digest}.")
    for problem in problems[:_TOLD]:
        print(problem)
    if len(problems) > _TOLD:
        print(f"... and {len(problems) - _TOLD} more.")
    if problems:
        print("The ledger does NOT hold. The first line above names the place.")
        return 1
    last = max((anchor.position for anchor in anchors), default=0)
    if not last:
        print("The chain holds by itself. Without an anchor, a history that was rewritten as a whole would not show.")
    elif last < export.position:
        print(f"It holds up to entry {last}, the last that was anchored. What came later, nothing outside vouches for.")
    else:
        print(f"It holds: everything up to entry {last} is what was anchored.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
