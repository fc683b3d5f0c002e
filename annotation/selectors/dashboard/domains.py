"""Domains under watch: whether what the model has learned from looks like each of them, and since when not.

Decides the sentence for each verdict; refuses to look at embeddings: a background job did, and wrote down what it found
(`learning.domains`). About slides; whether people drift is in the panel of people.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from annotation.models import ModelVersion
from annotation.selectors import unseen
from annotation.selectors.dashboard import coverage
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.selectors.unseen import Unseen
from annotation.states import ModelState, RegionState

MOST_MODELS = 30
"""How many models back "since" looks."""
_WORDS = {"unlike": "Unlike what is known", "alike": "Like what is known", "learned": "Known", "few": "Too few cases"}


@dataclass(frozen=True, slots=True)
class Watched:
    """What was written down under the active model `number`: of each domain, what it was trained on, what was found.

    `since`: domain -> the first of the models without a break that found the same. `is_read`: somebody has looked.
    """

    number: int
    trained_on: dict[str, int]
    found: dict[str, dict[str, Any]]
    since: dict[str, int]
    is_read: bool

    def strangers(self) -> list[tuple[str, dict[str, Any]]]:
        """Domains unlike all that the model knows although it has learned from some of their regions."""
        rows = sorted(self.found.items())
        return [(name, one) for name, one in rows if one["verdict"] == "unlike" and self.trained_on.get(name)]


def read(board: Board) -> Watched | None:
    """What is known under the active model; None where none is active."""
    return board.reading.once("domains watched", lambda: _read_models(board))


def find_unseen(board: Board) -> list[Unseen]:
    """The domains that the active model has never seen."""
    return board.reading.once("unseen", lambda: unseen.find([board.study.pk]).get(board.study.pk, []))


def say(one: dict[str, Any]) -> str:
    """What was found of a domain, in a sentence with its number."""
    apart = one.get("apart")
    word = _WORDS[one["verdict"]]
    if apart is not None:
        reached = "but so do" if one["verdict"] == "alike" else "more than"
        return (
            f"{word}: a classifier tells {apart['cases']} of its cases from {apart['known_cases']} of "
            f"{one['nearest']}, the nearest, with AUC {apart['value']:.2f}, {reached} splits by chance (95 in 100 are "
            f"under {apart['usual']:.2f}; p = {apart['p']:.3f})."
        )
    learned = f"{one['learned_cases']} of its {one['cases']} cases"
    if one["learned_cases"] == one["cases"] and one["verdict"] == "learned":
        return f"{word}: the model has learned from all of its {one['cases']} cases."
    if one["verdict"] == "learned":
        return f"{word}: the model has learned from {learned}; the others are too few to be held against these."
    return f"{word} to tell: it has learned from {learned}, and a comparison needs six on each side."


def _read_models(board: Board) -> Watched | None:
    rows = ModelVersion.objects.filter(study=board.study).exclude(activated_at=None)
    wanted = ("number", "state", "numbers__trained_on", "numbers__domains__found")
    newest = list(rows.order_by("-activated_at").values_list(*wanted)[:MOST_MODELS])
    active = next((row for row in newest if row[1] == ModelState.ACTIVE), None)
    if active is None:
        return None
    number, _, trained_on, found = active
    earlier = sorted((row for row in newest if row[0] < number), reverse=True)
    since = {name: _since(name, one["verdict"], number, earlier) for name, one in (found or {}).items()}
    return Watched(number, trained_on or {}, found or {}, since, found is not None)


def _since(name: str, verdict: str, number: int, earlier: list[tuple[Any, ...]]) -> int:
    for older, _, _, found in earlier:
        if (found or {}).get(name, {}).get("verdict") != verdict:
            break
        number = older
    return number


def _read(board: Board) -> Content:
    if not board.domains:
        return Content([], empty="There are no slides yet. Add them in the set-up, each with its domain.")
    watched = read(board)
    if watched is None:
        return Content([], empty="No model is active yet, so there is nothing to hold the domains against.")
    settled: Counter[str] = Counter()
    for one in board.worked:
        if one.state == RegionState.SETTLED:
            settled[one.domain] += one.regions
    shown = {one.name for one in board.domains}
    new = {one.domain: one for one in find_unseen(board) if one.domain in shown}
    judged = coverage.read_gate(board)
    by_audit = judged.get("domains", {}) if judged.get("basis") == "audit" else {}
    rows: list[list[Cell]] = []
    for domain in board.domains:
        found = watched.found.get(domain.name)
        trained = watched.trained_on.get(domain.name, 0)
        right = coverage.describe_quality(by_audit.get(domain.name))[1:]
        rows.append([
            domain.name, settled[domain.name], trained, *right,
            _sentence(found, new.get(domain.name), watched), watched.since.get(domain.name), *_numbers(found),
        ])  # fmt: skip
    described = columns(
        ("domain", "Domain", "slides"), ("settled", "Settled", "count"), ("trained", "Trained on", "count"),
        ("right", "Model right", "share"), ("right_low", "from", "share"), ("right_high", "to", "share"),
        ("verdict", "What was found"), ("since", "Since model", "count"),
        ("shifted", "Classes shifted", "share"), ("shifted_low", "from", "share"), ("shifted_high", "to", "share"),
        ("psi", "Stability index", "number"), ("auc", "AUC", "number"), ("usual", "usual under", "number"),
        ("disagreement", "Disagreement, of the others'", "share"),
    )  # fmt: skip
    return Content(
        tables=[Table("domains", f"Domains under model {watched.number}", described, rows)],
        notes=list(_explain(watched, new)),
        data={"model": watched.number},
    )


def _sentence(found: dict[str, Any] | None, new: Unseen | None, watched: Watched) -> str:
    told = []
    if new is not None:
        told.append(f"Never seen by model {new.model}.")
    if found is None:
        told.append("Not looked at yet: that follows once its slides are scored.")
    else:
        told.append(say(found))
        if (one := found["classes"]) and one["p"] <= 0.05:
            told.append("The model predicts other classes here: the cells differ, or it misreads them.")
        if (one := found["disagreement"]) and one["p"] <= 0.05:
            told.append(f"Its members agree {'less' if one['value'] > 0 else 'more'} than elsewhere.")
    return " ".join(told)


def _numbers(found: dict[str, Any] | None) -> list[Cell]:
    """The part of predicted classes that moved, its range and index; AUC and what is usual; disagreement relative."""
    found = found or {}
    apart, classes, level = (found.get(name) or {} for name in ("apart", "classes", "disagreement"))
    usual = found.get("usual_level")
    ratio = round((usual + level["value"]) / usual, 4) if level and usual else None
    shifted = [round(classes[name], 4) if classes else None for name in ("value", "low", "high")]
    return [*shifted, found.get("stability_index"), apart.get("value"), apart.get("usual"), ratio]


def _explain(watched: Watched, new: dict[str, Unseen]) -> Iterator[str]:
    for one in new.values():
        yield f"{one.said} {one.promised}"
    if not watched.is_read:
        yield f"The domains are looked at in the background once model {watched.number} has scored every slide."
        return
    yield (
        "Held against each other are whole cases with all their regions, as the regions that a model learns from are "
        "chosen for being difficult. Of 20 domains that have not changed, one is called unlike by chance: see since "
        "when it is."
    )
    yield (
        "Classes shifted: the part of the regions that would have to change its predicted class to be as in the other "
        "domains; a stability index above 0.25 is usually called large. Model right: on the audit sample, where the "
        f"gate judged by it, from {coverage.FEWEST_ITEMS} items of {coverage.FEWEST_CASES} cases on. Ranges are 95% "
        "intervals by case."
    )


PANEL = Panel(
    name="domains",
    title="Domain watch",
    meaning="Whether slides of each domain look like those that the active model has learned from.",
    read=_read,
    filters=frozenset({"domain"}),
    seconds=30,
)
