"""The entry test: regions of known truth that an annotator answers before the first real one, where a study has one.

Decides who has to take it, what is asked next, and when it is passed. Adjudicators are exempt: their decisions are what
such tests are made of. Refuses to know what the queue page says of it (selectors.qualification counts).
"""

from django.db import transaction
from django.db.models import Exists, OuterRef

from annotation import clock, draws
from annotation.errors import Conflict
from annotation.models import Assignment, Gold, Membership, Region, Study
from annotation.policy import Policy
from annotation.selectors import gold as gold_reads
from annotation.selectors import qualification
from annotation.states import AssignmentKind, AssignmentState, Role

_MET = (AssignmentState.LEASED, AssignmentState.SUBMITTED, AssignmentState.SKIPPED)


def is_due(*, policy: Policy, member: Membership) -> bool:
    """Whether this person has to pass before anything else is handed out."""
    return policy.qualification_regions > 0 and member.role == Role.ANNOTATOR and member.qualified_at is None


def take(*, study: Study, policy: Policy, member: Membership, count: int) -> list[Region]:
    """The next regions of the test, at most `count`; none once the tries are used up, or while too few are left.

    Nobody begins a try that can't be finished.
    """
    # What is held first: an answer that is written meanwhile counts twice, as held and as given. The other way round it
    # would count as neither, and the test would go on.
    leased = Assignment.objects.filter(annotator=member, kind=AssignmentKind.QUALIFY, state=AssignmentState.LEASED)
    held = leased.count()
    wanted = qualification.of_member(study=study, member=member).left - held
    left = unmet(study=study, member=member)
    if wanted <= 0 or len(left) < wanted:
        return []
    drawn = sorted(left, key=lambda row: draws.uniform(study.seed, "qualify", member.pseudonym, row.region.public_id))
    return [row.region for row in drawn[: min(count, wanted)]]


def unmet(*, study: Study, member: Membership) -> list[Gold]:
    """Regions of the set that hold under today's classes and that this person has neither answered nor holds."""
    met = Assignment.objects.filter(region=OuterRef("region"), annotator=member, state__in=_MET)
    rows = gold_reads.usable(study).filter(is_qualification=True).filter(~Exists(met))
    return [row for row, _ in gold_reads.labelled(rows, study=study)]


def look(*, study: Study, policy: Policy, member: Membership) -> None:
    """Note that a member, locked by the caller, has passed, where the try is over and enough was right."""
    if is_due(policy=policy, member=member) and qualification.of_member(study=study, member=member).state == "passed":
        member.qualified_at = clock.now()
        Membership.objects.filter(pk=member.pk).update(qualified_at=member.qualified_at)


def check_may_take_back(assignment: Assignment) -> None:
    """Conflict where taking an answer back would be a second look at the test."""
    told = (AssignmentKind.GOLD, AssignmentKind.QUALIFY)
    if assignment.kind in told and assignment.study.policy.gold_feedback:
        raise Conflict("You have been told what this region is: the answer stays as it was given.")
    if assignment.kind == AssignmentKind.QUALIFY:
        standing = qualification.of_member(study=assignment.study, member=assignment.annotator)
        if standing.is_over:
            raise Conflict("The entry test is over: its answers stay as they were given.")


@transaction.atomic
def set_qualified(*, member: Membership, is_qualified: bool) -> None:
    """A manager's word: let the person work without the test, or ask for it anew."""
    member = Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
    if is_qualified:
        member.qualified_at = member.qualified_at or clock.now()
    else:
        study = Study.objects.select_related("protocol").get(pk=member.study_id)
        member.qualified_at = None
        member.qualification_tries = qualification.of_member(study=study, member=member).tries + 1
    member.save(update_fields=["qualified_at", "qualification_tries"])


@transaction.atomic
def allow_another_try(*, member: Membership) -> None:
    """Let somebody who has failed take the test once more, on regions he or she has not met."""
    member = Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
    study = Study.objects.select_related("protocol").get(pk=member.study_id)
    standing = qualification.of_member(study=study, member=member)
    if standing.state != "failed":
        raise Conflict("This person has not failed the entry test: there is nothing to try again.")
    left, needed = len(unmet(study=study, member=member)), study.policy.qualification_regions
    if left < needed:
        raise Conflict(
            f"The test asks {needed} regions, and only {left} are left that this person has not met. "
            "Add regions to the set, or let the person work without passing."
        )
    Membership.objects.filter(pk=member.pk).update(qualification_tries=member.qualification_tries + 1)
