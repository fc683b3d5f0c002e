"""Gallery."""

from annotation.screens.base import WORKERS, Screen


class Gallery(Screen):
    roles = WORKERS
    template = "concord/gallery.html"
    title = "Gallery"
