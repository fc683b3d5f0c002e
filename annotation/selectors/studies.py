"""Which studies a person sees, in which role, and how far a study is.

Decides visibility; refuses to know the screens and formats that show it.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Count, QuerySet

from annotation import clock
from annotation.errors import Missing, Refused
from annotation.models import Annotation, Assignment, Finding, Job, Membership, ModelVersion, Region, Study
from annotation.states import AnswerKind, AssignmentState, FindingState, ModelState, RegionState, Role

ADD_STUDY = "annotation.add_study"
RATE_WINDOW = timedelta(minutes=5)


def memberships(user: AbstractUser | AnonymousUser) -> QuerySet[Membership]:
    """The studies of `user` with the role in each, by slug."""
    if user.pk is None:
        return Membership.objects.none()
    own = Membership.objects.filter(user_id=user.pk, is_active=True)
    return own.select_related("study", "study__protocol").order_by("study__slug")


def membership(*, user: AbstractUser | AnonymousUser, slug: str) -> Membership:
    """The active membership of `user` in the study, with study and protocol; Missing where there is none."""
    found = memberships(user).filter(study__slug=slug).first()
    if found is None:
        raise Missing("There is no such study, or it is not yours.")
    return found


def check_may_begin(*, user: AbstractUser | AnonymousUser) -> None:
    """Refused unless `user` may add studies."""
    if not user.has_perm(ADD_STUDY):
        raise Refused("You may not start studies. Ask whoever runs this site for the right to add studies.")


def check_may_import(*, user: AbstractUser | AnonymousUser, slug: str) -> None:
    """Refused unless `user` manages the study, or may add studies and there is none of that slug.

    A study that is not the user's is refused with the same words as no right at all.
    """
    if user.has_perm(ADD_STUDY) and not Study.objects.filter(slug=slug).exists():
        return
    if not memberships(user).filter(study__slug=slug, role=Role.MANAGER).exists():
        raise Refused("You can import into studies you manage; a new one, under a slug of its own, needs more rights.")


def progress(study: Study) -> dict[str, Any]:
    """How far the study is, for its managers: a fixed number of grouped counts."""
    settled = Region.objects.filter(study=study, state=RegionState.SETTLED)
    active = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    return {
        "state": study.state,
        "slides": _by(study.slides, "state"),
        "regions": _by(study.regions, "state"),
        "settled_by_class": _by(settled, "current_revision__label"),
        "picks": _by(study.picks, "state"),
        "leases": Assignment.objects.filter(study=study, state=AssignmentState.LEASED).count(),
        "answers": _answers(study).count(),
        "answers_per_minute": _rate(study),
        "jobs": _by(Job.objects.filter(study=study), "state"),
        "models": _by(study.models, "state"),
        "active_model": active.number if active else None,
        "batches": study.batches.count(),
        "passes": study.passes.count(),
        "open_findings": _open_findings(study),
        "releases": study.releases.count(),
    }


def _by(rows: Any, field: str) -> dict[str, int]:
    pairs: Iterable[tuple[str, int]] = rows.order_by(field).values_list(field).annotate(count=Count("pk"))
    return {str(value): count for value, count in pairs}


def _answers(study: Study) -> QuerySet[Annotation]:
    return Annotation.objects.filter(study=study).exclude(kind=AnswerKind.WITHDRAWN)


def _rate(study: Study) -> float:
    recent = _answers(study).filter(created_at__gte=clock.now() - RATE_WINDOW).count()
    return round(recent / (RATE_WINDOW.total_seconds() / 60), 1)


def _open_findings(study: Study) -> dict[str, int]:
    last = study.passes.order_by("-number").first()
    findings = Finding.objects.filter(consistency_pass=last, state=FindingState.OPEN)
    return _by(findings, "severity") if last else {}
