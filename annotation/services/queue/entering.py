"""Entering: what is typed under a live lease is saved as it is typed.

Decides which of two tabs is newer; refuses to renew the lease, which only real input does.
"""

from typing import Any

from django.db import transaction

from annotation import clock
from annotation.errors import StaleDraft
from annotation.models import Membership
from annotation.services.queue import drafts, leases


def save(*, member: Membership, token: str, content: dict[str, Any], version: int) -> int:
    """Keep what is being entered; returns the version to name with the next saving.

    StaleDraft where another tab has saved something else since `version`. LeaseLost where the lease has ended: the
    content is among the drafts then.
    """
    with transaction.atomic():
        assignment = leases.lock(member=member, token=token)
        is_live = leases.is_live(assignment, clock.now())
        if not is_live:
            drafts.keep(assignment, content=content)
        elif drafts.differ(assignment.entered, content):
            if assignment.entered_version != version:
                raise StaleDraft(
                    "Another tab of yours has saved this region since: what you entered here is on this page only.",
                    version=assignment.entered_version,
                    content=assignment.entered,
                )
            assignment.entered = content
            assignment.entered_version = version + 1
            assignment.save(update_fields=["entered", "entered_version"])
    if not is_live:
        raise leases.lost(" What was entered is kept among the drafts.")
    return assignment.entered_version
