"""The slides of a study, and one slide with its regions."""

from annotation.screens.base import Screen


class Slides(Screen):
    template = "concord/slides.html"
    title = "Slides"


class SlideOverview(Screen):
    template = "concord/slide.html"
    title = "Slide"
