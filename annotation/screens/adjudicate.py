"""Adjudicate: one tie after the other, with everything to judge it by.

Decides nothing: the case comes from the API for as long as the lease is held, and the page starts empty.
"""

from annotation.screens.base import ADJUDICATORS, Screen


class Adjudicate(Screen):
    roles = ADJUDICATORS
    template = "concord/adjudicate.html"
    title = "Adjudicate"
    script = "adjudicate"
    vendor = ("openseadragon",)
