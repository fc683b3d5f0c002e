"""The first page: the person's studies, each with the one thing to do next.

Decides the words and where they lead, by role; what is known of a study is read by selectors.home.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from annotation.screens import navigation
from annotation.screens.base import Page
from annotation.selectors import home
from annotation.selectors.studies import ADD_STUDY
from annotation.states import PassState, RegionState, Role, StudyState

_NAMED = 3
_AT_REST = {
    StudyState.DRAFT: "It is not open yet: its manager still sets it up.",
    StudyState.CLOSED: "It is closed: no work is handed out.",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A study on the page: what is known of it in sentences, and what to do next. `done`: (settled, all regions)."""

    desk: home.Desk
    url: str
    facts: list[str]
    action: str
    target: str
    done: tuple[int, int] | None = None


class Home(Page):
    template = "concord/home.html"
    title = "Your studies"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        user = request.user
        desks = home.desks(user)
        return {"cards": [_lay_out(desk) for desk in desks], "may_begin": user.has_perm(ADD_STUDY)}


def _lay_out(desk: home.Desk) -> Card:
    facts, (action, target) = _of_manager(desk) if desk.member.role == Role.MANAGER else _of_worker(desk)
    settled = desk.states.get(RegionState.SETTLED, 0)
    done = (settled, desk.regions) if desk.regions else None
    return Card(desk, navigation.first_screen(desk.member), facts, action, target, done)


def _of_worker(desk: home.Desk) -> tuple[list[str], tuple[str, str]]:
    member = desk.member
    if said := _AT_REST.get(StudyState(member.study.state)):
        return [said], ("See your answers", navigation.address("answers", member))
    facts = [f"{_count(desk.answers_today, 'answer')} given today."]
    if member.role == Role.ADJUDICATOR and desk.waiting:
        facts.append(f"{_count(desk.waiting, 'region')} waiting for an adjudicator.")
        return facts, ("Adjudicate", navigation.address("adjudicate", member))
    begun = desk.holds_lease or desk.answers_today
    return facts, ("Continue labelling" if begun else "Start labelling", navigation.address("annotate", member))


def _of_manager(desk: home.Desk) -> tuple[list[str], tuple[str, str]]:
    facts = [f"{one.said} {one.promised}" for one in desk.unseen[:_NAMED]]
    if desk.waiting:
        facts.append(f"{_count(desk.waiting, 'region')} waiting for an adjudicator.")
    if row := desk.last_pass:
        blockers = row.open_blockers  # type: ignore[attr-defined]
        told = f"{_count(blockers, 'open blocker')}" if row.state == PassState.DONE else row.state
        facts.append(f"Pass {row.number}: {told}.")
    facts.append(f"Release {desk.last_release} is the newest." if desk.last_release else "Nothing released yet.")
    return facts, _next_of_manager(desk)


def _next_of_manager(desk: home.Desk) -> tuple[str, str]:
    member, row = desk.member, desk.last_pass
    if not desk.regions or member.study.state == StudyState.DRAFT:
        return "Go on with the set-up", navigation.address("setup", member)
    if row is not None and row.state == PassState.DONE and not hasattr(row, "release"):
        if blockers := row.open_blockers:  # type: ignore[attr-defined]
            address = reverse("screens:pass", args=[member.study.slug, row.number])
            return f"Decide {_count(blockers, 'blocker')} of pass {row.number}", f"{address}?blocks=true"
        return f"Preview a release of pass {row.number}", f"{navigation.address('releases', member)}?pass={row.number}"
    if desk.states.get(RegionState.SETTLED, 0) >= desk.regions:
        return "Run a consistency pass", navigation.address("passes", member)
    return "See how far it is", navigation.address("dashboard", member)


def _count(many: int, noun: str) -> str:
    return f"{many:,} {noun}{'' if many == 1 else 's'}"
