"""What a manager should do next, in the order in which it holds up the study.

Decides what is worth saying and the sentence; refuses to know addresses: `target` names a screen or a panel.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from annotation.models import Release
from annotation.selectors.dashboard import agreement, domains, findings, growth, people, progress, quotas, work
from annotation.selectors.dashboard.board import Board
from annotation.states import JobState, PassState, RegionState, Role, Severity, StudyState

LOW_AGREEMENT = 0.6
NAMED = 3


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do: `what` is the matter, `how` to mend it, and where."""

    what: str
    how: str
    target: str


def read(board: Board) -> list[Action]:
    """All that is to be done now; empty where nothing is."""
    states = progress.count_states(board)
    return [
        *_open(board, states),
        *_engine(board),
        *_domains(board),
        *_people(board, states),
        *_checks(board),
        *_queue(board, states),
        *_classes(board),
        *_definitions(board),
        *_release(board, states),
    ]


def _open(board: Board, states: dict[str, int]) -> Iterator[Action]:
    if not board.domains:
        yield Action("The study has no slides yet.", "Add them in the set-up, each with its case and domain.", "setup")
    if not board.reading.classes:
        yield Action("No classes are published yet.", "Name them in the set-up and publish the protocol.", "setup")
    if board.study.state == StudyState.DRAFT:
        yield Action("The study is a draft: nobody can answer.", "Go through the set-up and launch it.", "setup")
    if board.study.state == StudyState.CLOSED and states[RegionState.QUEUED.value]:
        yield Action("The study is closed while regions collect opinions.", "Open it again in the set-up.", "setup")


def _engine(board: Board) -> Iterator[Action]:
    failed = work.count_jobs(board).get(JobState.FAILED, 0)
    if failed:
        yield Action(f"{_count(failed, 'job')} failed.", "Read what went wrong, mend it and retry them.", "#work")
    late = work.find_late_queues(board)
    if late and board.domains:
        yield Action(
            f"No worker reads {_list(late)}.",
            "Nothing is tiled, drawn or trained there meanwhile: start the workers, or look why they stopped.",
            "#work",
        )


def _domains(board: Board) -> Iterator[Action]:
    """Domains that the model does not know, or no longer."""
    for one in domains.find_unseen(board)[:NAMED]:
        how = one.promised
        if board.study.state != StudyState.RUNNING:
            how = f"No batch is drawn while the study is {board.study.state}: open it, or trust no prediction there."
        yield Action(one.said, how, "#domains")
    watched = domains.read(board)
    if watched is None:
        return
    for name, found in watched.strangers()[:NAMED]:
        yield Action(
            f"Slides of {name} look unlike all that model {watched.number} has learned from: AUC "
            f"{found['apart']['value']:.2f}, usual is under {found['apart']['usual']:.2f}.",
            "Look at its slides for another scanner, stain or focus, and have more of them settled.",
            "#domains",
        )


def _people(board: Board, states: dict[str, int]) -> Iterator[Action]:
    active = [one.role for one in board.reading.members if one.is_active]
    answering = sum(role in (Role.ANNOTATOR, Role.ADJUDICATOR) for role in active)
    needed = board.study.policy.fixed_overlap or board.study.policy.min_overlap
    if answering < needed:
        yield Action(
            f"{_count(answering, 'person', 'people')} can answer, but a region needs {needed} opinions.",
            "Add annotators in the set-up.",
            "setup",
        )
    ties = states[RegionState.ADJUDICATION.value]
    if ties and Role.ADJUDICATOR not in active:
        yield Action(
            f"{_count(ties, 'region')} {_verb(ties)} for an adjudicator, and the study has none.",
            "Make somebody experienced an adjudicator in the set-up.",
            "setup",
        )
    elif ties:
        yield Action(
            f"{_count(ties, 'region')} {_verb(ties)} for an adjudicator.",
            "Ask the adjudicators to settle them: they are in their tab Adjudicate.",
            "#work",
        )


def _checks(board: Board) -> Iterator[Action]:
    """People whom checks speak against, and checks that the policy asks for and that can't be made."""
    for one in people.find_drifting(board):
        yield Action(
            f"{one.name} has fallen off since {one.since[:10]}: {one.now:.0%} of checks right, not {one.before:.0%}.",
            "Talk to the person, and look at the guideline together. Until the checks are good again, the answers "
            "weigh less and a further person is asked.",
            "#people",
        )
    for name, test in people.find_standings(board).items():
        if test.state == "failed":
            yield Action(
                f"{name} has not passed the entry test: {test.right} of {test.of} right, {test.needed} are needed.",
                "Allow another try, or let the person work, under Members in the set-up.",
                "setup",
            )
    policy = board.study.policy
    if policy.gold_rate or policy.qualification_regions:
        stock = people.read_gold(board)
        in_queue, in_test = sum(row[1] for row in stock), sum(row[2] for row in stock)
        if policy.gold_rate and not in_queue:
            yield Action("The queue asks gold, and there is none.", "Add some in the set-up.", "setup")
        if in_test < policy.qualification_regions:
            yield Action(
                f"The entry test asks {policy.qualification_regions} regions, and {in_test} are in its set.",
                "Add regions to it in the set-up: until then nobody can begin.",
                "setup",
            )


def _queue(board: Board, states: dict[str, int]) -> Iterator[Action]:
    is_empty = not states[RegionState.QUEUED.value] and not states[RegionState.ADJUDICATION.value]
    if board.study.state == StudyState.RUNNING and is_empty and states[RegionState.POOL.value]:
        yield Action(
            "The queue is empty although regions are left.",
            "A batch is drawn once the slides are read; if none comes, look at the jobs.",
            "#work",
        )
    if board.study.state == StudyState.RUNNING and growth.is_flat(board):
        yield Action(
            "The model has stopped getting better with more labels.",
            "If it is the model that you want, let people finish what they have begun and close the study; look first "
            "whether a class or a domain still lacks labels.",
            "#learning",
        )


def _classes(board: Board) -> Iterator[Action]:
    missing = sorted((one for one in quotas.read(board) if one.missing), key=lambda one: -one.missing)
    for one in missing[:NAMED]:
        yield Action(
            f"{one.name} is {one.missing} below its quota of {one.quota}.",
            "Add slides where it is common, or lower the quota in the set-up.",
            "#classes",
        )
    if len(missing) > NAMED:
        yield Action(
            f"{len(missing) - NAMED} more classes are below their quota.", "See the class balance.", "#classes"
        )


def _definitions(board: Board) -> Iterator[Action]:
    """Classes on which people surely differ: the whole interval lies under the bar."""
    found = agreement.measure(board)
    if "all" not in found:
        return
    names = {one.code: one.name for one in board.reading.classes}
    for code, one in zip(found["codes"], found["all"].per_class, strict=True):
        if one.high < LOW_AGREEMENT:
            yield Action(
                f"People often disagree on {names.get(code, code)}: alpha {one.value:.2f}, at most {one.high:.2f}.",
                "Look at its regions, and make its definition and examples clearer in the set-up.",
                "#agreement",
            )


def _release(board: Board, states: dict[str, int]) -> Iterator[Action]:
    if not states[RegionState.SETTLED.value]:
        return
    found = findings.read_open(board)
    if found.number is None:
        yield Action("The truth has not been checked yet.", "Run a consistency pass.", "passes")
    elif found.state == PassState.FAILED:
        yield Action(f"Pass {found.number} failed.", "See its job for the reason, then run another pass.", "#work")
    elif blockers := found.count(Severity.BLOCKER):
        yield Action(
            f"{_count(blockers, 'blocker')} of pass {found.number} {'is' if blockers == 1 else 'are'} open.",
            "Resolve or waive them, each with a reason.",
            f"pass:{found.number}",
        )
    elif found.state == PassState.DONE and found.position == board.reading.position:
        if not Release.objects.filter(
            consistency_pass__study=board.study, consistency_pass__number=found.number
        ).exists():
            yield Action(f"Pass {found.number} is clean.", "Cut a release from it.", "releases")
    elif found.state == PassState.DONE:
        yield Action(
            f"The truth has moved on since pass {found.number}.",
            "Run another pass before the next release.",
            "passes",
        )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _verb(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _list(names: list[str]) -> str:
    return f"the queue {names[0]}" if len(names) == 1 else f"the queues {', '.join(names[:-1])} and {names[-1]}"
