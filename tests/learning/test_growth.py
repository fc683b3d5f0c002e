import numpy as np
import pytest

from learning.gate import Evidence
from learning.growth import Course, compare


def answer(*, before: float, now: float, cases: int = 40, items: int = 10, classes: int = 4) -> Evidence:
    """Two models that are right on these shares of the items, the second wherever the first is."""
    generator = np.random.default_rng(3)
    truth = generator.integers(0, classes, cases * items)
    luck = generator.random(len(truth))
    said = [np.where(luck < share, truth, (truth + 1) % classes) for share in (before, now)]
    champion, candidate = (np.eye(classes)[one] for one in said)
    return Evidence(truth=truth, cases=np.repeat(np.arange(cases), items), candidate=candidate, champion=champion)


@pytest.mark.parametrize(("now", "course"), [(0.9, Course.RISING), (0.802, Course.FLAT)])
def test_growth_is_told_from_standing_still(now: float, course: Course) -> None:
    found = compare(answer(before=0.8, now=now), before=200, now=400)
    assert found.course == course
    assert found.low <= found.gain <= found.high
    assert found.gain == pytest.approx(now - 0.8, abs=0.03)
    assert (found.before, found.now, found.items, found.cases) == (200, 400, 400, 40)


def test_few_cases_leave_it_open() -> None:
    found = compare(answer(before=0.8, now=0.83, cases=4), before=200, now=400)
    assert found.course == Course.OPEN


def test_nothing_to_compare_is_refused() -> None:
    alone = answer(before=0.8, now=0.9)
    with pytest.raises(ValueError, match="two models' answers"):
        compare(Evidence(truth=alone.truth, cases=alone.cases, candidate=alone.candidate), before=1, now=2)
