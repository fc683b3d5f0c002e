"""Scripted people at the HTTP API: claim, fetch the picture, answer, sometimes skip or take an answer back.

Decides the order of calls and what is written down as acknowledged; refuses to touch the queue but through HTTP.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from annotation.errors import Refused
from workers.simulation.annotators import Response
from workers.simulation.client import ApiError, Client
from workers.simulation.crew import Person
from workers.simulation.patience import patiently
from workers.simulation.receipts import Receipts
from workers.simulation.work import Outcome, reason_for

JPEG = b"\xff\xd8"


class ThroughHttp:
    """A workplace over HTTP. `clients` are signed in, by pseudonym; `pace` scales the simulated seconds."""

    def __init__(self, *, slug: str, clients: Mapping[str, Client], receipts: Receipts, pace: float = 0.0) -> None:
        self._base = f"/api/studies/{slug}/queue/"
        self._clients = clients
        self._receipts = receipts
        self._pace = pace
        self._seen: Counter[tuple[str, str]] = Counter()
        self.images = 0

    def work_once(self, person: Person, *, kind: str) -> Outcome:
        """Claim and answer one region; a lease that was lost on the way is passed on."""
        client = self._clients[person.member.pseudonym]
        lease = client.post(f"{self._base}claim/", {"kind": kind})["lease"]
        if lease is None:
            return Outcome.NOTHING
        try:
            return self._work_on(person, client, lease)
        except ApiError as error:
            # 409: the lease ran out, most likely while the server was away.
            if error.status == 409:
                return Outcome.PASSED
            raise
        except Refused:
            return Outcome.PASSED

    def _work_on(self, person: Person, client: Client, lease: dict[str, Any]) -> Outcome:
        region = lease["region"]["id"]
        if not client.get_image(lease["region"]["image"]).startswith(JPEG):
            raise ApiError(200, "no-image", f"The picture of region {region} is no JPEG.")
        self.images += 1
        count = self._seen[person.member.pseudonym, region]
        self._seen[person.member.pseudonym, region] += 1
        response = patiently(lambda: person.mind.answer(token=lease["token"], region=region, count=count))
        time.sleep(response.seconds * self._pace)
        key = f"{region}-{count}"
        if response.skips:
            client.post(f"{self._base}skip/", {"token": lease["token"], "reason": "Out of focus."})
            return Outcome.PASSED
        token, reason = lease["token"], reason_for(lease["kind"])
        if response.slip:
            slip = f"{key}-slip"
            self._submit(person, client, token, key=slip, label=response.slip, response=response, reason=reason)
            again = client.post(f"{self._base}undo/", {"token": token, "idempotency_key": f"{key}-undo"})
            self._receipts.note(pseudonym=person.member.pseudonym, key=f"{key}-undo", label="")
            token = again["token"]
        self._submit(person, client, token, key=key, label=response.label, response=response, reason=reason)
        return Outcome.ANSWERED

    def _submit(
        self, person: Person, client: Client, token: str, *, key: str, label: str, response: Response, reason: str
    ) -> None:
        value = {
            "token": token,
            "answer": {"kind": "class", "label": label},
            "idempotency_key": key,
            "seconds": response.seconds,
            "reason": reason,
        }
        client.post(f"{self._base}submit/", value)
        self._receipts.note(pseudonym=person.member.pseudonym, key=key, label=label)
