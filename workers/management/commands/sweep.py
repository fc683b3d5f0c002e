"""The process that repairs: expired leases, dead jobs, bells that nobody heard."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workers import sweep


class Command(BaseCommand):
    """`manage.py sweep`: rounds until it is told to stop."""

    help = "Expire leases, run killed jobs again and ring bells that nobody heard, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="do one round and say what was done")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            swept = sweep.sweep_once()
            self.stdout.write(
                f"{swept.expired} leases expired, {swept.reclaimed} jobs taken from the dead, {swept.rung} bells rung."
            )
            return
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        sweep.sweep_forever(should_stop=stopped.is_set)
