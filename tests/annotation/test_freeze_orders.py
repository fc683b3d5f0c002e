"""Random orders of people's submits and undos against a pass and its freeze, neighbours at once where the draw says so.

Whatever the order: what is frozen is exactly what stood at the pass's ledger position, or the freeze refuses.
"""

import csv
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from annotation.errors import GateClosed
from annotation.models import Annotation, ConsistencyPass, Membership, Release, Study
from annotation.releasing import standing
from annotation.releasing.verify import verify
from annotation.services import ledger, passes, queue, releases
from annotation.states import Role
from tests import factories
from tests.annotation.consistency_studies import decide

REGIONS, PEOPLE = 4, 3
ROUNDS_PER_STUDY = 10
CODES = factories.CODES
WAIT_SECONDS = 60
Step = Callable[[], None]


class Bench:
    """One study that some rounds are run on: people at the queue, and a manager who freezes."""

    def __init__(self, draw: random.Random, other: ThreadPoolExecutor) -> None:
        self.draw = draw
        self.other = other
        self.study: Study = factories.study(policy={"fixed_overlap": 1, "planted_check_rate": 0.0})
        self.manager = factories.member(self.study, Role.MANAGER)
        self.people = [factories.member(self.study) for _ in range(PEOPLE)]
        slides = [factories.slide(self.study) for _ in range(2)]
        self.regions = [factories.region(slides[number % 2]) for number in range(REGIONS)]
        decide(self.regions[0], self.manager, label=CODES[0])
        for region in self.regions[1:]:
            factories.pick(region, slots=1)
        self.keys = map(str, count())
        self.acknowledged = 0
        self.frozen: list[Release] = []
        self.refused = 0

    def round(self) -> None:
        """A pass, its freeze, and what people do meanwhile, in a random order."""
        row: list[ConsistencyPass] = []
        closing: list[Step] = [
            lambda: row.append(passes.start(study=self.study, member=self.manager)),
            lambda: row.append(passes.execute(row[0])),
            lambda: self.freeze(row[0]),
        ]
        work = [self.act_of(person) for person in self.draw.choices(self.people, k=self.draw.randint(1, 4))]
        while closing or work:
            both = bool(closing and work) and self.draw.random() < 0.5
            ours = closing.pop(0) if closing and (both or not work or self.draw.random() < 0.5) else None
            theirs = work.pop(0) if work and (both or ours is None) else None
            # Two at once are two connections: theirs belongs to the other thread.
            beside = self.other.submit(theirs) if theirs else None
            if ours:
                ours()
            if beside:
                beside.result(WAIT_SECONDS)

    def act_of(self, person: Membership) -> Step:
        """What somebody does next, drawn now: answer, or take the last answer back."""
        label = self.draw.choice(CODES)
        return (lambda: self.undo(person)) if self.draw.random() < 0.4 else (lambda: self.answer(person, label))

    def answer(self, person: Membership, label: str) -> None:
        lease = queue.claim(member=person)
        if lease is not None:
            answer = {"kind": "class", "label": label}
            queue.submit(member=person, token=lease.token, answer=answer, idempotency_key=next(self.keys))
            self.acknowledged += 1

    def undo(self, person: Membership) -> None:
        done = person.assignments.filter(state="submitted").order_by("-pk").first()
        if done is not None:
            queue.undo(member=person, token=done.token, idempotency_key=next(self.keys))
            self.acknowledged += 1

    def freeze(self, row: ConsistencyPass) -> None:
        try:
            release = releases.freeze(study=self.study, consistency_pass=row, member=self.manager)
        except GateClosed as refusal:
            self.refused += 1
            assert releases.blockers(row), refusal
            return
        self.frozen.append(release)

    def check(self) -> None:
        """Every frozen set passes its own check, and is what the ledger says stood at its position."""
        for release in self.frozen:
            folder = releases.place(release)
            assert verify(folder, digest=release.manifest_digest).ok
            assert releases.blockers(release.consistency_pass) == []
            upto = release.consistency_pass.ledger_position
            stood = standing.fold(ledger.links(self.study, upto=upto))
            settled = {
                name: standing.label_of(content) for name, content in stood.revisions.items() if content["settled"]
            }
            assert labels_of(folder) == settled
            assert dict(release.items.values_list("region__public_id", "revision__label")) == settled
        assert Annotation.objects.filter(study=self.study).count() == self.acknowledged
        assert ledger.verify(self.study).ok


def labels_of(folder: Path) -> dict[str, str]:
    with (folder / "labels.csv").open(newline="") as file:
        return {row["region"]: row["label"] for row in csv.DictReader(file)}


def run(*, rounds: int, seed: int) -> tuple[int, int]:
    """How many rounds froze, and how many refused."""
    draw = random.Random(seed)
    frozen = refused = 0
    with ThreadPoolExecutor(max_workers=1) as other:
        try:
            for start in range(0, rounds, ROUNDS_PER_STUDY):
                bench = Bench(draw, other)
                for _ in range(min(rounds - start, ROUNDS_PER_STUDY)):
                    bench.round()
                bench.check()
                frozen += len(bench.frozen)
                refused += bench.refused
        finally:
            other.submit(connections.close_all).result(WAIT_SECONDS)
    return frozen, refused


@pytest.fixture
def store(committed: None, settings: Any, tmp_path: Path) -> None:
    settings.STORE = tmp_path / "store"


@pytest.mark.timeout(600)
def test_what_is_frozen_is_what_stood_in_a_hundred_orders(store):
    frozen, refused = run(rounds=100, seed=1)
    assert frozen >= 10 and refused >= 10


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 110))
def test_what_is_frozen_is_what_stood_in_thousands_of_orders(store, seed):
    frozen, refused = run(rounds=1000, seed=seed)
    assert frozen >= 100 and refused >= 100
