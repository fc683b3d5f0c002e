"""Findings in the drawn study: regions decided by the manager, some of them planted to contradict each other.

Decides what a pass will object to; refuses to decide about any of it.
"""

from __future__ import annotations

from annotation.models import ConsistencyPass, Job, LabelClass, Region, Slide
from annotation.services import findings, passes, truth
from annotation.states import FindingState, JobState
from tests.browser.smear import Smear

LABELS = ("neutrophil", "lymphocyte")


def decide(smear: Smear, regions: list[Region], *, reason: str = "Seen on the slide.") -> None:
    """The manager's word for each region, in turn one of two classes."""
    labels = [code for code in LABELS if code in smear.codes] or smear.codes[:2]
    for number, region in enumerate(regions):
        answer = {"kind": "class", "label": labels[number % 2]}
        truth.decide(region=region, member=smear.manager, answer=answer, reason=reason)


def plant(smear: Smear, *, regions: int = 16, pairs: int = 5) -> None:
    """Decide the first regions, give `pairs` of them the same pixels but different labels, and want more of a class."""
    first = smear.regions[:regions]
    decide(smear, first)
    for pair in range(pairs):
        twins = [region.pk for region in first[2 * pair : 2 * pair + 2]]
        Region.objects.filter(pk__in=twins).update(pixel_digest=f"{pair:064x}")
    Slide.objects.filter(regions__in=first).update(case=first[0].slide.case)
    LabelClass.objects.filter(protocol=smear.study.protocol, code=smear.codes[-1]).update(quota=3)


def run_pass(smear: Smear) -> ConsistencyPass:
    """A pass, run here instead of by a worker."""
    return work(smear, passes.start(study=smear.study, member=smear.manager))


def work(smear: Smear, row: ConsistencyPass) -> ConsistencyPass:
    """What a worker does with a pass that was started."""
    done = passes.execute(row)
    Job.objects.filter(study=smear.study, key=str(row.number)).update(state=JobState.DONE)
    return done


def waive_all(smear: Smear, row: ConsistencyPass, *, reason: str = "Known.") -> None:
    """Nothing stands before a release of the pass any more."""
    findings.waive_many(
        findings=list(row.findings.filter(state=FindingState.OPEN)), member=smear.manager, reason=reason
    )
