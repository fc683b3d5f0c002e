"""What a person has set for the own screens."""

from typing import Any

from django.contrib.auth.models import AbstractUser, AnonymousUser

from annotation.models import Preference


def of(user: AbstractUser | AnonymousUser | Any) -> dict[str, Any]:
    """The person's keys and the explanations that were closed; defaults where nothing was set."""
    found = Preference.objects.filter(user_id=user.pk or 0).first()
    return {"keys": found.keys if found else {}, "explained": found.explained if found else []}
