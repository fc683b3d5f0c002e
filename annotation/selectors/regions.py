"""Which slides and regions a member may see, and what is known about them.

Decides who reaches which pixels; refuses to make pictures.
"""

from typing import Any

from django.db.models import QuerySet

from annotation.errors import Missing
from annotation.models import Annotation, Assignment, GroundTruthRevision, Membership, Region, Slide, Study
from annotation.selectors import examples
from annotation.states import AssignmentKind, Role


def of_study(study: Study, **filters: Any) -> QuerySet[Region]:
    """The study's regions, with what a manager's list shows."""
    rows = Region.objects.filter(study=study, **filters)
    return rows.select_related("slide", "current_revision")


def for_member(*, member: Membership, public_id: str) -> Region:
    """A region `member` may look at: any for a manager, else what is or was assigned to this person, and examples."""
    rows = Region.objects.filter(study_id=member.study_id, public_id=public_id)
    rows = rows.select_related("slide", "current_revision")
    region = rows.first()
    if region is None or not (member.role == Role.MANAGER or _is_open_to(member, region)):
        raise Missing("There is no such region, or it is not yours.")
    return region


def slide(*, study: Study, public_id: str) -> Slide:
    """A slide by its opaque id."""
    found = Slide.objects.filter(study=study, public_id=public_id).select_related("case", "domain").first()
    if found is None:
        raise Missing("There is no such slide.")
    return found


def slides(study: Study) -> QuerySet[Slide]:
    """All slides of the study."""
    return Slide.objects.filter(study=study).select_related("case", "domain")


def revisions(region: Region) -> QuerySet[GroundTruthRevision]:
    """The region's history of truth."""
    rows = GroundTruthRevision.objects.filter(region=region)
    return rows.select_related("protocol", "snapshot", "actor", "parent")


def annotations(region: Region, *, member: Membership) -> QuerySet[Annotation]:
    """The region's answers: all of them for a manager, the own for everybody else."""
    rows = Annotation.objects.filter(region=region).select_related("annotator", "protocol", "parent", "region")
    return rows if member.role == Role.MANAGER else rows.filter(annotator=member)


def _is_open_to(member: Membership, region: Region) -> bool:
    return _was_assigned(member, region) or examples.is_example(region, study=member.study)


def _was_assigned(member: Membership, region: Region) -> bool:
    return Assignment.objects.filter(region=region, annotator=member).exists()


def shown_kind(kind: str, *, member: Membership) -> str:
    """The kind of an assignment as `member` may know it: managers alone tell gold and repeats apart."""
    if member.role == Role.MANAGER or kind == AssignmentKind.ADJUDICATE:
        return kind
    return AssignmentKind.LABEL
