"""Releases: what one would hold, cutting it, and what it holds."""

from annotation.screens.base import Screen


class Releases(Screen):
    template = "concord/releases.html"
    title = "Releases"


class Release(Screen):
    template = "concord/release.html"
    title = "Release"
