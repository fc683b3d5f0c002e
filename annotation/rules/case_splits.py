"""A case whose regions lie in two splits leaks: a model would be tested on a patient it was trained on."""

from collections import defaultdict
from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import Item, PassView
from annotation.states import Severity


def find(view: PassView) -> Iterator[Found]:
    """Yield cases with several splits in this pass, and cases that an earlier release had put elsewhere.

    Cases get merged, renamed or drawn into the audit sample between two releases; whoever trained on the
    earlier one would then be tested on what they have seen.
    """
    by_case: dict[str, list[Item]] = defaultdict(list)
    for item in view.released():
        by_case[item.case].append(item)
    for case, items in sorted(by_case.items()):
        splits = sorted({item.split for item in items})
        moved = sorted(_moves(items, view))
        if len(splits) > 1:
            message = f"Case {case} lies in the splits {' and '.join(splits)}: put all of it into one."
            yield Found(message=message, subject=f"case {case}", evidence={"splits": splits})
        elif moved:
            said = "; ".join(f"in {old} in release {release}, in {new} now" for release, old, new in moved)
            message = f"Case {case} would change its split: {said}."
            yield Found(message=message, subject=f"case {case}", evidence={"moves": [list(one) for one in moved]})


def _moves(items: list[Item], view: PassView) -> set[tuple[int, str, str]]:
    moves = set()
    for item in items:
        earlier = view.earlier.get(item.region)
        if earlier and earlier.split != item.split:
            moves.add((earlier.release, earlier.split, item.split))
    return moves


RULE = Rule(
    code="case-splits",
    version=1,
    severity=Severity.BLOCKER,
    title="Case in two splits",
    fix=Fix.WAIVE,
    find=find,
    meaning="A case (patient) has regions in two splits, or would change its split since an earlier release.",
    stakes="A model would be tested on patients it was trained on, and its score would be too good to be true.",
    reads=("test_share", "validation_share"),
)
