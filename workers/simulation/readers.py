"""The people of a replay: each says what he or she once said, and is never asked anything else.

Decides who may be asked what, by closing every other region to a person; refuses to know when anybody is asked.
"""

from collections.abc import Iterator

import numpy as np
from django.db import transaction

from annotation import clock
from annotation.errors import BadInput
from annotation.models import Assignment, Membership, Region, Study
from annotation.states import AssignmentState, Role
from workers.simulation.annotators import Response
from workers.simulation.crew import Crew, Person, join
from workers.simulation.votes import Book, Vote

MEDIAN_SECONDS = 4.0
MOST_CLOSED = 3_000_000
"""Pairs of person and region without a vote; each becomes a row."""
CLOSED_BECAUSE = "Replay: this person has no recorded vote on the region."
_ROWS_AT_ONCE = 5_000


class Reader:
    """Gives the recorded vote on a leased region; votes whose time was not written down take a drawn one."""

    def __init__(self, *, votes: dict[str, Vote], rng: np.random.Generator) -> None:
        self._votes = votes
        self._rng = rng
        self._given: set[str] = set()

    @property
    def is_spent(self) -> bool:
        return len(self._given) == len(self._votes)

    def answer(self, *, token: str, region: str, count: int) -> Response:
        """The vote on the region, which the queue gives to nobody else."""
        vote = self._votes[region]
        self._given.add(region)
        drawn = MEDIAN_SECONDS * float(self._rng.lognormal(0.0, 0.5))
        return Response(label=vote.label, seconds=round(drawn if vote.seconds is None else vote.seconds, 3))


@transaction.atomic
def hire(*, study: Study, book: Book, seed: int) -> Crew:
    """A member for each reader of the book, in an order drawn by the seed, and a manager; nobody adjudicates."""
    known = dict(Region.objects.filter(study=study).values_list("public_id", "pk"))
    pairs = len(book.votes) * len(known) - book.count
    if pairs > MOST_CLOSED:
        raise BadInput(
            f"{len(book.votes):,} people on {len(known):,} regions have {pairs:,} pairs without a vote, more than a "
            f"replay keeps ({MOST_CLOSED:,}). Name a file of fewer people or regions with --votes."
        )
    people = []
    for number, name in enumerate(sorted(book.votes), start=1):
        member = join(study, f"replay-{study.slug}-{number}", Role.ANNOTATOR)
        people.append(
            Person(member, Reader(votes=dict(book.votes[name]), rng=np.random.default_rng([seed % 2**63, number])))
        )
        closed = _closed(study, member, [pk for region, pk in known.items() if region not in book.votes[name]])
        Assignment.objects.bulk_create(closed, batch_size=_ROWS_AT_ONCE)
    order = np.random.default_rng([seed % 2**63, 0]).permutation(len(people))
    return Crew([people[place] for place in order], [], join(study, f"replay-{study.slug}-manager", Role.MANAGER))


def _closed(study: Study, member: Membership, regions: list[int]) -> Iterator[Assignment]:
    """The regions as refused by the member: the queue passes them over, and knows when nobody is left to ask."""
    at = clock.now()
    for region in regions:
        yield Assignment(
            study=study, region_id=region, annotator=member, state=AssignmentState.SKIPPED,
            leased_at=at, expires_at=at, closed_at=at, skip_reason=CLOSED_BECAUSE,
        )  # fmt: skip
