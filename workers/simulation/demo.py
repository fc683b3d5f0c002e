"""The demo: a study from a folder to a verified release, with everything running and people at the HTTP API.

Decides the order and what a good end is; refuses to know the command line.
"""

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.db import DatabaseError, InterfaceError, connection
from rich.console import Console

from annotation.models import KnownTruth, Membership, Study
from annotation.selectors.studies import ADD_STUDY
from annotation.services import imports, loop, studies
from annotation.states import Role, StudyState
from workers.simulation import closing, measures, receipts, report, sandbox
from workers.simulation.annotators import Habits
from workers.simulation.client import Client
from workers.simulation.crew import Crew, hire, join
from workers.simulation.crowd import Crowd
from workers.simulation.display import Display
from workers.simulation.patience import patiently
from workers.simulation.remote import ThroughHttp

MODELS_WANTED, PROMOTED_WANTED = 3, 1
CLOSING_TRIES = 5
CURVE_EVERY = 50
VISITOR = "demo-visitor"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to show. `answers` None: `DEFAULT_ANSWERS`, or what the pool asks for if that is less."""

    folder: Path
    annotators: int = 6
    habits: Habits = field(default_factory=lambda: Habits(skip_rate=0.005, undo_rate=0.005))
    seed: int = 0
    answers: int | None = None
    pace: float = 0.1

    DEFAULT_ANSWERS = 1200


@dataclass(slots=True)
class Stage:
    """A study that stands ready: its people, their password and connections, and the log of what was promised."""

    study: Study
    crew: Crew
    password: str
    workplace: ThroughHttp
    receipts: receipts.Receipts
    clients: list[Client]

    @property
    def names(self) -> list[str]:
        """Whom one can sign in as."""
        people = [*self.crew.annotators, *self.crew.adjudicators]
        return [member.user.get_username() for member in (self.crew.manager, *(one.member for one in people))]


def prepare(*, plan: Plan, url: str, var: Path, told: Callable[[str], None]) -> Stage:
    """Import the folder as a new study, make users with a fresh password, and sign them in."""
    slug = sandbox.free_slug("demo")
    found = imports.import_folder(plan.folder, slug=slug)
    study = found.study
    assert study is not None
    if not KnownTruth.objects.filter(region__study=study).exists():
        raise ValueError(
            f"{plan.folder} has no truth.csv, so scripted annotators can't know what they see. "
            f"The study was imported as '{slug}': open it with `make serve` for real people."
        )
    told(f"Imported as '{slug}': {found.slides_new} slides, {found.regions_new:,} regions.")
    crew = hire(study=study, annotators=plan.annotators, habits=plan.habits, seed=plan.seed, prefix="demo")
    password = _set_password(crew)
    studies.open_study(study=study)
    clients = _sign_in(crew, url=url, password=password)
    log = receipts.Receipts(var / "demo" / f"{slug}-acknowledged.jsonl")
    workplace = ThroughHttp(slug=slug, clients=clients, receipts=log, pace=plan.pace)
    return Stage(study, crew, password, workplace, log, list(clients.values()))


def _set_password(crew: Crew) -> str:
    """Give everybody one new password, hashed once as that takes its time; the manager may see rows and add studies."""
    password = secrets.token_urlsafe(9)
    hashed = make_password(password)
    users = get_user_model()
    members = [crew.manager, *(person.member for person in [*crew.annotators, *crew.adjudicators])]
    users.objects.filter(pk__in=[member.user_id for member in members]).update(password=hashed)
    users.objects.filter(pk=crew.manager.user_id).update(is_staff=True)
    app, _, permission = ADD_STUDY.partition(".")
    crew.manager.user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=permission))
    return password


def welcome(*, study: Study, password: str) -> str:
    """Open the study to a visitor once the script is done, and return the visitor's user name.

    Not before: the visitor would be counted among those who may still answer, and the script does not answer for them.
    """
    visitor = join(study, VISITOR, Role.ANNOTATOR)
    visitor.user.set_password(password)
    visitor.user.save(update_fields=["password"])
    study.refresh_from_db()
    if study.state != StudyState.RUNNING:
        studies.open_study(study=study)
    loop.nudge(study=study)
    return VISITOR


def _sign_in(crew: Crew, *, url: str, password: str) -> dict[str, Client]:
    """A signed-in connection for everybody who answers, by pseudonym."""
    members = [person.member for person in [*crew.annotators, *crew.adjudicators]]

    def connect(member: Membership) -> Client:
        client = Client(url=url)
        client.sign_in(username=member.user.get_username(), password=password)
        return client

    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(connect, members))
    return {member.pseudonym: client for member, client in zip(members, clients, strict=True)}


def run(*, plan: Plan, stage: Stage, console: Console, started: float) -> dict[str, Any]:
    """Let people work, close the study, and return the report. `started`: the demo's begin by time.monotonic."""
    study = stage.study
    target = plan.answers or _expected_answers(study, plan)
    curve = report.Curve(study, every=CURVE_EVERY)
    with Display(study=study, console=console, target=target) as display:
        crowd = Crowd(study=study, crew=stage.crew, workplace=stage.workplace)
        day = _Day(crowd=crowd, stage=stage, target=target, display=display)
        try:
            day.start()
            while day.is_alive():
                display.show(answers=crowd.answers)
                patiently(lambda: curve.look(crowd.answers))
                day.join(0.5)
        finally:
            crowd.stop()
            day.join()
            stage.receipts.close()
    if day.failure is not None:
        raise day.failure
    assert day.closed is not None
    study.refresh_from_db()
    wall = time.monotonic() - started
    found = report.build(study=study, curve=curve, closed=day.closed, seed=plan.seed, wall_seconds=wall)
    found |= _promises(stage)
    found["problems"] = [*found["problems"], *judge(found)]
    return found


class _Day(threading.Thread):
    """Labelling and closing, beside the thread that shows them."""

    def __init__(self, *, crowd: Crowd, stage: Stage, target: int, display: Display) -> None:
        super().__init__(name="demo")
        self.closed: closing.Closed | None = None
        self.failure: Exception | None = None
        self._crowd = crowd
        self._stage = stage
        self._target = target
        self._display = display

    def run(self) -> None:
        try:
            self._label()
            self._close()
        except Exception as error:
            self.failure = error
        finally:
            connection.close()

    def _label(self) -> None:
        self._display.tell("Annotators work; models are trained on what they settle.")
        study, crowd, target = self._stage.study, self._crowd, self._target
        crowd.label(until=target)
        # A fast crowd can be done before the models are: it goes on while that shows something.
        while not _has_shown_enough(study) and patiently(study.regions.in_pool().exists):
            before, target = crowd.answers, target + 50
            crowd.label(until=target)
            if crowd.answers == before:
                return

    def _close(self) -> None:
        for attempt in range(1, CLOSING_TRIES + 1):
            try:
                self.closed = closing.close_study(
                    study=self._stage.study,
                    manager=self._stage.crew.manager,
                    hands=self._crowd,
                    told=self._display.tell,
                )
                return
            except (DatabaseError, InterfaceError):
                # The database went away under a manager's hand; each step may be asked again.
                if attempt == CLOSING_TRIES:
                    raise
                connection.close()
                time.sleep(2.0)


def _has_shown_enough(study: Study) -> bool:
    def count() -> tuple[int, int]:
        return len(measures.describe_models(study)), measures.count_promoted(study)

    models, promoted = patiently(count)
    return models >= MODELS_WANTED and promoted >= PROMOTED_WANTED


def _expected_answers(study: Study, plan: Plan) -> int:
    policy = study.policy
    return min(study.regions.count() * (policy.fixed_overlap or policy.min_overlap), plan.DEFAULT_ANSWERS)


def _promises(stage: Stage) -> dict[str, Any]:
    """What was acknowledged and what became of it."""
    audit = receipts.audit(stage.receipts.path, study=stage.study)
    return {
        "acknowledged": audit.acknowledged,
        "acknowledged_missing": len(audit.missing),
        "acknowledged_doubled": len(audit.doubled),
        "acknowledged_altered": len(audit.altered),
        "images_fetched": stage.workplace.images,
        "requests_repeated": sum(client.repeats for client in stage.clients),
    }


def judge(found: dict[str, Any]) -> list[str]:
    """Why a report is not a good end, in sentences."""
    checks = [
        (found["release_verified"], "There is no verified release."),
        (found["models"] >= MODELS_WANTED, f"Only {found['models']} model versions, not {MODELS_WANTED}."),
        (found["promoted"] >= PROMOTED_WANTED, "No model after the first was promoted."),
        (found["picks_open"] == 0, f"{found['picks_open']} picks are neither settled nor superseded."),
        (found["acknowledged_missing"] == 0, f"{found['acknowledged_missing']} acknowledged answers are missing."),
        (found["acknowledged_doubled"] == 0, f"{found['acknowledged_doubled']} answers are stored twice."),
        (found["acknowledged_altered"] == 0, f"{found['acknowledged_altered']} answers differ from what was sent."),
    ]
    failed = [f"Job {job['kind']} {job['key']} failed: {job['error']}" for job in found["jobs_failed"]]
    return [sentence for holds, sentence in checks if not holds] + failed
