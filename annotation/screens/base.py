"""What every screen has: a study, a role that may see it, a template, and the data its script starts with.

Decides who reaches a screen (the rest see 404) and what its page carries; refuses to know any screen.
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from annotation.api import access
from annotation.errors import Missing
from annotation.models import Membership, Study
from annotation.screens import navigation
from annotation.selectors import classes, preferences, studies
from annotation.states import Role

WORKERS = frozenset({Role.ANNOTATOR, Role.ADJUDICATOR})
ADJUDICATORS = frozenset({Role.ADJUDICATOR})
MANAGERS = frozenset({Role.MANAGER})


class Page(View):
    """A page for those who are signed in. `script` is a module below static/concord/js/screens/."""

    template: ClassVar[str] = ""
    title: ClassVar[str] = ""
    script: ClassVar[str] = ""
    vendor: ClassVar[tuple[str, ...]] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        try:
            self.enter(request, **kwargs)
            return super().dispatch(request, *args, **kwargs)
        except Missing as error:
            raise Http404(error.message) from error

    def enter(self, request: HttpRequest, **kwargs: Any) -> None:
        """Find what the address names; Missing where it is not there or not theirs."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return self.render(request)

    def render(self, request: HttpRequest, *, status: int = 200, **extra: Any) -> HttpResponse:
        """The page; `extra` joins what `context` gives."""
        scripts = [f"vendor/{name}/{name}.min.js" for name in self.vendor]
        page = {
            **admin.site.each_context(request),
            "title": self.title,
            "script": f"concord/js/screens/{self.script}.js" if self.script else "",
            "vendor_scripts": scripts,
            "boot": self.boot(request),
            **self.context(request),
            **extra,
        }
        return TemplateResponse(request, self.template, page, status=status)

    def context(self, request: HttpRequest) -> dict[str, Any]:
        """What the template shows."""
        return {}

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        """What the script starts with, as JSON in the page."""
        return {"preferences": preferences.of(request.user)}


class Screen(Page):
    """A page of one study, for the members in `roles`."""

    roles: ClassVar[frozenset[Role]] = MANAGERS
    member: Membership
    study: Study

    def enter(self, request: HttpRequest, **kwargs: Any) -> None:
        self.member = studies.membership(user=request.user, slug=kwargs["slug"])
        self.study = self.member.study
        if self.member.role not in self.roles:
            raise Missing("There is no such page, or it is not yours.")

    def render(self, request: HttpRequest, *, status: int = 200, **extra: Any) -> HttpResponse:
        tabs = navigation.tabs(self.member, path=request.path)
        return super().render(request, status=status, study=self.study, member=self.member, tabs=tabs, **extra)

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        study = self.study
        return {
            **super().boot(request),
            "study": {"slug": study.slug, "name": study.name, "state": study.state},
            "role": self.member.role,
            # What is kept in the browser is kept by person and study, and what is sent says whose it is.
            "person": access.person_of(self.member),
            "api": reverse("api:study", args=[study.slug]),
            "classes": classes.shown(study),
            # The classes may change while a page is open: what is sent says which ones were seen.
            "protocol": study.protocol.number if study.protocol else 0,
        }
