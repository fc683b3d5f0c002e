"""History of a region: what happened to it, what stood when, and what a manager can do about it.

Decides which region the page is about; the timeline comes from the API.
"""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from annotation.models import Region
from annotation.screens.base import MANAGERS, Screen
from annotation.selectors import regions, ways


class History(Screen):
    roles = MANAGERS
    template = "concord/history.html"
    title = "History of a region"
    script = "history"
    vendor = ("openseadragon",)
    region: Region

    def enter(self, request: HttpRequest, **kwargs: Any) -> None:
        super().enter(request, **kwargs)
        self.region = regions.for_member(member=self.member, public_id=kwargs["region"])

    def context(self, request: HttpRequest) -> dict[str, Any]:
        seen_by, said = ways.of_region(self.region)
        return {"region": self.region, "seen_by": seen_by, "ways": said}

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().boot(request), "region": self._shown()}

    def _shown(self) -> dict[str, Any]:
        """The region as the viewer takes it."""
        region, slug = self.region, self.study.slug
        return {
            "id": region.public_id,
            "width": region.width,
            "height": region.height,
            "um_per_px": region.slide.um_per_px_x,
            "image": reverse("api:region-image", args=[slug, region.public_id]),
        }
