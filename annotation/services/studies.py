"""Studies and their members: creating, opening, draining, closing, joining, policy.

Decides which moves a study may make; refuses to know what its workers do in between.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from annotation.errors import BadInput, Conflict
from annotation.models import Membership, Study
from annotation.policy import Policy
from annotation.services import picks, protocols
from annotation.states import Role, StudyState, may_move
from annotation.studyfolder import Definition

RESERVED_SLUGS = frozenset({"new"})


def create(*, definition: Definition, slug: str) -> Study:
    """A study in draft as `definition` says, without its protocol; Conflict where `slug` is taken."""
    check_slug(slug)
    Policy.accept(definition.policy)
    try:
        with transaction.atomic():
            return Study.objects.create(
                slug=slug,
                name=definition.name,
                task=definition.task,
                seed=definition.seed,
                domains=definition.domains,
                region_width=definition.region_width,
                region_height=definition.region_height,
                region_um_per_px=definition.region_um_per_px,
                policy_values=definition.policy,
                checklist=definition.checklist,
                rule_values=definition.rules,
                publication=definition.publication,
            )
    except IntegrityError as error:
        raise Conflict(f"There is a study '{slug}' already. Choose another short name.") from error


def create_from(*, definition: Definition, slug: str) -> Study:
    """Create the study of `definition` with its first protocol published; Conflict where `slug` is taken."""
    study = create(definition=definition, slug=slug)
    protocols.publish_first(study=study, classes=definition.classes, guideline=definition.guideline)
    study.refresh_from_db()
    return study


def check_slug(slug: str) -> None:
    """BadInput where `slug` can't be the short name of a study."""
    try:
        Study._meta.get_field("slug").run_validators(slug)
    except ValidationError as error:
        remedy = "Use at most 60 letters, digits, hyphens and underscores."
        raise BadInput(f"'{slug}' is no short name for a study. {remedy}") from error
    if slug in RESERVED_SLUGS:
        raise BadInput(f"'{slug}' is an address of this site and can't be a study's short name. Choose another.")


@transaction.atomic
def open_study(*, study: Study) -> Study:
    """Let annotators work; the first batch follows when features are ready."""
    if study.protocol_id is None:
        raise Conflict("The study has no protocol. Publish one before it opens.")
    return _move(study, StudyState.RUNNING)


@transaction.atomic
def drain(*, study: Study) -> Study:
    """Queue nothing new, take back what nobody has begun, and let the rest be finished."""
    study = _move(study, StudyState.DRAINING)
    picks.close_pool(study=study)
    return study


@transaction.atomic
def close(*, study: Study) -> Study:
    """Hand out no more work."""
    return _move(study, StudyState.CLOSED)


def _move(study: Study, target: StudyState) -> Study:
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if study.state == target:
        return study
    if not may_move(study.state, target, of=StudyState):
        raise Conflict(f"A study that is {study.state} can't become {target}.")
    study.state = target
    study.save(update_fields=["state"])
    return study


@transaction.atomic
def add_member(*, study: Study, user: AbstractBaseUser, role: Role) -> Membership:
    """Let `user` take part as `role`; a member who comes back keeps the pseudonym."""
    # The study's row keeps two newcomers from the same pseudonym.
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    member, is_new = Membership.objects.get_or_create(study=study, user=user, defaults={"role": role})
    if not is_new and (member.role != role or not member.is_active):
        member.role, member.is_active = role, True
        member.save(update_fields=["role", "is_active"])
    return member


@transaction.atomic
def update_policy(*, study: Study, values: Mapping[str, Any]) -> Study:
    """Change keys of the policy; None takes a key back to its default. BadInput where it does not hold."""
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    merged = {**study.policy_values, **values}
    kept = {key: value for key, value in merged.items() if value is not None}
    Policy.accept(kept)
    study.policy_values = kept
    study.save(update_fields=["policy_values"])
    return study
