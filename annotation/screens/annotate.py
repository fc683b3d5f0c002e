"""Annotate."""

from annotation.screens.base import WORKERS, Screen


class Annotate(Screen):
    roles = WORKERS
    template = "concord/annotate.html"
    title = "Annotate"
