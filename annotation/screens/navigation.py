"""The tabs of a study, by role.

Decides which screens a role is offered; that nobody reaches another one is decided by the screens.
"""

from dataclasses import dataclass

from django.urls import reverse

from annotation.models import Membership
from annotation.states import Role

_WORK = (("queue", "My queue"), ("annotate", "Annotate"), ("gallery", "Gallery"), ("answers", "My answers"))
TABS: dict[str, tuple[tuple[str, str], ...]] = {
    Role.ANNOTATOR: _WORK,
    Role.ADJUDICATOR: (*_WORK[:3], ("adjudicate", "Adjudicate"), _WORK[3]),
    Role.MANAGER: (
        ("dashboard", "Dashboard"),
        ("slides", "Slides"),
        ("protocol", "Protocol"),
        ("passes", "Consistency"),
        ("releases", "Releases"),
        ("timeline", "Timeline"),
        ("setup", "Set-up"),
    ),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One link of a study's navigation."""

    name: str
    label: str
    url: str
    is_current: bool


def tabs(member: Membership, *, path: str) -> list[Tab]:
    """The tabs of `member`; the one whose address begins `path` at its longest is the current one."""
    found = [(name, label, address(name, member)) for name, label in TABS[member.role]]
    fitting = [url for _, _, url in found if path.startswith(url)]
    current = max(fitting, key=len, default="")
    return [Tab(name, label, url, url == current) for name, label, url in found]


def address(name: str, member: Membership) -> str:
    """Where a screen of the member's study is."""
    return reverse(f"screens:{name}", args=[member.study.slug])


def first_screen(member: Membership) -> str:
    """Where a member begins."""
    return address(TABS[member.role][0][0], member)
