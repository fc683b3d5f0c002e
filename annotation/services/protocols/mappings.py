"""How each class of the version before continues in a draft: checked as a whole, and stored.

Decides whether the mappings of a draft hold together; refuses to know any answer given under them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from annotation.errors import BadInput
from annotation.models import ClassMapping, Protocol
from annotation.states import EXACT_MAPPINGS, MappingKind

_ONE_TARGET = frozenset({*EXACT_MAPPINGS, MappingKind.REDEFINED})


@dataclass(frozen=True, slots=True)
class MappingPlan:
    """A class of the version before and where it goes: to one class, to several where it splits, to none at its end."""

    source: str
    kind: MappingKind
    targets: tuple[str, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether what was answered before still holds, under the new name."""
        return self.kind in EXACT_MAPPINGS or (self.kind == MappingKind.RETIRED and bool(self.targets))


def propose(before: Protocol, draft: Protocol) -> list[MappingPlan]:
    """What the codes and definitions alone suggest: the same, redefined where the words changed, else retired."""
    words = dict(draft.classes.values_list("code", "definition"))
    return [
        MappingPlan(code, MappingKind.RETIRED)
        if code not in words
        else MappingPlan(code, _kept(definition, words[code]), (code,))
        for code, definition in before.classes.order_by("position").values_list("code", "definition")
    ]


def _kept(before: str, after: str) -> MappingKind:
    return MappingKind.SAME if before.split() == after.split() else MappingKind.REDEFINED


def check(plans: Sequence[MappingPlan], *, before: Sequence[str], after: Sequence[str]) -> None:
    """BadInput names everything that does not hold, by the class of the version before."""
    problems = [*_find_gaps(plans, before), *_find_wrong_ends(plans, after), *_find_wrong_unions(plans)]
    problems += _find_taken_codes(plans, before, after)
    if problems:
        told = [{"message": text, "source": source} for source, text in problems]
        raise BadInput("The mapping does not hold. " + " ".join(one["message"] for one in told), problems=told)


def _find_gaps(plans: Sequence[MappingPlan], before: Sequence[str]) -> Iterable[tuple[str, str]]:
    times = Counter(plan.source for plan in plans)
    for code in before:
        if code not in times:
            yield code, f"Say what becomes of the class '{code}'."
    for code, count in times.items():
        if code not in before:
            yield code, f"The version before has no class '{code}'."
        elif count > 1:
            yield code, f"The class '{code}' is mapped {count} times: say it once."


def _find_wrong_ends(plans: Sequence[MappingPlan], after: Sequence[str]) -> Iterable[tuple[str, str]]:
    for plan in plans:
        for target in plan.targets:
            if target not in after:
                yield plan.source, f"'{plan.source}' goes to '{target}', which is no class of the new version."
        if problem := _find_wrong_count(plan):
            yield plan.source, problem


def _find_wrong_count(plan: MappingPlan) -> str:
    count, source = len(set(plan.targets)), plan.source
    if plan.kind == MappingKind.SPLIT and (count < 2 or count != len(plan.targets)):
        return f"'{source}' is split: name two or more different classes it is split into."
    if plan.kind in _ONE_TARGET and len(plan.targets) != 1:
        return f"'{source}' is {plan.kind}: name the one class it goes to."
    if plan.kind == MappingKind.RETIRED and len(plan.targets) > 1:
        return f"'{source}' is retired: name one class that takes its regions, or none. Into several is a split."
    if plan.kind == MappingKind.SAME and plan.targets != (source,):
        return f"'{source}' stays the same, so it keeps its code. With another code it is renamed."
    if plan.kind in (MappingKind.RENAMED, MappingKind.RETIRED) and source in plan.targets:
        return f"'{source}' is {plan.kind}, so it can't go to itself."
    return ""


def _find_wrong_unions(plans: Sequence[MappingPlan]) -> Iterable[tuple[str, str]]:
    """Several classes in one are merged, and the ones that merge are several."""
    sources = Counter(plan.targets[0] for plan in plans if plan.is_exact and len(plan.targets) == 1)
    for plan in plans:
        shared = len(plan.targets) == 1 and sources[plan.targets[0]] > 1
        if plan.kind == MappingKind.RENAMED and shared:
            yield plan.source, f"'{plan.source}' is not the only class that becomes '{plan.targets[0]}': it is merged."
        if plan.kind == MappingKind.MERGED and len(plan.targets) == 1 and not shared:
            yield plan.source, f"Nothing else becomes '{plan.targets[0]}', so '{plan.source}' is renamed, not merged."


def _find_taken_codes(
    plans: Sequence[MappingPlan], before: Sequence[str], after: Sequence[str]
) -> Iterable[tuple[str, str]]:
    """A code that goes on must go on from its own class: circles and reused codes would give one word two meanings."""
    goes_to = {plan.source: plan.targets for plan in plans}
    for code in after:
        if code in before and code in goes_to and code not in goes_to[code]:
            yield code, f"The code '{code}' meant another class before: give the new class a code of its own."


def write(draft: Protocol, plans: Sequence[MappingPlan]) -> None:
    """Store the mappings of a draft in place of those it had."""
    draft.mappings.all().delete()
    ClassMapping.objects.bulk_create(
        ClassMapping(protocol=draft, source_code=plan.source, target_code=target, kind=plan.kind)
        for plan in plans
        for target in plan.targets or ("",)
    )


def read(protocol: Protocol) -> list[MappingPlan]:
    """The mappings of a version, in the order in which they were stored: that of the classes before."""
    found: dict[str, tuple[str, list[str]]] = {}
    for source, kind, target in protocol.mappings.order_by("pk").values_list("source_code", "kind", "target_code"):
        found.setdefault(source, (kind, []))[1].extend([target] if target else [])
    return [MappingPlan(source, MappingKind(kind), tuple(targets)) for source, (kind, targets) in found.items()]
