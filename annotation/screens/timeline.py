"""Timeline: what was done in a study, what stood at two moments, and taking things back.

Decides which people the page offers; entries, moments and sessions come from the API.
"""

from typing import Any

from django.http import HttpRequest

from annotation.models import Membership
from annotation.screens.base import Screen
from annotation.screens.passes import screens_of


class Timeline(Screen):
    template = "concord/timeline.html"
    title = "Timeline"
    script = "timeline"

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        people = Membership.objects.filter(study=self.study).select_related("user").order_by("id")
        return {
            **super().boot(request),
            "screens": screens_of(self),
            "me": self.member.pseudonym,
            "people": [
                {
                    "id": one.pseudonym,
                    "name": one.shown_name,
                    "role": one.role,
                    "is_erased": one.erased_at is not None,
                }
                for one in people
            ],
        }
