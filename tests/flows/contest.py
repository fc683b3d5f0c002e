"""Many processes that claim and submit as fast as they can, each with a log of what it saw.

    python -m tests.flows.contest STUDY OUT --processes 16

Django is loaded once and forked; every process opens a connection of its own and is one annotator.
"""

import argparse
import json
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

SHARES = {"release": 0.04, "skip": 0.03, "repeat": 0.2, "ask again": 0.1, "batch": 0.15}
BATCH = 5
PAUSE_SECONDS = 0.02


def play(slug: str, member_id: int, log: Path) -> None:
    """Work as one annotator until nothing is left."""
    from annotation.errors import TryAgain
    from annotation.models import Membership
    from annotation.services import queue

    member = Membership.objects.get(pk=member_id)
    rng = np.random.default_rng(member_id)
    with log.open("w", buffering=1) as stream:

        def note(event: str, lease: Any, key: str = "", row: int = 0) -> None:
            value = {"at": time.monotonic(), "event": event, "member": member.pseudonym, "key": key, "row": row}
            stream.write(json.dumps(value | {"region": lease.region.public_id, "token": lease.token}) + "\n")

        while True:
            try:
                lease = queue.claim(member=member)
            except TryAgain:
                continue
            if lease is None and is_done(member):
                return
            if lease is None:
                time.sleep(PAUSE_SECONDS)
                continue
            note("claimed", lease)
            ask_again(rng, member, lease)
            chance = rng.random()
            if chance < SHARES["release"]:
                note("giving", lease)
                queue.release(member=member, token=lease.token)
            elif chance < SHARES["release"] + SHARES["skip"]:
                note("giving", lease)
                queue.skip(member=member, token=lease.token, reason="blurred")
            else:
                key = f"{member.pseudonym}-{lease.region.public_id}"
                label = str(rng.choice(["neutrophil", "lymphocyte"]))
                for _ in range(2 if rng.random() < SHARES["repeat"] else 1):
                    row = queue.submit(
                        member=member,
                        token=lease.token,
                        answer={"kind": "class", "label": label},
                        idempotency_key=key,
                    )
                    note("answered", lease, key, row.pk)


def is_done(member: Any) -> bool:
    """Whether nothing can come back to this annotator: what others hold for a moment may."""
    from annotation.models import Assignment, Pick

    done = Assignment.objects.filter(annotator=member, state__in=["submitted", "skipped"]).values("pick")
    return not Pick.objects.filter(study=member.study_id, state="open").exclude(pk__in=done).exists()


def ask_again(rng: np.random.Generator, member: Any, lease: Any) -> None:
    """Sometimes ask once more, or for a batch of which all but the lease that was held is given back."""
    from annotation.services import queue

    if rng.random() < SHARES["ask again"]:
        again = queue.claim(member=member)
        assert again is not None and again.token == lease.token, "Asking again gave another lease."
    if rng.random() < SHARES["batch"]:
        first, *others = queue.claim_batch(member=member, count=BATCH)
        assert first.token == lease.token, "A batch left out the lease that was held."
        if others:
            queue.release_batch(member=member, tokens=[one.token for one in others])


def main() -> int:
    """Fork a process for each annotator of the study; 1 where one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("out", type=Path)
    parser.add_argument("--processes", type=int, default=16)
    given = parser.parse_args()
    import django

    django.setup()
    from django.db import connections

    from annotation.models import Membership
    from annotation.states import Role

    members = Membership.objects.filter(study__slug=given.study, role=Role.ANNOTATOR).order_by("pk")
    ids = list(members.values_list("pk", flat=True)[: given.processes])
    connections.close_all()
    context = get_context("fork")
    jobs = [
        context.Process(target=play, args=(given.study, pk, given.out / f"{number}.jsonl"))
        for number, pk in enumerate(ids)
    ]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    return int(any(job.exitcode for job in jobs))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    sys.exit(main())
