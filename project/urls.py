"""Where each address leads: health, the API, the screens, the admin's pages of rows."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import include, path
from django.views import defaults
from django.views.generic import RedirectView

from annotation.api import errors
from project import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", RedirectView.as_view(url=static("concord/icon.svg"))),
    path("health/", health.ready, name="health"),
    path("health/live/", health.live, name="health-live"),
    path("health/ready/", health.ready, name="health-ready"),
    path("api/", include("annotation.api.urls")),
    path("admin/", include("annotation.screens.urls")),
    path("admin/", admin.site.urls),
]


def handler500(request: HttpRequest) -> HttpResponse:
    """An unforeseen error: the API's shape below /api/, Django's page elsewhere."""
    if request.path.startswith("/api/"):
        return errors.server_error(request)
    return defaults.server_error(request)
