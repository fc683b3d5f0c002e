"""How often a password may be tried, on the sign-in page and at the token endpoint alike.

Decides who has to wait; refuses to know accounts and passwords. Counted per name and address together, so that nobody
locks out somebody else, and per address, so that one machine doesn't try many names.
"""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from annotation import clock
from annotation.errors import TooManyTries
from annotation.models import FailedSignIn

WINDOW = timedelta(minutes=5)
MOST_FOR_A_NAME, MOST_FOR_AN_ADDRESS = 10, 60
_SALT = "annotation.services.door"


def check(request: HttpRequest, *, name: str) -> None:
    """TooManyTries where this address has failed too often of late, with this name or altogether."""
    place = address(request)
    recent = FailedSignIn.objects.filter(failed_at__gt=clock.now() - WINDOW)
    here = recent.filter(address=_digest(place))[:MOST_FOR_AN_ADDRESS].count()
    named = recent.filter(name_and_address=_digest(place, name))[:MOST_FOR_A_NAME].count()
    if named >= MOST_FOR_A_NAME or here >= MOST_FOR_AN_ADDRESS:
        minutes = int(WINDOW.total_seconds() // 60)
        raise TooManyTries(f"Too many wrong passwords. Wait {minutes} minutes, then try again.")


def record_failure(request: HttpRequest, *, name: str) -> None:
    """Count a wrong password, and forget what is too old to count."""
    place, now = address(request), clock.now()
    FailedSignIn.objects.filter(failed_at__lt=now - 2 * WINDOW).delete()
    FailedSignIn.objects.create(address=_digest(place), name_and_address=_digest(place, name), failed_at=now)


def forget(request: HttpRequest, *, name: str) -> None:
    """A right password clears what this name had failed from this address."""
    FailedSignIn.objects.filter(name_and_address=_digest(address(request), name)).delete()


def address(request: HttpRequest) -> str:
    """Where a request comes from; X-Forwarded-For is believed for as many proxies as are ours."""
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.PROXIES and forwarded:
        return forwarded[-min(settings.PROXIES, len(forwarded))]
    return str(request.META.get("REMOTE_ADDR", ""))


def _digest(*parts: str) -> str:
    return salted_hmac(_SALT, "\x1f".join(parts), algorithm="sha256").hexdigest()
