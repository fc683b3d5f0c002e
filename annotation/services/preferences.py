"""Writes what a person sets for the own screens.

Decides what may be kept; refuses to know which keys exist: that is the browser's.
"""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from annotation.errors import BadInput
from annotation.models import Preference

MOST_ACTIONS, MOST_KEYS, LONGEST = 300, 6, 60


def save(
    *, user: AbstractBaseUser | AnonymousUser, keys: dict[str, Any] | None = None, explained: list[str] | None = None
) -> None:
    """Keep the keys, the explanations that were closed, or both; BadInput where they have another shape."""
    values: dict[str, Any] = {}
    if keys is not None:
        values["keys"] = _checked_keys(keys)
    if explained is not None:
        values["explained"] = sorted(set(_texts(explained, most=MOST_ACTIONS)))
    Preference.objects.update_or_create(user_id=user.pk, defaults=values)


def _checked_keys(keys: dict[str, Any]) -> dict[str, Any]:
    own = keys.get("own", {})
    if not isinstance(own, dict) or len(own) > MOST_ACTIONS or set(keys) - {"own", "single"}:
        raise BadInput('Keys are {"single": true or false, "own": {action: [key, ...]}}.')
    cleaned = {name: _texts(chords, most=MOST_KEYS) for name, chords in own.items() if len(name) <= LONGEST}
    return {"single": bool(keys.get("single", True)), "own": cleaned}


def _texts(values: Any, *, most: int) -> list[str]:
    if not isinstance(values, list) or len(values) > most:
        raise BadInput(f"A list of at most {most} texts is kept here.")
    if not all(isinstance(value, str) and 0 < len(value) <= LONGEST for value in values):
        raise BadInput(f"Each text has 1 to {LONGEST} characters.")
    return list(values)
