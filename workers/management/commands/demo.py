"""`manage.py demo`: everything running, scripted annotators at the HTTP API, a release at the end."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from annotation.errors import ConcordError
from workers.simulation import demo, report, sample
from workers.simulation.client import ApiError
from workers.simulation.site import Site


class Command(BaseCommand):
    _stage: demo.Stage
    help = (
        "Show Concord at work: start the site with all workers, import a sample study (or --study FOLDER) as a new "
        "study, let scripted annotators label it through the HTTP API while models are trained and regions ranked, "
        "then adjudicate, run the consistency pass, cut a release and verify it. Exit code 0 only if all of it "
        "went well. The site stays up until Ctrl-C unless --exit is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--study", type=Path, help="a study folder with truth.csv (default: synthetic smears)")
        parser.add_argument("--annotators", type=int, default=6, help="how many people (default 6)")
        parser.add_argument("--answers", type=int, help="drain after so many (default: 1200, or the whole pool)")
        parser.add_argument("--seed", type=int, default=0, help="of the sample and the people (default 0)")
        parser.add_argument("--cases", type=int, default=48, help="patients of the sample (default 48)")
        parser.add_argument("--cells", type=int, default=25, help="cells on each slide of the sample (default 25)")
        parser.add_argument("--pace", type=float, default=0.1, help="thinking time as a share of real time (0.1)")
        parser.add_argument("--report", type=Path, help="write the report here (JSON)")
        parser.add_argument("--exit", action="store_true", help="stop everything at the end")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        console = Console(stderr=True, highlight=False)
        if options["annotators"] < 2:
            raise CommandError("The demo needs at least two annotators: two opinions settle a region.")
        plan = demo.Plan(
            folder=_folder(options, console),
            annotators=options["annotators"],
            seed=options["seed"],
            answers=options["answers"],
            pace=options["pace"],
        )
        site = Site(log=Path(settings.VAR) / "log" / "demo-site.log")
        try:
            found = self._show(plan, site, console, started)
            if options["report"]:
                report.write(found, options["report"])
            self.stdout.write(_summary(found))
            self.stdout.flush()
            if found["problems"]:
                raise CommandError("The demo did not end well: " + " ".join(found["problems"]))
            if not options["exit"]:
                self._invite(site, console)
                _wait(site, console)
        except (ConcordError, ApiError, RuntimeError, TimeoutError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None
        finally:
            site.stop()

    def _invite(self, site: Site, console: Console) -> None:
        stage = self._stage
        visitor = demo.welcome(study=stage.study, password=stage.password)
        console.print(f"Sign in at {site.url} as {visitor} to label, or as demo-manager to look on:", soft_wrap=True)
        console.print(f"the password of both is {stage.password}", markup=False, soft_wrap=True)

    def _show(self, plan: demo.Plan, site: Site, console: Console, started: float) -> dict[str, Any]:
        console.print("Starting the site ...")
        url = site.start()
        console.print(f"Concord is at {url} (its programs print to {site.log}).", markup=False, soft_wrap=True)

        def told(line: str) -> None:
            console.print(line, markup=False, soft_wrap=True)

        stage = demo.prepare(plan=plan, url=url, var=Path(settings.VAR), told=told)
        self._stage = stage
        names = ", ".join(stage.names)
        told(f"You can sign in as {names}, all with the password {stage.password}")
        return demo.run(plan=plan, stage=stage, console=console, started=started)


def _folder(options: dict[str, Any], console: Console) -> Path:
    if options["study"] is not None:
        return Path(options["study"])
    console.print("Looking for the sample study; drawing it takes under a minute the first time ...")
    folder, _ = sample.find_or_draw(
        Path(settings.VAR) / "samples",
        seed=options["seed"],
        cases=options["cases"],
        cells_per_slide=options["cells"],
    )
    return folder


def _wait(site: Site, console: Console) -> None:
    console.print(f"The site stays up at {site.url}; Ctrl-C stops it.", markup=False, soft_wrap=True)
    try:
        while site.is_alive:
            time.sleep(0.5)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _summary(found: dict[str, Any]) -> str:
    digest = found["release_digest"] or "none"
    state = "verified" if found["release_verified"] else "not verified"
    accuracy = found["truth_accuracy"]
    right = "" if accuracy is None else f", {accuracy:.1%} of them right"
    return (
        f"{found['answers']:,} answers settled {found['regions_settled']:,} regions{right}; {found['models']} model "
        f"versions, {found['promoted']} promoted after the first; {found['acknowledged']:,} acknowledged writes, "
        f"{found['acknowledged_missing']} missing; release {digest[:12]} {state}; {found['wall_seconds']:.0f} s."
    )
