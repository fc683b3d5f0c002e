"""Adjudicate."""

from annotation.screens.base import ADJUDICATORS, Screen


class Adjudicate(Screen):
    roles = ADJUDICATORS
    template = "concord/adjudicate.html"
    title = "Adjudicate"
