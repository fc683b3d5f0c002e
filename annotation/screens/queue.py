"""My queue: what to do next, what came back, what was not accepted.

Decides nothing about the numbers: they come over the API, which polls without renewing a lease.
"""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from annotation import clock
from annotation.screens.base import WORKERS, Screen


class Queue(Screen):
    roles = WORKERS
    template = "concord/queue.html"
    title = "My queue"
    script = "queue"

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        pages = {name: reverse(f"screens:{name}", args=[self.study.slug]) for name in ("annotate", "gallery")}
        return {**super().boot(request), "urls": pages, "now": clock.now().isoformat()}
