"""The first page: the person's studies, each with what there is to do in it."""

from typing import Any

from django.http import HttpRequest

from annotation.screens import navigation
from annotation.screens.base import Page
from annotation.selectors import studies


class Home(Page):
    template = "concord/home.html"
    title = "Your studies"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        own = studies.memberships(request.user)  # type: ignore[arg-type]
        return {"cards": [{"member": member, "url": navigation.first_screen(member)} for member in own]}
