"""`manage.py replay STUDY`: recorded votes go through the real queue, to try a policy on real people's answers."""

from argparse import ArgumentParser, ArgumentTypeError
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from annotation.errors import ConcordError
from annotation.management import lookup
from annotation.policy import Policy
from workers.simulation import replay, report, site, votes


def setting(text: str) -> tuple[str, Any]:
    """`key=value` of a policy, the value as the key's kind has it."""
    key, equals, value = text.partition("=")
    kinds = {one.name: one.type for one in fields(Policy)}
    if not equals or key not in kinds:
        raise ArgumentTypeError(f"'{text}' is no KEY=VALUE of a policy. Known keys: {', '.join(sorted(kinds))}")
    kind = kinds[key]
    if kind is bool:
        if value not in ("true", "false"):
            raise ArgumentTypeError(f"'{key}' is true or false, not '{value}'")
        return key, value == "true"
    if kind is int or kind is float:
        try:
            return key, int(value) if kind is int else float(value)
        except ValueError:
            raise ArgumentTypeError(f"'{key}' is a number, not '{value}'") from None
    return key, value


class Command(BaseCommand):
    help = (
        "Replay recorded votes on a copy of STUDY through the queue that people use: everybody is asked only what he "
        "or she once answered, and regions settle by the study's policy or what --policy says, with reliability "
        "learned from the answers given so far. The report is that of `simulate`, with the share of votes used and "
        "the agreement with the majority, and with the Dawid-Skene consensus, of all votes. There is no adjudicator: "
        "a region that stays open counts as undecided, with the leading class of a fit over the answers given. "
        "Pictures are not looked at and no model is trained."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name of the study; it is copied, not touched")
        parser.add_argument(
            "--votes", type=Path, help="CSV of region, annotator, label[, seconds] (default: imported with the study)"
        )
        parser.add_argument(
            "--policy", nargs="+", type=setting, default=[], metavar="KEY=VALUE",
            help="what to try, such as max_overlap=7 target_confidence=0.95 or fixed_overlap=3",
        )  # fmt: skip
        parser.add_argument("--seed", type=int, default=0, help="of the order of people and regions (default 0)")
        parser.add_argument("--lockstep", action="store_true", help="virtual time; repeats exactly, needs no workers")
        parser.add_argument("--report", type=Path, help="write the report here (JSON)")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(stderr=True, highlight=False)

        def told(line: str) -> None:
            console.print(line, markup=False, soft_wrap=True)

        plan = replay.Plan(seed=options["seed"], is_lockstep=options["lockstep"], policy=dict(options["policy"]))
        try:
            study = lookup.find_study(options["study"])
            path = options["votes"]
            book = votes.read_file(path, study=study) if path else votes.recorded(study)
            with nullcontext() if plan.is_lockstep else site.workers_alive(told=told):
                found = replay.run(study=study, book=book, plan=plan, told=told)
        except ConcordError as error:
            raise CommandError(error.message) from error
        except (TimeoutError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        if options["report"]:
            report.write(found, options["report"])
        self.stdout.write(summarise(found))


def summarise(found: dict[str, Any]) -> str:
    """The report in a few lines."""
    by_majority, by_fit = found["agreement_majority"], found["agreement_dawid_skene"]
    return "\n".join(
        [
            f"{found['answers']:,} of {found['votes_available']:,} votes ({found['votes_used_share']:.1%}) settled "
            f"{found['regions_settled']:,} regions; {found['undecided']} stayed undecided.",
            f"With the majority of all {found['readers']} people: {_agreement(by_majority)}; {by_majority['ties']} "
            "regions, on which they are tied, left out.",
            f"With the Dawid-Skene consensus of all: {_agreement(by_fit)}.",
            found["overlap"]["said"],
        ]
    )


def _agreement(one: dict[str, Any]) -> str:
    return f"{one['share']:.1%} of {one['of']:,} regions the same (95%: {one['low']:.1%} to {one['high']:.1%})"
