"""The path from a folder or uploaded slides to a running study.

Decides what the two pages start with; what is saved, and what may still change, is decided in services.setup.
"""

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from annotation import checklist, keys, policy_words, publication
from annotation.api.setup import SetupShape, state
from annotation.errors import Missing, Refused
from annotation.screens.base import MANAGERS, Page, Screen
from annotation.selectors import folders, studies
from annotation.states import Role

# Told apart also by people who see red and green less well; after Okabe and Ito's palette, and darker kin of it.
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#5b3a8c",
    "#7f2704", "#1b4f3a", "#b2df8a", "#333333", "#9e9e9e", "#fb9a99",
)  # fmt: skip


class NewStudy(Page):
    template = "concord/setup_new.html"
    title = "New study"
    script = "setup_new"

    def enter(self, request: HttpRequest, **kwargs: Any) -> None:
        try:
            studies.check_may_begin(user=request.user)
        except Refused as error:
            raise Missing(error.message) from error

    def context(self, request: HttpRequest) -> dict[str, Any]:
        found = folders.listed()
        whole = [one for one in found or [] if one.has_definition and one.has_table]
        return {"folders": whole, "is_open": found is not None}

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().boot(request), "screens": reverse("screens:dashboard", args=["0"]).removesuffix("0/")}


class Setup(Screen):
    roles = MANAGERS
    template = "concord/setup.html"
    title = "Set-up"
    script = "setup"
    vendor = ("openseadragon",)

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        sections = [
            {
                "title": section.title,
                "questions": [
                    {"key": one.key, "asks": one.asks, "hint": one.hint, "needed": one.is_needed}
                    for one in section.questions
                ],
            }
            for section in checklist.SECTIONS
        ]
        return {
            **super().boot(request),
            "setup": SetupShape(state(self.study)).data,
            "policy": policy_words.described(),
            "checklist": sections,
            "publication": [asdict(field) for field in publication.FIELDS],
            "licences": publication.LICENCES,
            "seconds": checklist.SECONDS,
            "tools": keys.TOOLS,
            "palette": PALETTE,
            "roles": [{"value": value, "label": label} for value, label in Role.choices],
            "urls": {
                "dashboard": reverse("screens:dashboard", args=[self.study.slug]),
                "slides": reverse("screens:slides", args=[self.study.slug]),
                "definition": reverse("api:setup-definition", args=[self.study.slug]),
            },
        }
