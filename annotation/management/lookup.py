"""Finds what the commands' arguments name, or says what there is instead."""

from django.core.management.base import CommandError

from annotation.models import Membership, Release, Study
from annotation.states import Role


def find_study(slug: str) -> Study:
    """The study of that short name; CommandError lists the known ones."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        known = ", ".join(Study.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no study '{slug}'. Known studies: {known}.")
    return study


def find_member(study: Study, pseudonym: str | None) -> Membership | None:
    """The manager of that pseudonym, or None where none is given."""
    if pseudonym is None:
        return None
    member = Membership.objects.filter(study=study, pseudonym=pseudonym, role=Role.MANAGER, is_active=True).first()
    if member is None:
        managers = Membership.objects.filter(study=study, role=Role.MANAGER, is_active=True).order_by("id")
        known = ", ".join(managers.values_list("pseudonym", flat=True)) or "nobody yet"
        raise CommandError(f"'{pseudonym}' is no manager of '{study.slug}'. Managers: {known}.")
    return member


def find_release(name: str) -> Release:
    """A release by the first digits of its manifest's digest (at least 8), or as STUDY:NUMBER."""
    slug, colon, number = name.partition(":")
    rows = Release.objects.order_by("id")
    if colon and number.isdecimal():
        found = list(rows.filter(study__slug=slug, number=int(number)))
    elif len(name) >= 8:
        found = list(rows.filter(manifest_digest__startswith=name))
    else:
        raise CommandError(f"'{name}' names no release: give STUDY:NUMBER, or 8 or more digits of its digest.")
    if not found:
        raise CommandError(f"There is no release '{name}'. `manage.py release STUDY` cuts one.")
    if len({row.manifest_digest for row in found}) > 1:
        raise CommandError(f"'{name}' begins the digest of several releases: give more digits.")
    return found[0]
