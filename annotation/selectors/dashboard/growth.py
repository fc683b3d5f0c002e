"""Whether more answers still make the model better, and when to stop.

Decides the sentence; the comparison was made by workers when the newest model was judged, and lies with its numbers.
"""

from annotation.selectors.dashboard import versions
from annotation.selectors.dashboard.board import Board
from annotation.states import ModelState
from learning.growth import WORTH, Course, Growth


def read(board: Board) -> Growth | None:
    """What the newest judged model was found to have gained; None where none of half as many labels was comparable."""
    newest = next((one for one in versions.read(board) if one.state != ModelState.CANDIDATE), None)
    return Growth(**newest.growth) if newest is not None and newest.growth else None


def is_flat(board: Board) -> bool:
    """Whether it is time to think of stopping, as far as the model goes."""
    found = read(board)
    return found is not None and found.course == Course.FLAT


def say(board: Board) -> list[str]:
    """One sentence, or none while nothing can be compared."""
    found = read(board)
    if found is None:
        return []
    told = (
        f"From {found.before} labels to {found.now} the model's macro-F1 has changed by {found.gain:+.3f} (95% from "
        f"{found.low:+.3f} to {found.high:+.3f}) on {found.items} audit items of {found.cases} cases"
    )
    return [f"{told}. {_ADVICE[found.course]}"]


_ADVICE = {
    Course.RISING: "More labels still make it better.",
    Course.OPEN: "Whether more labels make it better cannot be told yet: a larger audit sample would tell sooner.",
    Course.FLAT: f"Twice as many again are not likely to bring {WORTH:.2f}: for the model's sake you may stop.",
}
