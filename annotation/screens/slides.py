"""The slides of a study, and one slide with its regions.

Decides what the two pages carry; what is known of slides and regions is read in selectors.slides and the API.
"""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from annotation.models import Slide
from annotation.screens.base import Screen
from annotation.selectors import regions, slides
from annotation.states import LIVE_JOBS, AuditHalf, RegionState, SlideState

COLUMNS = (
    ("slide", "Slide"),
    ("case", "Case"),
    ("domain", "Domain"),
    ("size", "Size"),
    ("state", "State"),
    ("regions", "Regions"),
    ("settled", "Settled"),
)


class Slides(Screen):
    template = "concord/slides.html"
    title = "Slides"
    script = "slides"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        asked = request.GET
        state = asked.get("state", "") if asked.get("state") in SlideState.values else ""
        domain, sort = asked.get("domain", ""), asked.get("sort", "slide")
        page = slides.page(
            self.study,
            filters={"state": state, "domain__name": domain.replace("\x00", "")},
            sort=sort,
            number=_number(asked.get("page", "")),
        )
        kept = {"state": state, "domain": domain}
        return {
            "page": page,
            "rows": page.rows,
            "domains": slides.domains(self.study),
            "states": SlideState.choices,
            "state": state,
            "domain": domain,
            "is_filtered": bool(state or domain),
            "columns": [_column(name, label, sort=sort, kept=kept) for name, label in COLUMNS],
            "previous": _query(kept, sort, page.number - 1) if page.number > 1 else "",
            "next": _query(kept, sort, page.number + 1) if page.number < page.pages else "",
        }


class SlideOverview(Screen):
    template = "concord/slide.html"
    title = "Slide"
    script = "slide"
    vendor = ("openseadragon",)
    slide: Slide

    def enter(self, request: HttpRequest, **kwargs: Any) -> None:
        super().enter(request, **kwargs)
        self.slide = regions.slide(study=self.study, public_id=kwargs["slide"])

    def context(self, request: HttpRequest) -> dict[str, Any]:
        before, after = slides.neighbours(self.slide)
        job = None
        if self.slide.state != SlideState.TILED:
            job = slides.tiling_jobs(self.study, [self.slide.public_id]).get(self.slide.public_id)
        return {
            "title": f"Slide {self.slide.public_id}",
            "slide": self.slide,
            "job": job,
            "is_live": job is not None and job.state in LIVE_JOBS,
            "audit": AuditHalf(self.slide.case.audit_half).label if self.slide.case.audit_half else "",
            "before": before,
            "after": after,
            "region_states": RegionState.choices,
        }

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        slide, names = self.slide, [self.study.slug, self.slide.public_id]
        return {
            **super().boot(request),
            "slide": {
                "id": slide.public_id,
                "state": slide.state,
                "width": slide.width,
                "height": slide.height,
                "um_per_px": slide.um_per_px_x,
                "objective": slide.objective,
                "api": reverse("api:slide", args=names),
                "overlay": reverse("api:slide-overlay", args=names),
                "thumbnail": reverse("api:slide-thumbnail", args=names),
                "tiles": reverse("api:slide", args=names) + "tiles/",
            },
            # A region's page is this address with the region's id behind it.
            "history": reverse("screens:history", args=[self.study.slug, "0"]).removesuffix("0/"),
        }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _query(kept: dict[str, str], sort: str, page: int = 1) -> str:
    values = {**kept, "sort": "" if sort == "slide" else sort, "page": "" if page == 1 else str(page)}
    return "?" + urlencode({name: value for name, value in values.items() if value})


def _column(name: str, label: str, *, sort: str, kept: dict[str, str]) -> dict[str, Any]:
    """A column's head: where it leads, and how the list is sorted by it now."""
    direction = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    turned = f"-{name}" if direction == "ascending" else name
    return {
        "name": name,
        "label": label,
        "direction": direction,
        "is_number": name in ("size", "regions"),
        "url": _query(kept, turned),
    }
