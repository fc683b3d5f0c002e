"""A manager goes back on the truth: of a region, of one person's session, of everything one ledger entry did."""

from annotation.services.reviewing.bulk import TakenBack, restore_bulk
from annotation.services.reviewing.regions import LONGEST_NOTE, restore, send_back
from annotation.services.reviewing.sessions import SetAside, restore_session

__all__ = [
    "LONGEST_NOTE",
    "SetAside",
    "TakenBack",
    "restore",
    "restore_bulk",
    "restore_session",
    "send_back",
]
