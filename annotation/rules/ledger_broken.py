"""A ledger that does not fit its rows or its anchors: nobody can say what the truth was."""

from collections.abc import Iterator

from annotation.rules.contract import Fix, Found, Rule
from annotation.rules.view import PassView
from annotation.states import Severity

_SHOWN = 20


def find(view: PassView) -> Iterator[Found]:
    """Yield the first problems of the chain; past the first, most are its consequences."""
    for number, problem in enumerate(view.ledger_problems[:_SHOWN], start=1):
        yield Found(message=problem, subject=f"ledger problem {number}", evidence={"problem": problem})


RULE = Rule(
    code="ledger-broken",
    version=1,
    severity=Severity.BLOCKER,
    title="Ledger broken",
    fix=Fix.NONE,
    find=find,
    meaning="The chain of everything that changed the truth does not fit its rows or an anchor.",
    stakes="Nobody can say any more what the truth was. Restore the rows from a backup, then run a new pass.",
    is_waivable=False,
)
