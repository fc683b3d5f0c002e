"""A study in upheaval: half way a class is split and some people become careless; then it is closed, in virtual time.

Decides who works how, and what would have been frozen without the pass; refuses to know how often it is run.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from annotation import clock
from annotation.models import (
    AcceptanceSample,
    GroundTruthRevision,
    KnownTruth,
    LabelClass,
    Membership,
    PassItem,
    Region,
    ReleaseItem,
    Study,
)
from annotation.services import imports, protocols
from annotation.services.protocols import MappingPlan
from annotation.states import MappingKind, Method, Role
from workers.simulation import closing, measures, oracle, sandbox
from workers.simulation.annotators import Annotator, Habits, Response
from workers.simulation.crew import ADJUDICATOR_SKILL, Crew, Person, join
from workers.simulation.lockstep import START, Lockstep

PEOPLE, CARELESS, ADJUDICATORS = 9, 3, 4
HABITS = Habits(skill=0.85, median_seconds=4.0)
CARELESS_SKILL = 0.35
COARSE = "leukocyte"
FINE = ("neutrophil", "band", "eosinophil", "basophil", "lymphocyte", "monocyte")
POLICY = {
    "selection": "random",
    "first_model_revisions": 10_000,
    "audit_rate": 0.25,
    "refit_every_answers": 100,
    "batch_size": 60,
    "planted_check_rate": 0.05,
    "default_quota": 0,
}


@dataclass(slots=True)
class Stage:
    """How far the study is: the second half has the split class, and careless people."""

    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Mind:
    """Sees the fine classes always, says what the protocol has words for, and may become careless half way."""

    early: Annotator
    late: Annotator
    stage: Stage
    is_spent: bool = False

    def answer(self, *, token: str, region: str, count: int) -> Response:
        known = oracle.reveal(token=token)
        annotator = self.late if self.stage.is_late else self.early
        said = annotator.respond(truth=known.label, borderline=known.borderline, region=region, count=count)
        is_coarse = not self.stage.is_late and said.label in FINE
        return replace(said, label=COARSE) if is_coarse else said


def make_study(drawn: Path) -> Study:
    """The drawn study, imported and with features; copies share them."""
    study = imports.import_folder(drawn, slug="upheaval").study
    assert study is not None
    with clock.virtual(START):
        study = sandbox.start(study)
        Lockstep(study=study, crew=Crew([], [], _member(study, "manager", Role.MANAGER))).run_jobs()
    return study


def run(study: Study, *, seed: int, sample: int) -> dict[str, Any]:
    """One seed: label, split, label on, then close with the pass; shares of wrong labels with and without it."""
    with clock.virtual(START):
        copy = sandbox.copy_study(study=study, slug=f"upheaval-{seed}", seed=seed, policy=POLICY)
        stage = Stage()
        crew = _hire(copy, seed=seed, stage=stage)
        _publish(copy, crew, _merged(copy))
        copy = sandbox.start(Study.objects.get(pk=copy.pk))
        hands = Lockstep(study=copy, crew=crew)
        hands.label(until=round(1.3 * copy.regions.count()))
        _publish(copy, crew, _split(Study.objects.get(pk=copy.pk)))
        stage.is_late = True
        hands.study = copy = Study.objects.get(pk=copy.pk)
        hands.label()
        closing.finish_begun(study=copy, hands=hands)
        known = dict(KnownTruth.objects.filter(region__study=copy).values_list("region_id", "label"))
        without, asked = _frozen_without(copy), _standing(copy)
        answers = hands.answers
        lines: list[str] = []
        closed = closing.close_study(
            study=copy, manager=crew.manager, hands=hands, told=lines.append, sample=sample, is_thorough=True
        )
    if closed.release is None:
        failed = [one["error"] for one in measures.describe_failed_jobs(copy)]
        raise RuntimeError(" ".join([*lines, *closed.problems, *failed]))
    rows = ReleaseItem.objects.filter(release=closed.release)
    final = dict(rows.values_list("region_id", "revision__label"))
    measured = closed.release.consistency_pass.numbers["acceptance"]
    wrong = _wrong(final, known)
    value, low, high = measured["share"]
    return {
        "seed": seed,
        "without": _wrong(without, known),
        "without_but_asked_again": _wrong(asked, known),
        "with_pass": wrong,
        "with_pass_but_the_sample": _wrong(_sampled_from(copy), known),
        "stated": value,
        "low": low,
        "high": high,
        "is_inside": low <= wrong <= high,
        "frozen": len(final),
        "outside": measured["outside"],
        "sampled": measured["drawn"],
        "found_wrong": measured["wrong"],
        "answers": answers,
        "answers_after": hands.answers - answers,
        "passes": closed.rounds,
    }


def _hire(study: Study, *, seed: int, stage: Stage) -> Crew:
    rows = LabelClass.objects.filter(protocol=study.protocol_id).order_by("position", "code")
    codes = [row.code for row in rows if not row.is_special]
    specials = [row.code for row in rows if row.is_special]

    def person(name: str, role: Role, index: int, early: Habits, late: Habits) -> Person:
        minds = [Annotator(codes=codes, specials=specials, habits=how, seed=seed, index=index) for how in (early, late)]
        return Person(_member(study, name, role), Mind(*minds, stage))

    expert = replace(HABITS, skill=ADJUDICATOR_SKILL, borderline_error=0.1, special_rate=0.001)
    careless = replace(HABITS, skill=CARELESS_SKILL)
    people = [
        person(f"annotator-{n}", Role.ANNOTATOR, n, HABITS, careless if n < CARELESS else HABITS) for n in range(PEOPLE)
    ]
    judges = [person(f"judge-{n}", Role.ADJUDICATOR, 10_000 + n, expert, expert) for n in range(ADJUDICATORS)]
    return Crew(people, judges, _member(study, "manager", Role.MANAGER))


def _member(study: Study, name: str, role: Role) -> Membership:
    return join(study, f"{study.slug}-{name}", role)


def _publish(study: Study, crew: Crew, version: tuple[list[Any], list[MappingPlan]]) -> None:
    manager = crew.manager
    classes, plans = version
    protocols.begin_draft(study=study)
    protocols.save_draft(study=study, classes=classes, guideline="", plans=plans, summary="What people can tell apart.")
    protocols.publish_draft(study=study, member=manager)
    # Nobody goes on with the study as it was read before.
    for person in [*crew.annotators, *crew.adjudicators]:
        person.member.refresh_from_db()
    manager.refresh_from_db()


def _merged(study: Study) -> tuple[list[Any], list[MappingPlan]]:
    """The classes that the study begins with: several are one."""
    fine = protocols.class_plans(study.current_protocol)
    first = next(one for one in fine if one.code == FINE[0])
    coarse = replace(first, code=COARSE, name="Leukocyte")
    plans = [
        MappingPlan(one.code, MappingKind.MERGED, (COARSE,))
        if one.code in FINE
        else MappingPlan(one.code, MappingKind.SAME, (one.code,))
        for one in fine
    ]
    return [coarse, *(one for one in fine if one.code not in FINE)], plans


def _split(study: Study) -> tuple[list[Any], list[MappingPlan]]:
    """The classes that it ends with, as the slides' makers know them."""
    now = protocols.class_plans(study.current_protocol)
    first = study.protocols.get(number=1)
    plans = [
        MappingPlan(one.code, MappingKind.SPLIT, FINE)
        if one.code == COARSE
        else MappingPlan(one.code, MappingKind.SAME, (one.code,))
        for one in now
    ]
    return list(protocols.class_plans(first)), plans


def _standing(study: Study) -> dict[int, str]:
    """Region -> the label that stands."""
    rows = Region.objects.filter(study=study, current_revision__is_settled=True)
    return dict(rows.values_list("pk", "current_revision__label"))


def _frozen_without(study: Study) -> dict[int, str]:
    """Region -> the label it had when people first settled it, the split class taken for its most frequent part."""
    found: dict[int, str] = {}
    ended = set()
    rows = GroundTruthRevision.objects.filter(study=study).order_by("pk")
    for region, is_settled, label, method in rows.values_list("region_id", "is_settled", "label", "method"):
        if method == Method.MAPPING and not is_settled:
            ended.add(region)
        if is_settled and region not in ended:
            found[region] = label
    counts = Counter(found.values())
    heir = max(FINE, key=lambda code: counts[code])
    return {region: heir if label == COARSE else label for region, label in found.items()}


def _sampled_from(study: Study) -> dict[int, str]:
    """Region -> the label it had in the pass that the sample was drawn from."""
    drawn = AcceptanceSample.objects.get(study=study).consistency_pass
    rows = PassItem.objects.filter(consistency_pass=drawn)
    return dict(rows.values_list("region_id", "revision__label"))


def _wrong(labels: dict[int, str], known: dict[int, str]) -> float:
    return round(sum(known[region] != label for region, label in labels.items()) / len(labels), 6)
