"""The rules of a study: what each looks for, how strict it is, what it found last.

Decides what the page starts with; what may be set is the rules' own.
"""

from typing import Any

from django.http import HttpRequest

from annotation.api.strictness import RuleShape
from annotation.screens.base import Screen
from annotation.selectors import strictness


class Rules(Screen):
    template = "concord/rules.html"
    title = "Rules"
    script = "rules"

    def boot(self, request: HttpRequest) -> dict[str, Any]:
        rules = RuleShape(strictness.read(self.study), many=True).data
        return {**super().boot(request), "rules": rules}
