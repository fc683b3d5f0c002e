"""My answers."""

from annotation.screens.base import WORKERS, Screen


class Answers(Screen):
    roles = WORKERS
    template = "concord/answers.html"
    title = "My answers"
