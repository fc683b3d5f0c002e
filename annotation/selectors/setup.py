"""How far a study's set-up is: what each step lacks, what to look at again, and what can't change any more.

Decides what "complete" means; refuses to write. The same reading guards the launch and draws the list of steps.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import QuerySet

from annotation import audit, canonical, checklist, colours, keys
from annotation.models import LabelClass, Membership, Protocol, Slide, StagedSlide, Study
from annotation.states import AuditHalf, Role, StudyState
from annotation.studyfolder import ClassPlan, Definition

STEPS = {
    "basics": "Name",
    "slides": "Slides",
    "domains": "Domains",
    "classes": "Classes",
    "region": "Region size",
    "policy": "Policy",
    "members": "Members",
    "checklist": "Checklist",
    "publication": "Publication",
    "launch": "Dry run and launch",
}
ANSWERING = (Role.ANNOTATOR, Role.ADJUDICATOR)


@dataclass(slots=True)
class Step:
    """One step: `missing` stands before the launch, `notes` do not, `fixed` says why it can't change."""

    id: str
    title: str
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fixed: str = ""


def protocol(study: Study) -> Protocol | None:
    """The rules in force, or the draft of the first ones."""
    return study.protocol or Protocol.objects.filter(study=study).order_by("number").first()


def class_rows(study: Study) -> list[LabelClass]:
    """The classes of `protocol`, in their order."""
    rules = protocol(study)
    return list(rules.classes.order_by("position", "code")) if rules else []


def definition(study: Study) -> Definition:
    """Everything that defines the study, as it stands."""
    rules = protocol(study)
    return Definition(
        name=study.name,
        task=study.task,
        seed=study.seed,
        region_width=study.region_width,
        region_height=study.region_height,
        region_um_per_px=study.region_um_per_px,
        domains=list(study.domains),
        classes=[
            ClassPlan(row.code, row.name, row.colour, row.key, row.definition, row.is_special, row.quota, row.parent)
            for row in class_rows(study)
        ],
        guideline=rules.guideline if rules else "",
        policy=dict(study.policy_values),
        checklist=dict(study.checklist),
        rules=dict(study.rule_values),
        publication=dict(study.publication),
    )


def classes_digest(study: Study) -> str:
    """Changes whenever the classes or the guideline do."""
    found = definition(study)
    return canonical.digest({"classes": [asdict(item) for item in found.classes], "guideline": found.guideline})


def staged(study: Study) -> QuerySet[StagedSlide]:
    """The slides that are being described, by name; their masks are read only where needed."""
    return StagedSlide.objects.filter(study=study).defer("tissue").order_by("name")


def fixed(step: str, study: Study) -> str:
    """Why a step can't change any more, as a sentence; "" where it can."""
    if step == "basics" and study.protocol_id is not None:
        return "The name is fixed since the protocol was published: exports and later imports go by it."
    if step == "classes" and study.protocol_id is not None:
        return "The protocol is published and never changes: a change is a new version with a mapping from this one."
    if step in ("domains", "region") and Slide.objects.filter(study=study).exists():
        what = "described by these columns" if step == "domains" else "cut by this size, or are about to be"
        return f"Slides have entered the study and are {what}. Start another study to change it."
    return ""


def steps(study: Study) -> list[Step]:
    """Every step with what it lacks, in a fixed number of queries."""
    found = {name: Step(name, title, fixed=fixed(name, study)) for name, title in STEPS.items()}
    waiting = list(staged(study).values_list("name", "case", "domain", "um_per_px_x"))
    _look_at_basics(found["basics"], study)
    _look_at_slides(found["slides"], study, waiting)
    _look_at_domains(found["domains"], study, waiting)
    _look_at_classes(found["classes"], class_rows(study), is_published=study.protocol_id is not None)
    _look_at_members(found["members"], study)
    _look_at_checklist(found["checklist"], study)
    if not study.publication.get("licence"):
        found["publication"].notes.append("No licence is named: nobody may know whether they may use a release.")
    if study.region_um_per_px is not None and (unsized := sum(size is None for *_, size in waiting)):
        found["region"].notes.append(
            f"{unsized} of {len(waiting)} slides have no pixel size: they are cut into {study.region_width} of their "
            "own pixels instead."
        )
    return list(found.values())


def _look_at_basics(step: Step, study: Study) -> None:
    if not study.name.strip():
        step.missing.append("The study has no name.")


def _look_at_slides(step: Step, study: Study, waiting: list[Any]) -> None:
    if not waiting and not Slide.objects.filter(study=study).exists():
        step.missing.append("There is no slide yet.")
    lacking = [name for name, case, *_ in waiting if not case]
    if lacking:
        step.missing.append(f"{_slides(lacking)} no case.")
    if waiting and study.state != StudyState.DRAFT:
        step.notes.append(f"{len(waiting)} more slides wait to be added to the study.")
    cases = {case for _, case, *_ in waiting if case}
    if waiting and not lacking and len(cases) < 5:
        step.notes.append(
            f"There are {len(cases)} cases only. Splits and the audit sample take whole cases: five or more are better."
        )
    if waiting and not lacking and study.policy.audit_rate and not _audit_cases(study, cases):
        step.notes.append(
            "By chance no case is in the audit sample, so models can't be judged on unseen cases. Raise the share of "
            "cases kept for measuring, under Policy, or add cases."
        )


def _audit_cases(study: Study, cases: set[str]) -> int:
    rate = study.policy.audit_rate
    codes = [study.opaque_id("case", case) for case in cases]
    return sum(audit.half_of(seed=study.seed, case_code=code, rate=rate) != AuditHalf.NONE for code in codes)


def _look_at_domains(step: Step, study: Study, waiting: list[Any]) -> None:
    for column in study.domains:
        lacking = [name for name, _, domain, _ in waiting if not domain.get(column)]
        if lacking:
            step.missing.append(f"{_slides(lacking)} no value for '{column}'.")
    if not study.domains:
        step.notes.append("Without domain columns nobody can tell how the study holds across labs and scanners.")
    for column in study.domains:
        values = {domain.get(column) for _, _, domain, _ in waiting}
        if len(values) == 1 and len(waiting) > 1 and all(values):
            step.notes.append(f"All slides have the same '{column}': the column tells nothing apart.")


def _look_at_classes(step: Step, rows: list[LabelClass], *, is_published: bool) -> None:
    if sum(not row.is_special for row in rows) < 2:
        step.missing.append("A study needs at least two classes that are not special outcomes.")
    undefined = [row.name for row in rows if not row.definition.strip()]
    if undefined and not is_published:
        step.missing.append(f"No definition is written for: {', '.join(undefined)}.")
    if rows and not any(row.is_special for row in rows):
        step.notes.append("No special outcome, such as 'not evaluable': people will have to guess or skip.")
    keyless = [row.name for row in rows if not row.key]
    if keyless:
        step.notes.append(f"Without a key: {', '.join(keyless)}. They can be given by mouse only, or from a list.")
    for row in rows:
        if tool := keys.tool_of(row.key):
            step.notes.append(f"The key '{row.key}' of {row.name} also means {tool}; on such a screen the class wins.")
    for first, second, is_weak in colours.similar([row.colour for row in rows]):
        who = " for people who see red and green less well" if is_weak else ""
        step.notes.append(f"The colours of {rows[first].name} and {rows[second].name} are hard to tell apart{who}.")


def _look_at_members(step: Step, study: Study) -> None:
    rows = Membership.objects.filter(study=study, is_active=True)
    people = list(rows.values_list("role", "is_trained"))
    answering = [is_trained for role, is_trained in people if role in ANSWERING]
    policy = study.policy
    wanted = policy.fixed_overlap or policy.min_overlap
    if len(answering) < wanted:
        step.missing.append(
            f"Each region needs {wanted} people who answer, and there are {len(answering)}: add annotators, or lower "
            "the overlap under Policy."
        )
    if not any(role == Role.ADJUDICATOR for role, _ in people):
        step.notes.append("There is no adjudicator: regions on which people differ will wait.")
    untrained = sum(not is_trained for is_trained in answering)
    if untrained:
        step.notes.append(f"{untrained} of {len(answering)} people have not finished the training.")


def _look_at_checklist(step: Step, study: Study) -> None:
    for question in checklist.missing(study.checklist):
        step.missing.append(f"Not answered: {question.asks}")


def _slides(names: list[str]) -> str:
    """The subject of a sentence about these slides."""
    if len(names) == 1:
        return f"The slide '{names[0]}' has"
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return f"{len(names)} slides ({shown}{', …' if len(names) > 3 else ''}) have"
