"""Appends to a study's ledger, anchors its head, and checks it against the rows and an anchor.

Decides the order of what changed the truth; refuses to know why anything changed.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery

from annotation import canonical, chain
from annotation.models import (
    Annotation,
    GroundTruthRevision,
    LedgerEntry,
    LedgerHead,
    Region,
    Study,
)
from annotation.releasing import standing
from annotation.snapshot import one_snapshot


@dataclass(frozen=True, slots=True)
class Verification:
    """`problems` are sentences, the first row that does not fit first."""

    entries: int
    head: str
    problems: list[str]

    @property
    def ok(self) -> bool:
        return not self.problems


def append(*, study: Study, kind: str, payload: dict[str, Any], at: datetime) -> LedgerEntry:
    """Append one entry. The last statement of a transaction: it locks the head, and with it all other writers."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A ledger entry belongs into the transaction of what it vouches for.")
    _check_moments(payload, at)
    # A deferred check locks the rows it finds. At the commit it would wait, head in hand, for whoever holds such a row
    # and waits for the head.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    head = _lock_head(study)
    text = canonical.dumps({"at": at.isoformat(), **payload})
    position = head.position + 1
    digest = chain.hash_link(position=position, kind=kind, payload=text, previous_digest=head.digest)
    entry = LedgerEntry.objects.create(
        study=study,
        position=position,
        kind=kind,
        payload=text,
        previous_digest=head.digest,
        digest=digest,
        created_at=at,
    )
    LedgerHead.objects.filter(study=study).update(position=position, digest=digest)
    return entry


def _check_moments(payload: dict[str, Any], at: datetime) -> None:
    """Rows bear the moment of their entry: by it the rows that stood at a position are found (selectors.moments)."""
    for value in [*payload.values(), *(payload.get("rows") or [])]:
        if isinstance(value, dict) and value.get("row") in standing.ROWS and value.get("at") != at.isoformat():
            raise RuntimeError("The rows of a ledger entry are written at one moment: that of the entry.")


def _lock_head(study: Study) -> LedgerHead:
    heads = LedgerHead.objects.select_for_update(no_key=True)
    found = heads.filter(study=study).first()
    if found is None:
        LedgerHead.objects.get_or_create(study=study, defaults={"digest": chain.GENESIS})
        found = heads.get(study=study)
    return found


def head(study: Study) -> chain.Anchor:
    """Position and digest of the last entry; position 0 and the genesis digest for an empty ledger."""
    row = LedgerHead.objects.filter(study=study).first()
    return chain.Anchor(row.position, row.digest) if row else chain.Anchor(0, chain.GENESIS)


def links(study: Study, *, upto: int | None = None) -> Iterator[chain.Link]:
    """The chain in order, up to position `upto`."""
    entries = LedgerEntry.objects.filter(study=study).order_by("position")
    if upto is not None:
        entries = entries.filter(position__lte=upto)
    for row in entries.iterator(chunk_size=2000):
        yield chain.Link(row.position, row.kind, row.payload, row.previous_digest, row.digest)


def export(study: Study) -> Iterator[str]:
    """The lines of an export, header first: what `chain.check_export` reads."""
    last = head(study)
    yield chain.to_header(study=study.slug, entries=last.position, head=last.digest)
    yield from map(chain.to_line, links(study, upto=last.position))


def verify(study: Study, *, anchors: Iterable[chain.Anchor] = ()) -> Verification:
    """Check chain, head, anchors, and that every answer and revision is the one its entry vouches for.

    Problems are sentences; those of the chain come first, then rows in the order of their entries.
    """
    with one_snapshot():
        return _verify(study, anchors)


def _verify(study: Study, anchors: Iterable[chain.Anchor]) -> Verification:
    problems = list(chain.find_breaks(links(study), anchors=anchors))
    current = head(study)
    last = LedgerEntry.objects.filter(study=study).order_by("-position").first()
    reached = chain.Anchor(last.position, last.digest) if last else chain.Anchor(0, chain.GENESIS)
    if reached != current:
        problems.append(
            f"The ledger ends at entry {reached.position}, but its head stands at entry {current.position}: "
            "entries were cut off or added past the application."
        )
    problems += _find_row_breaks(study)
    problems += _find_pointer_breaks(study)
    return Verification(entries=reached.position, head=current.digest, problems=problems)


def _find_row_breaks(study: Study) -> Iterator[str]:
    """Rows that differ from what their entry says, entries without their row, rows without an entry.

    Only digests are held, some 200 bytes a row: a ledger is larger than a process may be.
    """
    rows = {_digest(_name(content)): _digest(content) for content in _contents(study)}
    for link in links(study):
        for content in standing.contents(link):
            row = rows.pop(_digest(_name(content)), None)
            if row is None:
                yield f"Entry {link.position}: {_say(content)} is missing from the database."
            elif row != _digest(content):
                fields = ", ".join(_differing(study, content))
                yield f"Entry {link.position}: {_say(content)} was altered ({fields})."
    if rows:
        for content in _contents(study):
            if _digest(_name(content)) in rows:
                yield f"{_say(content).capitalize()} stands in the database, but no ledger entry vouches for it."


def _digest(value: Any) -> bytes:
    return hashlib.blake2b(canonical.dumps(value).encode(), digest_size=16).digest()


def _differing(study: Study, content: dict[str, Any]) -> list[str]:
    """The fields in which the row of that name differs from `content`."""
    rows = _contents(study, region__public_id=content["region"], number=content["number"])
    row = next(one for one in rows if _name(one) == _name(content))
    return sorted(key for key in content.keys() | row.keys() if row.get(key) != content.get(key))


def _find_pointer_breaks(study: Study) -> Iterator[str]:
    """Regions must point at their newest revision: the pointer is an ordinary column that anyone may update."""
    newest = GroundTruthRevision.objects.filter(region=OuterRef("pk")).order_by("-number")
    regions = Region.objects.filter(study=study).annotate(newest_id=Subquery(newest.values("pk")[:1]))
    wrong = regions.exclude(current_revision_id=F("newest_id")).exclude(current_revision_id=None, newest_id=None)
    for region in wrong.order_by("public_id"):
        yield f"Region {region.public_id} does not point at its newest revision."


def _contents(study: Study, **filters: Any) -> Iterator[dict[str, Any]]:
    answers = Annotation.objects.filter(study=study, **filters)
    answers = answers.select_related("region", "annotator", "protocol", "parent")
    for answer in answers.order_by("id").iterator(chunk_size=2000):
        yield answer.content()
    revisions = GroundTruthRevision.objects.filter(study=study, **filters)
    revisions = revisions.select_related("region", "protocol", "snapshot", "actor")
    for revision in revisions.order_by("id").iterator(chunk_size=2000):
        yield revision.content()


def _name(content: dict[str, Any]) -> list[Any]:
    return [content["row"], content["region"], content.get("annotator"), content["number"]]


def _say(content: dict[str, Any]) -> str:
    if content["row"] == "annotation":
        return f"answer {content['number']} of {content['annotator']} on region {content['region']}"
    return f"revision {content['number']} of region {content['region']}"
