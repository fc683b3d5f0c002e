"""The queue, settlement and refits once more, in memory and without rows: a thousand times as fast as the real one.

Decides nothing of its own: for the same votes, policy and seed it must give the answers and labels that the real queue
gives (tests/workers/simulation/test_replay.py holds it to that); refuses gold, repeats, skips, rechecks and models.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from annotation import draws
from annotation.policy import Policy
from learning.consensus import dawid_skene, firmness, gather, priors, settlement
from workers.simulation.readers import Reader
from workers.simulation.votes import Book

IDLE_MS = 30_000


@dataclass(slots=True)
class Waiting:
    """A region in the queue."""

    name: str
    rank: int
    granted: int
    overlap: int
    is_audit: bool
    is_check: bool
    taken: int = 0
    given: dict[int, int] = field(default_factory=dict)
    early: int | None = None
    label: int | None = None
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many answers were given, the label of each region, and how many regions stayed undecided."""

    answers: int
    labels: dict[str, str]
    undecided: int


class VoteQueue:
    """One run over a book of votes; `audit` says of each region whether it is in the audit sample."""

    def __init__(self, *, book: Book, policy: Policy, seed: int, audit: Mapping[str, bool]) -> None:
        self.policy = policy
        self.codes = book.codes
        names = sorted(book.votes)
        self.readers = [
            Reader(votes=dict(book.votes[name]), rng=np.random.default_rng([seed, number]))
            for number, name in enumerate(names, start=1)
        ]
        self.votes = [dict(book.votes[name]) for name in names]
        self.people = np.random.default_rng([seed, 0]).permutation(len(names)).tolist()
        regions = book.regions
        order = np.random.default_rng([seed, len(regions)]).permutation(len(regions))
        self.queue = [self._wait(regions[place], rank, seed, audit) for rank, place in enumerate(order)]
        self.left = [[one for one in self.queue if one.name in given] for given in self.votes]
        self.answers: list[tuple[int, int, int]] = []
        self.known: set[int] = set()
        self.fitted: dawid_skene.DawidSkene | None = None

    def _wait(self, name: str, rank: int, seed: int, audit: Mapping[str, bool]) -> Waiting:
        policy = self.policy
        slots = settlement.first_slots(
            min_overlap=policy.min_overlap, is_audit=audit[name], fixed_overlap=policy.fixed_overlap or None
        )
        most = slots if policy.fixed_overlap else max(policy.max_overlap, slots)
        is_check = draws.uniform(seed, "check", name) < policy.planted_check_rate
        return Waiting(name, rank, slots, most, audit[name], is_check)

    def run(self) -> Outcome:
        """Let everybody answer until nothing is left for anybody."""
        held: dict[int, tuple[Waiting, int]] = {}
        moments = [(turn, turn) for turn in range(len(self.people))]
        idle: set[int] = set()
        while moments:
            now, turn = heapq.heappop(moments)
            reader = self.people[turn]
            if turn in held:
                self._submit(*held.pop(turn), reader)
                idle.clear()
            region = self._claim(reader)
            if region is not None:
                said = self.readers[reader].answer(token="", region=region.name, count=0)
                held[turn] = (region, self.codes.index(said.label))
                heapq.heappush(moments, (now + round(said.seconds * 1000), turn))
            elif held or len(idle) < len(self.people):
                idle.add(turn)
                heapq.heappush(moments, (now + IDLE_MS, turn))
        return self._close()

    def _claim(self, reader: int) -> Waiting | None:
        mine = self.left[reader]
        free = [one for one in mine if not one.is_over and one.granted > len(one.given) + one.taken]
        if not free:
            return None
        best = min(free, key=lambda one: (not one.given, one.rank))
        best.taken += 1
        mine.remove(best)
        return best

    def _submit(self, region: Waiting, label: int, reader: int) -> None:
        region.taken -= 1
        region.given[reader] = label
        self.answers.append((region.rank, reader, label))
        if not region.is_over and len(region.given) >= region.granted:
            self._settle(region)
        if len(self.answers) % self.policy.refit_every_answers == 0:
            self._refit()

    def _settle(self, region: Waiting) -> None:
        decision = self._decide(region)
        if decision.kind is settlement.Kind.SETTLE:
            region.label, region.is_over = decision.label, True
        elif decision.kind is not settlement.Kind.ADJUDICATE and region.granted < region.overlap:
            region.granted += 1
            region.early = decision.label if decision.is_check and region.early is None else region.early
        else:
            region.is_over = True

    def _decide(self, region: Waiting) -> settlement.Decision:
        policy, fitted, size = self.policy, self.fitted, len(self.codes)
        readers = sorted(region.given, key=lambda reader: f"A{reader + 1}")
        labels = np.array([region.given[reader] for reader in readers], dtype=np.int64)
        unknown = priors.default_confusion(size)
        prior = np.full(size, 1.0 / size) if fitted is None else fitted.prior
        rows = [fitted.confusion[one] if fitted is not None and one in self.known else unknown for one in readers]
        posterior = dawid_skene.posterior_of(labels=labels, confusion=np.stack(rows), prior=prior)
        likelihood = firmness.likelihood_of(labels=labels, confusion=np.stack(rows))
        firm = firmness.of_answers(likelihood, label=int(posterior.argmax()))
        is_stranger = len(readers) == 1 and readers[0] not in self.known
        return settlement.decide(
            posterior=posterior,
            answers=len(readers),
            min_overlap=min(policy.min_overlap, region.overlap),
            max_overlap=max(len(readers) + region.overlap - region.granted, policy.min_overlap, 1),
            target=policy.target_confidence,
            rare=np.ones(size, dtype=bool) if fitted is None else prior < policy.rare_share,
            firmness=None if is_stranger else firm,
            single_reliability=policy.single_reliability,
            planted_check=region.is_check,
            is_audit=region.is_audit,
            fixed_overlap=policy.fixed_overlap or None,
        )

    def _refit(self) -> None:
        self.fitted = self._fit()
        self.known = {reader for _, reader, _ in self.answers}

    def _fit(self) -> dawid_skene.DawidSkene:
        """As the real one: over regions with an answer only, since the others would count in the prior."""
        ranks, readers, labels = np.array(self.answers, dtype=np.int64).T
        seen, items = np.unique(ranks, return_inverse=True)
        sizes = (len(seen), len(self.readers), len(self.codes))
        return dawid_skene.fit(gather(items=items, annotators=readers, labels=labels, sizes=sizes))

    def _close(self) -> Outcome:
        """What nobody settled has the leading class of a fit over all answers given."""
        final = self._fit()
        place = {rank: row for row, rank in enumerate(sorted({rank for rank, _, _ in self.answers}))}
        undecided = [one for one in self.queue if one.label is None]
        for one in undecided:
            if one.rank in place:
                one.label = int(final.posterior[place[one.rank]].argmax())
        labels = {one.name: self.codes[one.label] for one in self.queue if one.label is not None}
        return Outcome(len(self.answers), labels, len(undecided))
