"""The dry run of a study: regions, answers, hours, what each domain brings, what its policy means in plain words.

Decides the arithmetic and says what is an estimate; refuses to write, and to guess what nobody has said.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from annotation import audit, checklist
from annotation.models import Case, Membership, Slide, StagedSlide, Study
from annotation.policy import Policy
from annotation.selectors import setup, tilings
from annotation.states import AuditHalf, SlideState


@dataclass(slots=True)
class _Source:
    """A slide as the plan sees it, staged or in the study."""

    case: str
    is_audit: bool
    domain: tuple[str, ...]
    regions: int


def plan(study: Study) -> dict[str, Any]:
    """Numbers and sentences of the dry run; the number of queries does not grow with the study."""
    staged = list(setup.staged(study))
    regions, counted = tilings.estimate(study, staged)
    sources = [_staged(study, row, many) for row, many in zip(staged, regions, strict=True)]
    sources += _entered(study)
    total = sum(one.regions for one in sources)
    people = Membership.objects.filter(study=study, is_active=True, role__in=setup.ANSWERING).count()
    answers = _answers(study.policy, total, people)
    seconds = checklist.seconds_per_answer(study.checklist)
    hours = [round(many * seconds / 3600, 1) for many in answers] if seconds else None
    return {
        "slides": len(sources),
        "cases": len({one.case for one in sources if one.case}),
        "audit_cases": len({one.case for one in sources if one.case and one.is_audit}),
        "regions": total,
        "regions_counted": counted == len(staged),
        "people": people,
        "answers": answers,
        "seconds": seconds,
        "hours": hours,
        "hours_each": [round(one / people, 1) for one in hours] if hours and people else None,
        "columns": list(study.domains),
        "coverage": _coverage(sources),
        "classes": _quotas(study, total),
        "consequences": consequences(study.policy, people=people),
    }


def consequences(policy: Policy, *, people: int) -> list[str]:
    """What a policy means, for people who do not read its keys."""
    said = []
    if policy.fixed_overlap:
        said.append(f"Every region is answered by {policy.fixed_overlap} people, whether they agree or not.")
    else:
        said.append(
            f"Each region is answered by {policy.min_overlap} people; another is asked, up to {policy.max_overlap}, "
            f"until one class has a probability of {policy.target_confidence:.0%}. What stays open goes to an "
            "adjudicator."
        )
        if policy.min_overlap == 1:
            said.append("A single answer may settle a region where that person is reliable for the class.")
        if policy.model_may_support:
            said.append("Where the model expected the same class, fewer answers may be enough; it never votes.")
    most = policy.fixed_overlap or policy.max_overlap
    if 0 < people < most:
        said.append(f"There are {people} people who answer, so no region can get more than {people} opinions.")
    said.append(
        f"{policy.audit_rate:.0%} of the cases are kept for measuring: no model learns from them, and each of their "
        "regions gets at least two opinions."
    )
    if policy.show_suggestions:
        said.append(
            "Annotators see the model's suggestion. That is faster and it biases: people follow a suggestion that "
            f"is wrong more often than they would err alone. {policy.suggestion_control_share:.0%} never see one, so "
            "that the bias can be measured."
        )
    else:
        said.append("Annotators see no suggestion of the model, so their answers are their own.")
    checks = policy.gold_rate + policy.repeat_rate
    if checks:
        said.append(f"{checks:.0%} of what people are asked are checks of themselves, unmarked.")
    else:
        said.append("Nobody is asked the same region twice: how steady people are will not be known.")
    if policy.selection == "learned":
        said.append(
            f"A model picks the regions it can learn most from; {policy.random_share:.0%} are drawn at random, so "
            "that it can be shown whether ranking helps."
        )
    return said


def _staged(study: Study, row: StagedSlide, regions: int) -> _Source:
    code = study.opaque_id("case", row.case) if row.case else ""
    half = audit.half_of(seed=study.seed, case_code=code, rate=study.policy.audit_rate) if code else AuditHalf.NONE
    return _Source(code, half != AuditHalf.NONE, tuple(row.domain.get(one, "") for one in study.domains), regions)


def _entered(study: Study) -> list[_Source]:
    rows = Slide.objects.filter(study=study).exclude(state=SlideState.FAILED)
    halves = dict(Case.objects.filter(study=study).values_list("code", "audit_half"))
    values = rows.values_list("case__code", "domain__values", "region_count")
    return [
        _Source(code, bool(halves.get(code)), tuple(domain.get(one, "") for one in study.domains), regions)
        for code, domain, regions in values
    ]


def _answers(policy: Policy, regions: int, people: int) -> list[int]:
    """The fewest and the most answers that all regions take."""
    low = policy.fixed_overlap or policy.min_overlap
    high = policy.fixed_overlap or policy.max_overlap
    if people:
        high = max(low, min(high, people))
    checks = 1 + policy.gold_rate + policy.repeat_rate
    return [round(regions * low * checks), round(regions * high * checks)]


def _coverage(sources: list[_Source]) -> list[dict[str, Any]]:
    by_domain: dict[tuple[str, ...], list[_Source]] = defaultdict(list)
    for one in sources:
        by_domain[one.domain].append(one)
    return [
        {
            "values": list(values),
            "slides": len(rows),
            "cases": len({row.case for row in rows if row.case}),
            "regions": sum(row.regions for row in rows),
        }
        for values, rows in sorted(by_domain.items())
    ]


def _quotas(study: Study, regions: int) -> list[dict[str, Any]]:
    """Each class with its quota, and the share of all regions that would have to be of it."""
    default = study.policy.default_quota
    return [
        {
            "name": row.name,
            "quota": quota,
            "share": round(quota / regions, 4) if regions and quota else None,
            "special": row.is_special,
        }
        for row in setup.class_rows(study)
        for quota in [row.quota if row.quota is not None else (0 if row.is_special else default)]
    ]
