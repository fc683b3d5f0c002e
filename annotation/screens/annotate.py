"""Annotate: one region after the other, by keys.

Decides what the page starts with: the protocol's words and the server's time. Regions come over the API.
"""

from typing import Any

from django.http import HttpRequest

from annotation import clock
from annotation.screens.base import WORKERS, Screen


class Annotate(Screen):
    roles = WORKERS
    template = "concord/annotate.html"
    title = "Annotate"
    script = "annotate"
    vendor = ("openseadragon",)

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        rules = self.study.protocol
        return {
            **super().boot(request),
            "guideline": rules.guideline if rules else "",
            # Leases end by the database's clock, whatever the browser's says.
            "now": clock.now().isoformat(),
        }
