"""My answers: everything this person has said, page by page, newest first.

Decides how many fit on a page; refuses to tell what an answer was for: repeats, checks and first opinions look alike.
"""

from typing import Any

from django.http import HttpRequest

from annotation.screens.base import WORKERS, Screen
from annotation.selectors import answers, classes

ON_A_PAGE = 50


class Answers(Screen):
    roles = WORKERS
    template = "concord/answers.html"
    title = "My answers"
    script = "answers"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        page = answers.page(member=self.member, after=request.GET.get("after", ""), size=ON_A_PAGE)
        known = {one["code"]: one for one in classes.shown(self.study)}
        rows = [{"answer": row, "class": known.get(row.label)} for row in page.rows]
        return {"rows": rows, "next": page.next, "is_first": page.is_first}
