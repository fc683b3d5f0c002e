"""Consistency passes and the findings of one of them."""

from annotation.screens.base import Screen


class Passes(Screen):
    template = "concord/passes.html"
    title = "Consistency"


class Pass(Screen):
    template = "concord/pass.html"
    title = "Consistency pass"
