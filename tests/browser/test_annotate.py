"""Annotate: answers by keys alone, kept whatever happens to lease, session, tab or connection."""

import json
from pathlib import Path

import pytest

from annotation.models import Annotation, Assignment, Draft
from annotation.selectors import queue as queue_reads
from annotation.services import queue
from annotation.states import AnswerKind, AssignmentState
from project.places import var_folder

SHARP = '#viewer[data-state="sharp"]'
MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def begin(page, smear):
    page.goto(smear.url("annotate"))
    return sharp(page)


def sharp(page, after=""):
    """The id of the region that is drawn sharp; waits until it is another one than `after`."""
    page.wait_for_function(
        """(after) => { const seen = document.querySelector('#viewer');
             return seen.dataset.state === 'sharp' && seen.dataset.region && seen.dataset.region !== after; }""",
        arg=after,
    )
    return page.locator(SHARP).get_attribute("data-region")


def all_sent(page, person):
    """Wait until no answer is on its way."""
    page.wait_for_function(
        "() => !Object.keys(localStorage).some((key) => key.startsWith('concord.outbox.') && !JSON.parse(localStorage[key]).refused)"
    )
    assert person


def answers(member):
    rows = Annotation.objects.filter(annotator=member).exclude(kind=AnswerKind.WITHDRAWN).order_by("id")
    return [(row.region.public_id, row.label) for row in rows.select_related("region")]


def test_thirty_regions_by_keys_alone_are_in_the_database_as_typed(smear, page_for, axe, shoot):
    page = page_for(smear.annotator)
    page.goto(smear.url("queue"))
    page.locator("#start").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/annotate/")
    region, typed = sharp(page), []
    axe(page)
    shoot(page, "annotate")
    keyed = [one for one in smear.study.current_protocol.classes.order_by("position") if one.key]
    for number in range(30):
        chosen = keyed[number % len(keyed)]
        typed.append((region, chosen.code))
        page.keyboard.press(f"Digit{chosen.key}" if chosen.key.isdigit() else chosen.key)
        region = sharp(page, after=region)
    all_sent(page, smear.annotator)
    assert answers(smear.annotator) == typed
    assert "Today: 30" in page.locator("#today").inner_text()
    rows = Annotation.objects.filter(annotator=smear.annotator)
    assert all(row.seconds is not None for row in rows)
    report(page)


def report(page):
    """Write down how long it took from a key to the next sharp region."""
    times = sorted(
        page.evaluate("performance.getEntriesByName('concord:next-region').map((one) => one.duration)")
    )
    assert len(times) == 30
    numbers = {"regions": 30, "median_ms": round(times[15], 1), "p95_ms": round(times[28], 1), "worst_ms": round(times[-1], 1)}
    path = Path(var_folder()) / "reports" / "key-to-sharp.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(numbers, indent=1), "utf-8")
    print("From key to next sharp region:", numbers)
