"""`manage.py simulate STUDY`: scripted annotators label a copy of a study, through to a verified release."""

from argparse import ArgumentParser, ArgumentTypeError
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from annotation.errors import ConcordError
from annotation.management import lookup
from workers.simulation import report, simulate, site
from workers.simulation.annotators import Habits


def overlap(text: str) -> int:
    """`adaptive` as 0, `fixed:N` as N."""
    kind, _, number = text.partition(":")
    if text == "adaptive":
        return 0
    if kind == "fixed" and number.isdigit() and int(number) > 0:
        return int(number)
    raise ArgumentTypeError(f"'{text}' is neither adaptive nor fixed:N, such as fixed:3")


class Command(BaseCommand):
    help = (
        "Let scripted annotators label a copy of STUDY through the services that people use, until the pool or "
        "--answers is exhausted; then adjudicate, run the consistency pass, mend what it finds, cut a release "
        "and verify it. With --lockstep it runs in virtual time in this process and repeats exactly; without, "
        "annotators are threads and workers do the jobs: those that run, or else some started for the while."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study; it is copied, not touched")
        parser.add_argument("--annotators", type=int, default=5, help="how many people (default 5)")
        parser.add_argument("--skill", type=float, default=0.85, help="mean accuracy on clear items (0.85)")
        parser.add_argument("--seed", type=int, default=0, help="of people and selection (default 0)")
        parser.add_argument("--lockstep", action="store_true", help="virtual time; repeats exactly")
        parser.add_argument("--selection", choices=["random", "learned"], help="default: the study's policy")
        parser.add_argument("--overlap", type=overlap, help="fixed:N or adaptive (default: the study's)")
        parser.add_argument("--min-overlap", type=int, help="opinions at least, where adaptive")
        parser.add_argument("--consensus", choices=["majority", "dawid-skene"], help="default: the study's")
        parser.add_argument("--answers", type=int, help="drain after so many answers (default: whole pool)")
        parser.add_argument("--report", type=Path, help="write the report here (JSON)")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        console = Console(stderr=True, highlight=False)
        plan = simulate.Plan(
            annotators=options["annotators"],
            habits=Habits(skill=options["skill"]),
            seed=options["seed"],
            is_lockstep=options["lockstep"],
            answers=options["answers"],
            policy=_overrides(options),
        )

        def told(line: str) -> None:
            console.print(line, markup=False, soft_wrap=True)

        try:
            study = lookup.find_study(options["study"])
            with nullcontext() if plan.is_lockstep else site.workers_alive(told=told):
                found = simulate.run(study=study, plan=plan, told=told)
        except ConcordError as error:
            raise CommandError(error.message) from error
        except (TimeoutError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        if options["report"]:
            report.write(found, options["report"])
        self.stdout.write(_summary(found))
        if not found["release_verified"]:
            raise CommandError("No verified release: " + " ".join(found["problems"]))


def _check(options: dict[str, Any]) -> None:
    if options["annotators"] < 1:
        raise CommandError("A simulation needs at least one annotator.")
    if not 0 < options["skill"] <= 1:
        raise CommandError("The skill is an accuracy above 0, at most 1.")
    if options["answers"] is not None and options["answers"] < 1:
        raise CommandError("--answers must be at least 1.")


def _overrides(options: dict[str, Any]) -> dict[str, Any]:
    """The policy's keys that the command line sets."""
    values = {
        "selection": options["selection"],
        "fixed_overlap": options["overlap"],
        "min_overlap": options["min_overlap"],
        "consensus": options["consensus"],
    }
    return {key: value for key, value in values.items() if value is not None}


def _summary(found: dict[str, Any]) -> str:
    accuracy, f1 = found["truth_accuracy"], found["truth_macro_f1"]
    quality = "" if accuracy is None else f"; accuracy {accuracy:.3f}, macro-F1 {f1:.3f} against the truth"
    digest = found["release_digest"]
    release = f"release {digest[:12]} {'verified' if found['release_verified'] else 'NOT verified'}" if digest else ""
    return (
        f"{found['answers']:,} answers settled {found['regions_settled']:,} regions "
        f"({found['answers_per_settled']} each){quality}; {found['models']} models, "
        f"{found['promoted']} promoted after the first; {release} in {found['wall_seconds']:.0f} s.\n"
        f"{found['overlap']['said']}"
    )
