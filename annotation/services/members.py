"""People joining and leaving a study. Answers and pseudonyms stay.

Decides who may get an account from a manager, what becomes of what a leaver holds, and that a study keeps a manager;
refuses to know screens. The one place that makes accounts: they are never staff.
"""

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from annotation.errors import BadInput, Conflict, Missing
from annotation.models import Assignment, Membership, Study
from annotation.services import qualification, queue, studies
from annotation.states import AssignmentState, Role

# Without signs that are taken for one another when a password is read out or copied by hand.
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_SIGNS = 4, 4
ACCOUNT_ROLES = frozenset({Role.ANNOTATOR, Role.ADJUDICATOR})


def has_account(username: str) -> bool:
    """Whether somebody can sign in by that name."""
    return get_user_model().objects.filter(username=_normal(username), is_active=True).exists()


@transaction.atomic
def join(*, study: Study, username: str, role: Role) -> Membership:
    """Let the person with the account `username` take part; Missing where there is no such account."""
    name = _normal(username)
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    if user is None:
        raise Missing(f"There is no account '{name}'. Make one, or check the name.")
    known = Membership.objects.filter(study=study, user=user, is_active=True).first()
    if known is not None and known.role != role:
        raise Conflict(f"'{name}' is {known.role} in this study already. Change the role in the list.")
    return studies.add_member(study=study, user=user, role=role)


@transaction.atomic
def open_account(*, study: Study, username: str, role: Role) -> tuple[Membership, str]:
    """A new account that takes part, and its first password, which is said once and kept nowhere."""
    if role not in ACCOUNT_ROLES:
        raise BadInput(
            "New accounts are for annotators and adjudicators. A manager's is made by whoever runs the site."
        )
    model = get_user_model()
    name = _normal(username)
    try:
        model._meta.get_field("username").run_validators(name)
    except ValidationError as error:
        raise BadInput(f"'{name}' is no user name. Use letters, digits and @ . + - _ only.") from error
    password = "-".join("".join(secrets.choice(_SIGNS) for _ in range(_GROUP_SIGNS)) for _ in range(_GROUPS))
    manager: Any = model._default_manager
    try:
        with transaction.atomic():
            user = manager.create_user(username=name, password=password)
    except IntegrityError as error:
        raise Conflict(
            f"There is an account '{name}' already. Add that person instead, or choose another name."
        ) from error
    return studies.add_member(study=study, user=user, role=role), password


@transaction.atomic
def change(
    *,
    member: Membership,
    role: Role | None = None,
    is_trained: bool | None = None,
    is_qualified: bool | None = None,
    another_try: bool = False,
) -> Membership:
    """Give a member another role, note the training, or decide over the entry test; what is None stays."""
    Study.objects.select_for_update(no_key=True).get(pk=member.study_id)
    member = Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
    if role is not None and role != member.role:
        _keep_a_manager(member)
        member.role = role
    if is_trained is not None:
        member.is_trained = is_trained
    member.save(update_fields=["role", "is_trained"])
    if is_qualified is not None:
        qualification.set_qualified(member=member, is_qualified=is_qualified)
    if another_try:
        qualification.allow_another_try(member=member)
    member.refresh_from_db()
    return member


@transaction.atomic
def deactivate(*, member: Membership) -> Membership:
    """End a membership and give back the regions it holds; harmless when it has ended."""
    member = Membership.objects.select_for_update(no_key=True).get(pk=member.pk)
    held = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED)
    for token in held.order_by("pk").values_list("token", flat=True):
        queue.release(member=member, token=token)
    member.is_active = False
    member.save(update_fields=["is_active"])
    return member


@transaction.atomic
def leave(*, member: Membership) -> Membership:
    """As `deactivate`, but Conflict for the last manager: nobody could run the study any more."""
    Study.objects.select_for_update(no_key=True).get(pk=member.study_id)
    if member.is_active:
        _keep_a_manager(member)
    return deactivate(member=member)


def _normal(username: str) -> str:
    """The name as accounts are kept under it: a compatibility form becomes the plain letters, maybe many of them."""
    return get_user_model().normalize_username(username.strip())


def _keep_a_manager(member: Membership) -> None:
    managers = Membership.objects.filter(study=member.study_id, role=Role.MANAGER, is_active=True)
    if member.role == Role.MANAGER and not managers.exclude(pk=member.pk).exists():
        raise Conflict("This is the study's last manager. Make somebody else a manager first.")
