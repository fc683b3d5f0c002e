"""How well people agree, beyond chance, with intervals: overall, by class and by pair.

Decides what is told of the estimates of `learning.consensus`; refuses regions that were ranked: they are the hard ones.
"""

from typing import Any

import numpy as np

from annotation.selectors.dashboard import opinions
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Described, Panel, Table, columns
from learning.consensus.agreement import Agreement, Estimate, measure_agreement
from learning.consensus.pairs import Pair, measure_pairs

FEWEST_REGIONS = 5
RESAMPLES = 500
_BOUNDS: tuple[Described, ...] = (("value", "Value", "number"), ("low", "95% from", "number"), ("high", "to", "number"))


def measure(board: Board) -> dict[str, Any]:
    """Agreement, pairs and the names of their axes, of the fair regions under the board's filters."""
    found: dict[str, Any] = board.keep("agreement", lambda: _measure(board))
    return found


def _measure(board: Board) -> dict[str, Any]:
    fair = opinions.read(board)
    seed = abs(board.study.seed)
    several = int((fair.answers.count_labels().sum(axis=1) > 1).sum()) if len(fair.answers) else 0
    found: dict[str, Any] = {
        "regions": several,
        "people": fair.pseudonyms,
        "codes": fair.codes,
        "sample": fair.is_sample,
    }
    if several >= FEWEST_REGIONS:
        found["all"] = measure_agreement(fair.answers, cases=fair.cases, seed=seed, resamples=RESAMPLES)
        found["pairs"] = measure_pairs(fair.answers, cases=fair.cases, seed=seed, resamples=RESAMPLES)
    return found


def _read(board: Board) -> Content:
    # Agreement is between people: of one person's pairs the other half is needed as well, so all are measured.
    everybody = board.narrowed(PANEL.filters - {"annotator"})
    found = measure(everybody)
    board.as_of = everybody.as_of
    if "all" not in found:
        return Content([], empty=_say_too_few(found["regions"]))
    measured: Agreement = found["all"]
    names = {one.code: one.name for one in board.reading.classes}
    notes = [
        f"Measured on {measured.items} regions with {measured.answers} answers (cases: {measured.cases}), from the "
        "audit sample and the random share alone: ranked regions are the hard ones and make everybody look worse.",
        "Intervals: 95%, bootstrap over cases.",
    ]
    if found["sample"]:
        notes.append(f"A random sample of {opinions.MOST_REGIONS} regions; the interval says how much that costs.")
    if measured.cases < FEWEST_REGIONS:
        notes.append("So few cases make the intervals too narrow.")
    return Content(
        tables=[
            _tabulate_overall(measured),
            _tabulate_classes(measured, found["codes"], names),
            _tabulate_pairs(found["pairs"], found["people"], board.filters.annotator),
        ],
        notes=notes,
    )


def _say_too_few(regions: int) -> str:
    return (
        f"{regions} regions of the audit sample and the random share have two answers or more; agreement is told from "
        f"{FEWEST_REGIONS} on. More come as people answer; with a minimum overlap of 1 in the policy they come slowly."
    )


def _tabulate_overall(measured: Agreement) -> Table:
    rows: list[list[Cell]] = [
        ["Krippendorff's alpha", *_cells(measured.alpha), "1: always agree; 0: as by chance"],
        ["Gwet's AC1", *_cells(measured.ac1), "as alpha, steadier where one class is most of all"],
        ["Same answer", *_cells(measured.raw), "share of pairs of answers that are the same, chance included"],
    ]
    return Table("overall", "Agreement", columns(("measure", "Measure"), *_BOUNDS, ("means", "Reads as")), rows)


def _tabulate_classes(measured: Agreement, codes: list[str], names: dict[str, str]) -> Table:
    pairs = zip(codes, measured.per_class, strict=True)
    rows: list[list[Cell]] = [[code, names.get(code, code), *_cells(one)] for code, one in pairs]
    title = "By class: of two people, one of whom says it, how often the other does"
    return Table("classes", title, columns(("code", "Code"), ("name", "Class"), *_BOUNDS), rows)


def _tabulate_pairs(pairs: list[Pair], people: list[str], annotator: str) -> Table:
    rows: list[list[Cell]] = [
        [people[one.first], people[one.second], one.items, *_cells(Estimate(one.share, one.low, one.high))]
        for one in pairs
        if annotator in ("", people[one.first], people[one.second])
    ]
    described = columns(("first", "Person"), ("second", "and"), ("regions", "Regions", "count"), *_BOUNDS)
    return Table("pairs", "Same answer, by pair", described, rows)


def _cells(one: Estimate) -> list[Cell]:
    return [round(float(value), 4) if np.isfinite(value) else None for value in (one.value, one.low, one.high)]


PANEL = Panel(
    name="agreement",
    title="Agreement",
    meaning="Whether people mean the same by the classes. Low agreement on a class asks for a better definition.",
    read=_read,
    filters=frozenset({"domain", "annotator", "since", "until"}),
    seconds=30,
)
