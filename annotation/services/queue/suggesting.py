"""What is suggested with a lease: the class a model expects, where the study shows it, and now and then a wrong one.

Decides that checks look like any other region, whom nothing is ever suggested (the control share), and which
suggestions are wrong on purpose. A lease with such a one takes no slot, and its answer is no evidence: it measures how
far suggestions sway people, and swayed answers don't belong in the truth. Refuses to know what is measured.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import F

from annotation import draws
from annotation.models import Assignment, Gold, LabelClass, Membership, Pick, Study
from annotation.policy import Policy
from annotation.states import WITHDRAWABLE_STRATA, AssignmentKind, AssignmentState, RegionState, Stratum

_SILENT = (AssignmentKind.ADJUDICATE, AssignmentKind.QUALIFY, AssignmentKind.VERIFY)
"""Decisions and tests; and an acceptance sample would share the errors of what was suggested."""
PLANTED_STRATA = WITHDRAWABLE_STRATA | {Stratum.RANDOM}
"""Where wrong suggestions are planted: neither the audit sample nor rechecks lose an opinion to them."""
LOOKED_BACK = 500
RIGHT_AT_FIRST = 0.8
"""How often a suggestion is taken to be right before any has been held against a settled truth."""


def suggest(leases: Sequence[Assignment], *, study: Study, policy: Policy, member: Membership) -> None:
    """Give new leases of a member, not yet written, their suggestions; nothing where the study shows none."""
    if not policy.show_suggestions:
        return
    shown = [one for one in leases if one.kind not in _SILENT and not _is_control(one, study, policy, member)]
    expected = _expected(shown, study=study)
    for lease in shown:
        lease.suggestion = expected.get(lease.region_id, "")
    if policy.wrong_suggestion_rate:
        _plant(shown, study=study, policy=policy, member=member)


def _is_control(lease: Assignment, study: Study, policy: Policy, member: Membership) -> bool:
    return draws.uniform(study.seed, member.pseudonym, lease.region.public_id) < policy.suggestion_control_share


def _expected(leases: Sequence[Assignment], *, study: Study) -> dict[int, str]:
    """What a model expects, by region, under today's codes; on gold that no model has ranked, a likely suggestion."""
    codes = study.current_protocol.codes
    found = {one.region_id: str(one.pick.parts.get("predicted", "")) for one in leases if one.pick}
    others = [one.region_id for one in leases if not found.get(one.region_id)]
    if others:
        rows = Pick.objects.filter(region__in=others, parts__has_key="predicted").order_by("pk")
        found |= {region: str(parts["predicted"]) for region, parts in rows.values_list("region", "parts")}
    silent = [one.region_id for one in leases if one.kind == AssignmentKind.GOLD and not found.get(one.region_id)]
    if silent and _ranks(study):
        found |= _invent(silent, study=study, codes=codes)
    return {region: code for region, code in found.items() if code in codes}


def _ranks(study: Study) -> bool:
    """Whether what is picked lately comes with the class a model expects."""
    newest = Pick.objects.filter(study=study, stratum=Stratum.RANKED).order_by("-pk").values_list("parts", flat=True)
    return bool((newest.first() or {}).get("predicted"))


def _invent(regions: Collection[int], *, study: Study, codes: Sequence[str]) -> dict[int, str]:
    """A suggestion on gold, right as often as suggestions are: gold without any would be known by its silence."""
    shown = Assignment.objects.filter(study=study, state=AssignmentState.SUBMITTED, suggestion_is_planted=False)
    settled = shown.exclude(suggestion="").filter(region__state=RegionState.SETTLED).order_by("-pk")
    pairs = settled.values_list("suggestion", "region__current_revision__label")[:LOOKED_BACK]
    held = [suggestion == label for suggestion, label in pairs]
    right = sum(held) / len(held) if held else RIGHT_AT_FIRST
    found = {}
    for region, name, label in Gold.objects.filter(region__in=regions).values_list(
        "region", "region__public_id", "label"
    ):
        drawn = draws.uniform(study.seed, "suggested", name)
        others = [code for code in codes if code != label] or [label]
        found[region] = label if drawn < right else others[int((drawn - right) / max(1 - right, 1e-9) * len(others))]
    return found


def _plant(leases: Sequence[Assignment], *, study: Study, policy: Policy, member: Membership) -> None:
    """Replace some suggestions by the likeliest wrong class; their leases give their slots back."""
    fitting = [one for one in leases if one.suggestion and one.pick and one.pick.stratum in PLANTED_STRATA]
    fitting = [one for one in fitting if one.kind == AssignmentKind.LABEL]
    drawn = [one for one in fitting if _draw(one, study, member) < policy.wrong_suggestion_rate]
    if not drawn:
        return
    codes = list(LabelClass.objects.filter(protocol=study.protocol_id, is_special=False).values_list("code", flat=True))
    freed = []
    for lease in drawn:
        assert lease.pick is not None
        wrong = wrong_class(lease.pick.parts, codes=codes, seed=study.seed, region=lease.region.public_id)
        if wrong:
            freed.append(lease.pick.pk)
            lease.kind, lease.pick = AssignmentKind.SWAY, None
            lease.suggestion, lease.suggestion_is_planted = wrong, True
    Pick.objects.filter(pk__in=freed).update(slots_open=F("slots_open") + 1)


def _draw(lease: Assignment, study: Study, member: Membership) -> float:
    return draws.uniform(study.seed, "sway", member.pseudonym, lease.region.public_id)


def wrong_class(parts: Mapping[str, Any], *, codes: Sequence[str], seed: int, region: str) -> str:
    """The class that would be suggested wrongly: what the model thinks second, else a drawn one; "" where none is."""
    predicted = parts.get("predicted", "")
    second = str(parts.get("second", ""))
    if second in codes and second != predicted:
        return second
    others = sorted(code for code in codes if code != predicted)
    return others[int(draws.uniform(seed, "wrong", region) * len(others))] if others else ""
