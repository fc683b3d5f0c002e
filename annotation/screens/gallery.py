"""Gallery: many regions at once, each an annotation of its own.

Decides what the page starts with; the regions come from the queue, over the API.
"""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from annotation.policy import LARGEST_BATCH
from annotation.screens.base import WORKERS, Screen
from annotation.selectors import protocols


class Gallery(Screen):
    roles = WORKERS
    template = "concord/gallery.html"
    title = "Gallery"
    script = "gallery"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        policy = self.study.policy
        return {"undo_minutes": policy.undo_minutes, "has_suggestions": policy.show_suggestions}

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        policy, rules = self.study.policy, self.study.protocol
        return {
            **super().boot(request),
            "guideline": rules.guideline if rules else "",
            "batch": min(policy.gallery_batch, LARGEST_BATCH),
            "lease_minutes": policy.lease_minutes,
            "undo_minutes": policy.undo_minutes,
            "has_suggestions": policy.show_suggestions,
            # What was labelled and not sent before the classes changed is laid in under their names of today.
            "continues": protocols.continuations(self.study),
            "urls": {name: reverse(f"screens:{name}", args=[self.study.slug]) for name in ("queue", "annotate")},
        }
