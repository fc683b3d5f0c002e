"""Whether the model learns, and whether ranking finds what it does not know yet.

Decides what stored rows can honestly say: scores of each model as its gate wrote them, and how often its first choice
for a picked region became the truth, for ranked beside random picks. Refuses to claim from these that ranking saves
answers: that takes models trained on either share alone, which a pilot has (`pilot`).
"""

from typing import Any

from django.db.models import Count, F, Q
from django.db.models.fields.json import KeyTextTransform

from annotation.models import Pick
from annotation.selectors.dashboard import growth, pilot, versions
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.states import PickState, RegionState, Stratum
from learning.shares import estimate_share

_NAMES = {Stratum.RANKED.value: "ranked", Stratum.RANDOM.value: "random share"}


def _read(board: Board) -> Content:
    rows = versions.read(board)
    if not rows:
        policy = board.study.policy
        return Content(
            [],
            notes=pilot.say(board),
            empty=f"There is no model yet. The first one is trained when {policy.first_model_revisions} regions "
            "outside the audit sample are settled.",
        )
    hits = board.keep("hits", lambda: _count_hits(board))
    notes = [
        *growth.say(board),
        *pilot.say(board),
        "Out-of-fold: each region judged by the members of the ensemble that never saw its case. Audit: the gate half "
        "of the audit sample, never trained on; missing where it had too few items when the model was judged. Its "
        "range is a 95% interval that takes whole cases as drawn.",
        "First choice right: of the regions picked with this model's scores and settled since, how often its first "
        "choice became the truth. The random share says how good the model is on any region. A lower share for ranked "
        "picks means that ranking sends people what the model does not know; only a pilot says how many answers that "
        "saves.",
    ]
    return Content(tables=[_tabulate_models(rows), *pilot.tabulate(board), _tabulate_hits(rows, hits)], notes=notes)


def _count_hits(board: Board) -> list[tuple[int, str, int, int]]:
    """(model number, stratum, settled picks, those whose truth was the model's first choice)."""
    rows = (
        Pick.objects.filter(
            study=board.study,
            state=PickState.SETTLED,
            stratum__in=list(_NAMES),
            batch__model__isnull=False,
            region__state=RegionState.SETTLED,
        )
        .alias(predicted=KeyTextTransform("predicted", "parts"))
        .filter(predicted__isnull=False)
        .order_by("batch__model__number", "stratum")
        .values_list("batch__model__number", "stratum")
    )
    right = Count("pk", filter=Q(region__current_revision__label=F("predicted")))
    return list(rows.annotate(picks=Count("pk"), right=right))


def _tabulate_models(rows: list[versions.Version]) -> Table:
    described = columns(
        ("model", "Model", "count"), ("revisions", "Trained on regions", "count"),
        ("out_of_fold", "Macro-F1, out-of-fold", "number"), ("audit", "Macro-F1, audit", "number"),
        ("audit_low", "from", "number"), ("audit_high", "to", "number"), ("state", "State"),
    )  # fmt: skip
    ordered = sorted(rows, key=lambda one: one.number)
    cells: list[list[Cell]] = [
        [one.number, one.revisions, one.out_of_fold_f1, one.audit_f1, one.audit_low, one.audit_high, one.state]
        for one in ordered
    ]
    return Table("models", "Score by size of the training set", described, cells)


def _tabulate_hits(rows: list[versions.Version], hits: list[tuple[int, str, int, int]]) -> Table:
    sizes: dict[int, Any] = {one.number: one.revisions for one in rows}
    cells: list[list[Cell]] = []
    for number, stratum, picks, right in hits:
        share = estimate_share(yes=right, count=picks)
        if share is not None and number in sizes:
            bounds = [round(value, 4) for value in (share.value, share.low, share.high)]
            cells.append([number, sizes[number], _NAMES[stratum], picks, *bounds])
    described = columns(
        ("model", "Model", "count"), ("revisions", "Trained on regions", "count"), ("share_of", "Picks"),
        ("picks", "Settled", "count"), ("right", "First choice right", "share"), ("low", "95% from", "share"),
        ("high", "to", "share"),
    )  # fmt: skip
    return Table("hits", "First choice right, ranked beside random", described, cells)


PANEL = Panel(
    name="learning",
    title="Learning curve",
    meaning="How the models' scores grow with the truth they are trained on, and what ranking sends to people.",
    read=_read,
    seconds=30,
)
