"""Carries the head of a study's ledger outside: a printed line, a file that only grows, a mail.

Decides what an anchor looks like where it lands and when the next one is due; refuses to check a ledger (`ledger`).
The proof is the copy outside: the row here only says where to look for it.
"""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from annotation import chain, clock
from annotation.errors import BadInput, Conflict
from annotation.models import Job, LedgerAnchor, LedgerHead, Study
from annotation.services import jobs, ledger
from annotation.states import JobKind

EVERY = timedelta(days=1)
SUBJECT = "Anchor of the ledger of {study}, entry {position}"
BODY = """Keep this mail: with it, nobody can rewrite the history of the study up to this entry unseen.

{line}

To check later: `manage.py export_ledger {study} FILE`, then `python chain.py FILE THIS-MAIL`, or
`manage.py verify_ledger {study} --anchor {position}:{digest}`.
"""


def take(*, study: Study) -> chain.Anchor:
    """The head as an anchor; Conflict while the ledger is empty."""
    head = ledger.head(study)
    if not head.position:
        raise Conflict(f"The ledger of '{study.slug}' is empty: there is nothing to anchor yet.")
    return chain.Anchor(head.position, head.digest, study.slug, clock.now().isoformat(timespec="seconds"))


def note(*, study: Study, anchor: chain.Anchor, place: str) -> LedgerAnchor:
    """Say in a row that the anchor was carried to `place`."""
    return LedgerAnchor.objects.create(study=study, position=anchor.position, digest=anchor.digest, place=place[:200])


def to_file(*, study: Study, anchor: chain.Anchor, path: Path) -> LedgerAnchor:
    """Append the anchor's line to a file and flush it to the disk; what stands in the file stays."""
    try:
        with transaction.atomic():
            row = note(study=study, anchor=anchor, place=f"file {path}")
            with path.open("a", encoding="utf-8") as stream:
                stream.write(chain.to_anchor_line(anchor) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}. Name a file in a folder that exists.") from error
    return row


def by_mail(*, study: Study, anchor: chain.Anchor, addresses: Sequence[str]) -> LedgerAnchor:
    """Send the anchor's line; BadInput, with what the mail server said, where it could not be sent."""
    values = {"study": study.slug, "position": anchor.position, "digest": anchor.digest}
    body = BODY.format(line=chain.to_anchor_line(anchor), **values)
    try:
        send_mail(SUBJECT.format(**values), body, None, list(addresses))
    except (OSError, ValueError) as error:
        raise BadInput(f"The anchor could not be sent to {', '.join(addresses)}: {error}") from error
    return note(study=study, anchor=anchor, place=f"mail to {', '.join(addresses)}")


def carry(*, study: Study) -> list[LedgerAnchor]:
    """Carry the head to every place the settings name; each is tried, and the first trouble is raised at the end."""
    anchor = take(study=study)
    made: list[LedgerAnchor] = []
    trouble: list[BadInput] = []
    for way in _ways(study, anchor):
        try:
            made.append(way())
        except BadInput as error:
            trouble.append(error)
    if trouble:
        raise trouble[0]
    return made


def _ways(study: Study, anchor: chain.Anchor) -> list[Callable[[], LedgerAnchor]]:
    ways: list[Callable[[], LedgerAnchor]] = []
    if settings.ANCHOR_FILE:
        ways.append(lambda: to_file(study=study, anchor=anchor, path=Path(settings.ANCHOR_FILE)))
    if settings.ANCHOR_MAIL:
        ways.append(lambda: by_mail(study=study, anchor=anchor, addresses=settings.ANCHOR_MAIL))
    return ways


def is_configured() -> bool:
    """Whether the settings name a place to which heads are carried by themselves."""
    return bool(settings.ANCHOR_FILE or settings.ANCHOR_MAIL)


def is_due(study: Study) -> bool:
    """Whether the ledger has grown since the newest anchor, and a day has passed since that was made."""
    head = LedgerHead.objects.filter(study=study).first()
    if not is_configured() or study.is_simulation or head is None or not head.position:
        return False
    last = LedgerAnchor.objects.filter(study=study).order_by("-created_at", "-pk").first()
    return last is None or (last.position < head.position and clock.now() - last.created_at >= EVERY)


def enqueue_due() -> list[Job]:
    """A job for each study whose anchor is due: one a day, so that a place that is away is not asked all the time."""
    if not is_configured():
        return []
    today = clock.now().date().isoformat()
    due = [study for study in Study.objects.filter(is_simulation=False).order_by("pk") if is_due(study)]
    return [jobs.enqueue(study=study, kind=JobKind.ANCHOR_LEDGER, key=today) for study in due]
