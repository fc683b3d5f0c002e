"""My queue."""

from annotation.screens.base import WORKERS, Screen


class Queue(Screen):
    roles = WORKERS
    template = "concord/queue.html"
    title = "My queue"
