"""The model versions, what the gate said of each, and which one ranks the queue.

Decides the columns; a way back to an older version is offered by the page and taken by `services.modelling`.
"""

from annotation.selectors.dashboard import versions
from annotation.selectors.dashboard.board import Board
from annotation.selectors.dashboard.panel import Cell, Content, Panel, Table, columns
from annotation.states import ModelState


def _read(board: Board) -> Content:
    rows = versions.read(board)
    if not rows:
        return Content([], empty="No model has been trained yet. The learning curve says when the first one is due.")
    active = next((one.number for one in rows if one.state == ModelState.ACTIVE), None)
    described = columns(
        ("model", "Model", "count"), ("state", "State"), ("revisions", "Trained on regions", "count"),
        ("audit", "Macro-F1, audit", "number"), ("out_of_fold", "out-of-fold", "number"),
        ("looks", "Audit looks", "count"), ("created_at", "Trained", "time"), ("activated_at", "Became active", "time"),
        ("reasons", "What the gate and people said"),
    )  # fmt: skip
    cells: list[list[Cell]] = [
        [
            one.number, one.state, one.revisions, one.audit_f1, one.out_of_fold_f1, one.audit_looks,
            one.created_at.isoformat(timespec="seconds"),
            one.activated_at.isoformat(timespec="seconds") if one.activated_at else None,
            "\n".join(one.reasons),
        ]
        for one in rows
    ]  # fmt: skip
    notes = [] if active else ["No model is active: the queue is drawn by typicality until one passes the gate."]
    if len(rows) >= versions.MOST_VERSIONS:
        notes.append(f"The newest {versions.MOST_VERSIONS} versions; older ones are in the API's list of models.")
    return Content(tables=[Table("models", "Model versions", described, cells)], notes=notes, data={"active": active})


PANEL = Panel(
    name="models",
    title="Model versions",
    meaning="Each model and why it ranks the queue or does not. Going back trains and deletes nothing.",
    read=_read,
)
