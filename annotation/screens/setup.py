"""The path from a folder or uploaded slides to a running study."""

from annotation.screens.base import Page, Screen


class NewStudy(Page):
    template = "concord/setup_new.html"
    title = "New study"


class Setup(Screen):
    template = "concord/setup.html"
    title = "Set-up"
