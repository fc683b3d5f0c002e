"""Dashboard."""

from annotation.screens.base import MANAGERS, Screen


class Dashboard(Screen):
    roles = MANAGERS
    template = "concord/dashboard.html"
    title = "Dashboard"
