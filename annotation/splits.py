"""Which split a case belongs to: whole cases, the same each time, balanced over domains as far as whole cases go.

Decides train, validation or test from seed, shares and earlier releases; refuses to look at labels.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True, slots=True)
class SplitCase:
    """A case as the split sees it: `domain` is any name of where it comes from."""

    code: str
    domain: str
    is_audit: bool = False


def assign(
    cases: Iterable[SplitCase],
    *,
    seed: int,
    test_share: float,
    validation_share: float,
    earlier: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, str]:
    """Case code -> split. Audit cases are test: no model was ever trained on them.

    A case that earlier releases put into one split stays there; one they put into several (cases were merged)
    goes to the most protected of them, and a rule reports it. Every other case, in hash order, goes where the
    study as a whole and its domain lack most.
    """
    ordered = sorted(cases, key=lambda case: (_hash(seed, case.code), case.code))
    wanted = {TRAIN: 1 - test_share - validation_share, VALIDATION: validation_share, TEST: test_share}
    open_to_all = [split for split in SPLITS if wanted[split] > 0]
    sizes = Counter(case.domain for case in ordered)
    have: Counter[tuple[str, str]] = Counter()
    result: dict[str, str] = {}

    def put(case: SplitCase, split: str) -> None:
        result[case.code] = split
        have[case.domain, split] += 1
        have["", split] += 1

    def lack(case: SplitCase, split: str) -> float:
        whole = wanted[split] * len(ordered) - have["", split]
        return whole + wanted[split] * sizes[case.domain] - have[case.domain, split]

    for case in ordered:
        known = (earlier or {}).get(case.code, frozenset())
        if case.is_audit or known:
            put(case, TEST if case.is_audit else max(known, key=SPLITS.index))
    for case in ordered:
        if case.code not in result:
            put(case, max(open_to_all, key=lambda split: lack(case, split)))
    return result


def _hash(seed: int, code: str) -> str:
    return hashlib.sha256(f"split\n{seed}\n{code}".encode()).hexdigest()
