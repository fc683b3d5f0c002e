"""Claims and answers in one line, for tests of the queue."""

from typing import Any

from annotation.models import Annotation, Membership
from annotation.services import queue


def answer(label: str = "neutrophil") -> dict[str, str]:
    """A whole-region answer."""
    return {"kind": "class", "label": label}


def submit(member: Membership, label: str = "neutrophil", key: str | None = None, **fields: Any) -> Annotation:
    """Claim the next region and answer it."""
    lease = queue.claim(member=member)
    assert lease is not None
    key = key or f"{member.pseudonym}-{lease.pk}"
    return queue.submit(member=member, token=lease.token, answer=answer(label), idempotency_key=key, **fields)
