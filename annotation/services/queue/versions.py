"""Under which version of the classes an answer is given, when they change while somebody works.

Decides that an answer is recorded under the version its author saw, and that it is taken only where it still says
something; refuses to know what becomes of answers later (`mapping`).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from annotation import answers, mapping
from annotation.errors import BadInput, ClassesChanged, Conflict
from annotation.models import Assignment, Protocol, Study
from annotation.services import truth

P = ParamSpec("P")
R = TypeVar("R")


class Overtaken(Exception):
    """Another version came into force while a row was waited for: the transaction begins anew, under that one."""


def begins_anew(work: Callable[P, R]) -> Callable[P, R]:
    """Repeat a whole transaction that was overtaken by a new version."""

    @wraps(work)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        while True:
            try:
                return work(*args, **kwargs)
            except Overtaken:
                continue

    return repeated


def check_in_force(study: Study) -> None:
    """Overtaken where the study has got another version since it was read; for someone who holds the pick."""
    if Study.objects.values_list("protocol_id", flat=True).get(pk=study.pk) != study.protocol_id:
        raise Overtaken


def seen(assignment: Assignment, number: int | None) -> Protocol:
    """The version whose classes the author saw: the one named, else the one in force when the region was leased."""
    current = assignment.study.current_protocol
    if number is None:
        return mapping.in_force(assignment.study, at=assignment.leased_at) if _is_older(assignment) else current
    if number == current.number:
        return current
    older = Protocol.objects.filter(study=assignment.study_id, number=number, number__lt=current.number).first()
    if older is None:
        raise BadInput(f"There is no published version {number} of the classes; in force is {current.number}.")
    return older


def parse(answer: Any, *, study: Study, rules: Protocol) -> tuple[dict[str, Any], bool]:
    """The canonical form of an answer given under `rules`, and whether it still says something today."""
    if rules.pk == study.protocol_id:
        return truth.parse_answer(answer, study=study), True
    form = truth.parse_answer(answer, study=study, codes=rules.codes)
    return form, form["label"] in mapping.exact_codes(study).get(rules.pk, {})


def changed(study: Study) -> Conflict:
    """The error for an answer whose class has ended: what was entered is kept, and the region stays its author's."""
    number = study.current_protocol.number
    return ClassesChanged(
        f"The classes have changed to version {number} since you saw them, and the one you chose is no longer among "
        "them. The region is still yours: look at the new classes and answer again. What you wrote is kept.",
        protocol=number,
    )


def code_today(assignment: Assignment, code: str) -> str:
    """A class named under the lease as it is called today; nothing where it has ended."""
    study = assignment.study
    if not code or study.current_protocol.number == 1:
        return code
    kept = code if code in study.current_protocol.codes else ""
    if not _is_older(assignment):
        return kept
    then = mapping.in_force(study, at=assignment.leased_at)
    return mapping.exact_codes(study).get(then.pk, {}).get(code, "") if code in then.codes else kept


def code_seen(assignment: Assignment, code: str, *, rules: Protocol) -> str:
    """A class named under the lease as the author of an answer under `rules` saw it."""
    return code_today(assignment, code) if rules.pk == assignment.study.protocol_id else code


def entered_today(assignment: Assignment, entered: dict[str, Any] | None) -> dict[str, Any] | None:
    """What was being entered, with its class as it is called today, or without it where that has ended."""
    label = answers.label_of(entered.get("answer")) if entered else ""
    if not entered or not label or (today := code_today(assignment, label)) == label:
        return entered
    return {**entered, "answer": {**entered["answer"], "label": today} if today else None}


def _is_older(assignment: Assignment) -> bool:
    """Whether the region was leased before the version in force."""
    current = assignment.study.current_protocol
    return current.number > 1 and assignment.leased_at < (current.published_at or assignment.leased_at)
