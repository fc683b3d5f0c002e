"""Each screen, for each role that has it, in a study where everything has happened and every text is an attack.

No text does anything, nothing leaves the site, nothing is on the console, no WCAG A or AA rule is broken in light or
dark, and nothing hangs over the edge of a page 1280 px wide.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from annotation.screens import urls
from annotation.states import Role
from tests.browser import axe as axe_core
from tests.browser import lived_in, shots

ATTACK = (
    """<img src=x onerror="window.broken=1"><script>window.broken=1</script>"'`${window.broken=1}{{7*7}}</script>"""
)
SCREENS = {
    Role.ANNOTATOR: ("home", "queue", "annotate", "gallery", "answers"),
    Role.ADJUDICATOR: ("home", "queue", "annotate", "gallery", "adjudicate", "answers"),
    Role.MANAGER: (
        "home", "dashboard", "slides", "slide", "history", "setup", "protocol", "passes", "pass", "rules", "releases",
        "release", "timeline", "setup-new",
    ),
}  # fmt: skip

_OVERHANGING = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const over = [...document.body.querySelectorAll('*')]
    .filter((node) => node.getBoundingClientRect().right > innerWidth + 1);
  return over.slice(-3).map((node) => node.outerHTML.slice(0, 160));
}"""


@pytest.fixture
def study(make_smear):
    made = make_smear(**lived_in.POLICY)
    lived_in.fill(made, text=ATTACK)
    lived_in.write_everywhere(made, ATTACK)
    made.manager.user.user_permissions.add(Permission.objects.get(codename="add_study"))
    return made


def test_every_screen_is_looked_at() -> None:
    assert {name for names in SCREENS.values() for name in names} == {pattern.name for pattern in urls.urlpatterns}


@pytest.mark.parametrize("role", SCREENS)
def test_text_does_nothing_and_everybody_can_read_it(page_for, study, guard, role) -> None:
    page = page_for({Role.ANNOTATOR: study.annotator, Role.ADJUDICATOR: study.adjudicator}.get(role, study.manager))
    found: list[str] = []
    for name in SCREENS[role]:
        page.goto(address(name, study))
        shots.wait_ready(page)
        assert page.evaluate("() => window.broken") is None, f"A text ran on {name}."
        if name not in ("home", "setup-new"):
            assert ATTACK[:20] in page.inner_text("body"), f"{name} does not show the study's name as it is."
        found += [f"{name} {text}" for text in axe_core.violations(page)]
        found += [f"{name} console: {text}" for text in guard.take()]
        found += [f"{name} is too wide: {text}" for text in overhanging(page)]
    assert not found, "\n".join(found)


def overhanging(page) -> list[str]:
    """What makes a page scroll sideways."""
    return page.evaluate(_OVERHANGING)


def address(name: str, study) -> str:
    """Where a screen is, for the rows of the study."""
    values = {"slug": study.study.slug, "slide": study.slides[0].public_id, "region": study.regions[0].public_id}
    pattern = next(one for one in urls.urlpatterns if one.name == name)
    wanted = {key: values.get(key, 1) for key in pattern.pattern.converters}
    return reverse(f"screens:{name}", kwargs=wanted)
