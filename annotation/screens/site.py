"""The admin site of Concord: everybody with an account may sign in, and finds the own work on the first page.

Decides who passes the door. Which studies and rows there are to see behind it is decided by each page.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from annotation.errors import TooManyTries
from annotation.services import door


class SignInForm(AuthenticationForm):
    """Name and password, tried only so often."""

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        if self.request is None or name is None:
            return super().clean()
        try:
            door.check(self.request, name=name)
        except TooManyTries as error:
            raise ValidationError(error.message, code=error.code) from error
        try:
            cleaned = super().clean()
        except ValidationError:
            door.record_failure(self.request, name=name)
            raise
        door.forget(self.request, name=name)
        return cleaned


class Site(admin.AdminSite):
    """Django's admin, open to accounts that are not staff: annotators see their screens and no rows."""

    site_header = site_title = "Concord"
    index_title = "Your studies"
    site_url = None
    enable_nav_sidebar = False
    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active)
