"""How fair: what each domain (lab, scanner, stain, ...) has of regions, settled truth and right answers of the model.

Decides when there are enough items to speak of a model's quality in a domain; refuses to look at the audit sample
itself: the numbers are those that the gate wrote down when it judged the model.
"""

from collections import Counter
from typing import Any

from annotation.models import ModelVersion
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.states import ModelState, RegionState

FEWEST_ITEMS, FEWEST_CASES = 10, 2
_ENDED = (RegionState.SETTLED, RegionState.EXCLUDED)


def _read(board: Board) -> Content:
    if not board.domains:
        return Content([], empty="There are no slides yet. Add them in the set-up, each with its domain.")
    judged = read_gate(board)
    settled, waiting = _count(board)
    names = [str(name) for name in board.study.domains]
    rows: list[list[Cell]] = []
    for one in board.domains:
        quality = describe_quality(judged.get("domains", {}).get(one.name))
        share = round(settled[one.name] / one.regions, 4) if one.regions else None
        values = [str(one.values.get(name, "")) for name in names]
        counts = [one.slides, one.cases, one.regions, settled[one.name], share, waiting[one.name]]
        rows.append([one.name, *values, *counts, *quality])
    described = columns(
        ("domain", "Domain"),
        *((f"value_{place}", name) for place, name in enumerate(names)),
        ("slides", "Slides", "count"), ("cases", "Cases", "count"), ("regions", "Regions", "count"),
        ("settled", "Settled", "count"), ("share", "Settled share", "share"), ("waiting", "In the queue", "count"),
        ("items", "Items judged", "count"), ("right", "Model right", "share"),
        ("right_low", "from", "share"), ("right_high", "to", "share"),
    )  # fmt: skip
    return Content(
        tables=[Table("domains", "Coverage by domain", described, rows)],
        notes=_explain(judged),
        data={"dimensions": names},
    )


def _count(board: Board) -> tuple[Counter[str], Counter[str]]:
    settled: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for one in board.worked:
        (settled if one.state in _ENDED else waiting)[one.domain] += one.regions
    return settled, waiting


def read_gate(board: Board) -> dict[str, Any]:
    """What the gate wrote of the active model."""
    active = ModelVersion.objects.filter(study=board.study, state=ModelState.ACTIVE)
    row = active.values_list("number", "numbers__gate").first()
    return {"model": row[0], **(row[1] or {})} if row else {}


def describe_quality(found: dict[str, float] | None) -> list[Cell]:
    """Items, share right and its bounds; a share of a handful, or of one case, is not told.

    Models that were judged before cases were counted have none: of these the items alone are told.
    """
    if found is None:
        return [0, None, None, None]
    if found["items"] < FEWEST_ITEMS or found.get("cases", 0) < FEWEST_CASES:
        return [int(found["items"]), None, None, None]
    return [int(found["items"]), *(round(found[name], 4) for name in ("right", "low", "high"))]


def _explain(judged: dict[str, Any]) -> list[str]:
    if not judged:
        return ["No model is active yet, so there is no quality to show."]
    basis = "the gate half of the audit sample" if judged.get("basis") == "audit" else "out-of-fold estimates"
    return [
        f"Model {judged['model']}: how often its first choice was right on {basis}, as the gate saw it. Shown from "
        f"{FEWEST_ITEMS} items of {FEWEST_CASES} cases on; the range is a 95% interval that takes whole cases as drawn."
    ]


PANEL = Panel(
    name="coverage",
    title="Domain coverage",
    meaning="Where the regions come from, where truth is settled, and where the model can be trusted.",
    read=_read,
    filters=frozenset({"domain"}),
)
