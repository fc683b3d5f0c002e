"""Erases a person from a study: name, comments and what was being entered go, answers stay under the pseudonym.

Decides what is personal and when an account is no longer needed; refuses to touch history: the ledger holds salted
digests of comments, and stays valid. Reasons of decisions are history and can't be erased (ADR 9).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import transaction
from rest_framework.authtoken.models import Token

from annotation import clock
from annotation.errors import Conflict
from annotation.models import Assignment, Draft, Membership, PersonalText, Preference, opaque
from annotation.services import members


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: comments, drafts (with what was being entered), reasons of skips, and whether the account did too."""

    pseudonym: str
    comments: int
    drafts: int
    skips: int
    account: bool


@transaction.atomic
def erase(*, member: Membership, dry_run: bool = False) -> Erased:
    """Erase a member's personal text in the study, end the membership, and the account where no study needs it.

    Harmless when it was done before. Conflict for the last manager. `dry_run` counts and takes it all back.
    """
    member = Membership.objects.select_related("user").get(pk=member.pk)
    now = clock.now()
    members.leave(member=member)
    texts = PersonalText.objects.filter(annotation__annotator=member, erased_at=None)
    comments = texts.update(text="", salt="", erased_at=now)
    drafts, _ = Draft.objects.filter(assignment__annotator=member).delete()
    mine = Assignment.objects.filter(annotator=member)
    entered = mine.exclude(entered=None).update(entered=None)
    skips = mine.exclude(skip_reason="").update(skip_reason="")
    Membership.objects.filter(pk=member.pk, erased_at=None).update(erased_at=now)
    account = _close_account(member)
    if dry_run:
        transaction.set_rollback(True)
    return Erased(member.pseudonym, comments, drafts + entered, skips, account)


def erase_everywhere(*, memberships: Iterable[Membership]) -> list[Erased]:
    """Erase a person from several studies: all of them or none."""
    with transaction.atomic():
        return [erase(member=member) for member in memberships]


def _close_account(member: Membership) -> bool:
    """Make the account nobody's where no other study needs it; whether it is nobody's now."""
    user = get_user_model().objects.select_for_update().get(pk=member.user_id)
    others = Membership.objects.filter(user=user, erased_at=None, study__is_simulation=False).exclude(pk=member.pk)
    if others.exists():
        return False
    if user.is_superuser or user.is_staff:
        raise Conflict(
            f"'{user.get_username()}' runs this site: take the staff and superuser marks away first, then erase."
        )
    user.username = f"erased-{opaque.token()}"
    user.first_name = user.last_name = user.email = ""
    user.is_active = False
    user.last_login = None
    user.set_unusable_password()
    user.save()
    user.groups.clear()
    user.user_permissions.clear()
    Token.objects.filter(user=user).delete()
    Preference.objects.filter(user=user).delete()
    # What Django's own pages noted of the person: who changed which row, with its name at the time.
    LogEntry.objects.filter(user=user).delete()
    _sign_out(str(user.pk))
    return True


def _sign_out(key: str) -> None:
    for session in Session.objects.iterator(chunk_size=500):
        if session.get_decoded().get("_auth_user_id") == key:
            session.delete()
