"""How people stand in the entry test: how much is answered, how much of it right, how often it was tried.

Decides what counts as right (a skipped region does not); refuses to let anybody pass: that is services.qualification.
"""

from collections import defaultdict
from dataclasses import dataclass
from math import ceil

from django.db.models import OuterRef, Subquery

from annotation import mapping
from annotation.models import Annotation, Assignment, Membership, Study
from annotation.states import AnswerKind, AssignmentKind, AssignmentState, Role

_DONE = (AssignmentState.SUBMITTED, AssignmentState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Standing:
    """One person's test. `done` and `right` are of the newest try, of which `tries` counts those that are over."""

    state: str  # "open", "failed" or "passed"
    done: int
    right: int
    of: int
    needed: int
    tries: int

    @property
    def is_over(self) -> bool:
        """Whether the newest try is over."""
        return self.done == self.of

    @property
    def is_enough(self) -> bool:
        return self.right >= self.needed

    @property
    def left(self) -> int:
        """How many regions this person may still be asked, this try included."""
        if self.state != "open":
            return 0
        return self.of if self.is_over else self.of - self.done


def of_member(*, study: Study, member: Membership) -> Standing:
    """Where one person stands; for studies that have a test."""
    return _read(study, [member])[member.pk]


def seen_by(*, study: Study, member: Membership) -> Standing | None:
    """What a person may know of the own test; None where there is none for this role."""
    if not study.policy.qualification_regions or member.role != Role.ANNOTATOR:
        return None
    return of_member(study=study, member=member)


def of_study(study: Study) -> dict[str, Standing]:
    """Where every active annotator stands, by pseudonym; empty where the study has no test."""
    if not study.policy.qualification_regions:
        return {}
    people = list(Membership.objects.filter(study=study, is_active=True, role=Role.ANNOTATOR).order_by("id"))
    found = _read(study, people)
    return {one.pseudonym: found[one.pk] for one in people}


def _read(study: Study, people: list[Membership]) -> dict[int, Standing]:
    """Four queries, however many people."""
    codes = mapping.exact_codes(study)
    answers = Annotation.objects.filter(assignment=OuterRef("pk")).exclude(kind=AnswerKind.WITHDRAWN).order_by("-pk")
    rows = Assignment.objects.filter(annotator__in=people, kind=AssignmentKind.QUALIFY, state__in=_DONE)
    rows = rows.annotate(said=Subquery(answers.values("label")[:1]), under=Subquery(answers.values("protocol")[:1]))
    columns = ("annotator", "state", "said", "under", "region__gold__label", "region__gold__protocol")
    results: dict[int, list[bool]] = defaultdict(list)
    for person, state, said, under, known, rules in rows.order_by("closed_at", "pk").values_list(*columns):
        truth = codes.get(rules or 0, {}).get(known or "")
        is_right = truth is not None and codes.get(under or 0, {}).get(said or "") == truth
        results[person].append(state == AssignmentState.SUBMITTED and is_right)
    size = max(study.policy.qualification_regions, 1)
    needed = ceil(study.policy.qualification_share * size - 1e-9)
    return {one.pk: _stand(one, results[one.pk], size=size, needed=needed) for one in people}


def _stand(member: Membership, results: list[bool], *, size: int, needed: int) -> Standing:
    tries, begun = divmod(len(results), size)
    newest = results[-begun:] if begun else results[-size:]
    state = "open"
    if member.qualified_at is not None:
        state = "passed"
    elif tries >= member.qualification_tries:
        state = "passed" if sum(newest) >= needed else "failed"
    return Standing(state, len(newest), sum(newest), size, needed, tries)
