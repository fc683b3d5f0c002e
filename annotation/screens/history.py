"""History."""

from annotation.screens.base import MANAGERS, Screen


class History(Screen):
    roles = MANAGERS
    template = "concord/history.html"
    title = "History"
