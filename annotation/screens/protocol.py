"""The versions of the classes: what each changed, and the draft of the next one.

Decides what the page starts with; the draft, its impact and its publication go over the API.
"""

from typing import Any

from django.http import HttpRequest

from annotation.screens.base import MANAGERS, Screen
from annotation.screens.setup import PALETTE
from annotation.selectors import protocols as reads
from annotation.services import protocols


class ProtocolVersions(Screen):
    roles = MANAGERS
    template = "concord/protocol.html"
    title = "Protocol"
    script = "protocol"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        return {"rows": list(reads.versions(self.study))}

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        draft = protocols.draft_of(self.study) if self.study.protocol_id else None
        return {**super().boot(request), "draft": draft.number if draft else None, "palette": PALETTE}
