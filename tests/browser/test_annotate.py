"""Annotate: answers by keys alone, kept whatever happens to lease, session, tab or connection."""

import json
import time
from datetime import timedelta

from django.contrib.sessions.models import Session

from annotation import clock
from annotation.models import Annotation, Assignment, ClassExample, Draft, LabelClass, Pick
from annotation.services import picks, queue
from annotation.states import AnswerKind, AssignmentState
from project.places import var_folder

MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
DRAWN = """(after) => { const seen = document.querySelector('#viewer').dataset;
  return seen.state === 'sharp' && seen.region && seen.region !== after; }"""
UNSENT = """() => !Object.keys(localStorage).some((key) => key.startsWith('concord.outbox.')
  && !JSON.parse(localStorage[key]).refused)"""


def begin(page, smear):
    """Open Annotate; the id of the first region, once it is drawn sharp."""
    page.goto(smear.url("annotate"))
    return sharp(page)


def sharp(page, after=""):
    """The id of the region that is drawn sharp; waits until it is another one than `after`."""
    page.wait_for_function(DRAWN, arg=after)
    return page.locator("#viewer").get_attribute("data-region")


def press_class(page, smear, place):
    """Press the digit of the class at this place; returns its code."""
    page.keyboard.press(f"Digit{place + 1}")
    return smear.codes[place]


def wait_until_sent(page):
    page.wait_for_function(UNSENT)


def wait_until_saved(page):
    page.locator('#saved[data-state="saved"]', has_text="Saved").wait_for()


def answers(member):
    """(region, class) of the member's answers in the order of giving."""
    rows = Annotation.objects.filter(annotator=member).exclude(kind=AnswerKind.WITHDRAWN).order_by("id")
    return [(row.region.public_id, row.label) for row in rows.select_related("region")]


def end_leases(member):
    """The time of all the member's leases runs out, and the sweep sees it."""
    held = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED)
    held.update(expires_at=clock.now() - timedelta(seconds=1))
    queue.expire()


def test_thirty_regions_by_keys_alone_are_in_the_database_as_typed(smear, page_for, axe, shoot):
    page = page_for(smear.annotator)
    page.goto(smear.url("queue"))
    page.locator("#start").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/annotate/")
    region, typed = sharp(page), []
    axe(page)
    shoot(page, "annotate")
    for number in range(30):
        page.locator('#viewer:not([data-ready="0"])').wait_for()
        typed.append((region, press_class(page, smear, number % 9)))
        region = sharp(page, after=region)
    wait_until_sent(page)
    assert answers(smear.annotator) == typed
    assert "Today: 30" in page.locator("#today").inner_text()
    assert not Annotation.objects.filter(annotator=smear.annotator, seconds=None).exists()
    report(page)


def report(page):
    """Write down how long it took from a key to the next sharp region."""
    times = page.evaluate("performance.getEntriesByName('concord:next-region').map((one) => one.duration)")
    assert len(times) == 30
    times = [round(one, 1) for one in sorted(times)]
    numbers = {"regions": 30, "median_ms": times[15], "p95_ms": times[28], "worst_ms": times[29]}
    path = var_folder() / "reports" / "key-to-sharp.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(numbers, indent=1), "utf-8")
    print("From key to next sharp region:", numbers)


def test_region_that_is_slow_to_load_is_shown_though_others_arrive_meanwhile(smear, page_for):
    page = page_for(smear.annotator)
    offered, pictures, claims = [], [], []

    def hold_picture_of_third(route):
        if offered[2] in route.request.url:
            pictures.append(route)
        else:
            route.continue_()

    def hold_second_claim(route):
        if offered:
            claims.append(route)
            return
        response = route.fetch()
        offered.extend(lease["region"]["id"] for lease in response.json()["leases"])
        route.fulfill(response=response)

    page.route("**/image.jpg?*", hold_picture_of_third)
    page.route("**/queue/claim/", hold_second_claim)
    first = begin(page, smear)
    press_class(page, smear, 0)
    assert sharp(page, after=first) == offered[1]
    while not claims:
        page.wait_for_timeout(20)
    press_class(page, smear, 1)
    page.locator('#viewer[data-state="loading"]').wait_for()
    with page.expect_response("**/queue/claim/"):
        claims.pop().continue_()
    page.wait_for_timeout(200)
    for route in pictures:
        route.continue_()
    assert sharp(page, after=offered[1]) == offered[2]


def test_undo_skip_comment_and_flag_by_keys_and_a_reload_keeps_what_was_typed(smear, page_for, axe):
    page = page_for(smear.annotator)
    first = begin(page, smear)
    wrong = press_class(page, smear, 0)
    second = sharp(page, after=first)
    page.keyboard.press("Control+z")
    assert sharp(page, after=second) == first
    assert wrong.split("-")[0] in page.locator("#offer").inner_text().lower()
    right = press_class(page, smear, 1)
    assert sharp(page, after=first) == second

    page.keyboard.press("Control+Space")
    page.get_by_role("dialog").wait_for()
    axe(page)
    page.keyboard.press("Digit2")
    third = sharp(page, after=second)
    skipped = Assignment.objects.get(annotator=smear.annotator, state=AssignmentState.SKIPPED)
    assert (skipped.region.public_id, skipped.skip_reason) == (second, "Artefact, dirt or stain")

    page.keyboard.press("c")
    page.keyboard.type(f"1 lobe {MARKUP}")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    wait_until_saved(page)
    page.reload()
    assert sharp(page) == third
    assert page.locator("#comment").input_value() == f"1 lobe {MARKUP}"
    assert page.locator("#flag").get_attribute("aria-pressed") == "true"
    last = press_class(page, smear, 2)
    sharp(page, after=third)
    wait_until_sent(page)
    assert answers(smear.annotator) == [(first, wrong), (first, right), (third, last)]
    row = Annotation.objects.get(annotator=smear.annotator, region__public_id=third)
    assert (row.personal_text.text, row.is_flagged) == (f"1 lobe {MARKUP}", True)
    assert page.title() != "owned"


def test_second_tab_on_one_lease_is_told_that_the_first_answer_stands(smear, page_for, guard):
    guard.expect(409, "queue/submit/")
    guard.expect(409, "queue/draft/")
    one, two = page_for(smear.annotator), page_for(smear.annotator)
    region = begin(one, smear)
    assert begin(two, smear) == region
    one.locator("#comment").fill("from the first tab")
    wait_until_saved(one)
    two.locator("#comment").fill("from the second tab")
    two.get_by_role("button", name="Keep what is here").click()
    wait_until_saved(two)
    chosen = press_class_outside(one, smear, 0)
    sharp(one, after=region)
    wait_until_sent(one)
    other = press_class_outside(two, smear, 1)
    two.locator("#tray").wait_for()
    assert "answered this region already" in two.locator("#tray").inner_text()
    assert answers(smear.annotator) == [(region, chosen)]
    kept = Draft.objects.get(assignment__region__public_id=region).content
    assert (kept["answer"]["label"], kept["comment"]) == (other, "from the second tab")
    sharp(two, after=region)


def press_class_outside(page, smear, place):
    """Leave the comment field, then answer."""
    page.keyboard.press("Escape")
    page.locator("#comment").evaluate("(field) => field.blur()")
    return press_class(page, smear, place)


def test_lease_lost_while_working_keeps_what_was_entered_for_when_the_region_comes_back(
    smear, page_for, guard, axe, shoot
):
    guard.expect(409, "queue/submit/")
    Pick.objects.exclude(pk=Pick.objects.order_by("rank").first().pk).delete()
    page = page_for(smear.annotator)
    region = begin(page, smear)
    page.keyboard.press("c")
    page.keyboard.type("torn")
    page.keyboard.press("Escape")
    wait_until_saved(page)
    end_leases(smear.annotator)
    chosen = press_class(page, smear, 3)
    page.locator("#tray").wait_for()
    assert "kept among the drafts" in page.locator("#tray").inner_text()
    axe(page)
    shoot(page, "annotate-not-accepted")
    assert not answers(smear.annotator)

    assert sharp(page) == region, "it comes back to the same person"
    page.locator("#offer").wait_for()
    assert page.locator("#comment").input_value() == "torn"
    page.keyboard.press("Enter")
    page.locator("#nothing", has_text="answered everything").wait_for()
    assert page.locator("#tray").is_hidden()
    assert answers(smear.annotator) == [(region, chosen)]
    assert Annotation.objects.get().personal_text.text == "torn"


def test_answer_turned_away_after_its_region_came_back_is_offered_there(smear, page_for, guard):
    guard.expect(409, "queue/submit/")
    Pick.objects.exclude(pk=Pick.objects.order_by("rank").first().pk).delete()
    page = page_for(smear.annotator)
    region = begin(page, smear)
    page.keyboard.press("f")
    wait_until_saved(page)
    end_leases(smear.annotator)
    held = []
    page.route("**/queue/submit/", lambda route, _: held.append(route))
    with page.expect_response("**/queue/claim/") as claimed:
        chosen = press_class(page, smear, 3)
    assert claimed.value.json()["leases"][0]["entered"]["answer"] is None
    page.locator('#viewer[data-state="sharp"]').wait_for()
    assert page.locator("#offer").is_hidden()
    held.pop().continue_()
    page.unroute("**/queue/submit/")
    page.locator("#offer", has_text="You entered this before").wait_for()
    assert page.locator("#flag").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Enter")
    page.locator("#nothing", has_text="answered everything").wait_for()
    assert answers(smear.annotator) == [(region, chosen)]


def test_session_that_ends_while_labelling_loses_nothing(smear, page_for, sign_in, guard):
    guard.expect(401, "/api/")
    page = page_for(smear.annotator)
    region = begin(page, smear)
    page.locator('#viewer:not([data-ready="0"])').wait_for()
    typed = [(region, press_class(page, smear, 0))]
    region = sharp(page, after=region)
    wait_until_sent(page)
    Session.objects.all().delete()
    typed.append((region, press_class(page, smear, 1)))
    dialog = page.get_by_role("dialog", name="Sign in again")
    dialog.wait_for()
    region = sharp(page, after=region)
    assert answers(smear.annotator) == typed[:1]
    sign_in(page, smear.annotator)
    page.get_by_role("button", name="I have signed in: go on").click()
    dialog.wait_for(state="detached")
    wait_until_sent(page)
    typed.append((region, press_class(page, smear, 2)))
    sharp(page, after=region)
    wait_until_sent(page)
    assert answers(smear.annotator) == typed


def test_tab_of_one_person_waits_while_another_is_signed_in(smear, page_for, sign_in, guard):
    guard.expect(403, "/api/")
    page = page_for(smear.annotator)
    region = begin(page, smear)
    page.locator('#viewer:not([data-ready="0"])').wait_for()
    sign_in(page, smear.colleague)
    chosen = press_class(page, smear, 0)
    page.get_by_text("opened by another person").first.wait_for()
    assert not answers(smear.colleague) and not answers(smear.annotator)
    assert not Assignment.objects.filter(annotator=smear.colleague).exists()
    sign_in(page, smear.annotator)
    wait_until_sent(page)
    assert answers(smear.annotator) == [(region, chosen)]


def test_answers_given_without_a_connection_outlive_a_reload_and_count_once(smear, page_for, guard):
    guard.allow_offline()
    page = page_for(smear.annotator)
    region, typed = begin(page, smear), []
    page.locator('#viewer[data-ready="3"]').wait_for()
    page.context.set_offline(True)
    for place in range(2):
        typed.append((region, press_class(page, smear, place)))
        region = sharp(page, after=region)
    page.locator('#sending[data-state="problem"]').wait_for()
    assert "kept here until they are sent" in page.locator("#sending").inner_text()
    page.context.set_offline(False)
    page.reload()
    sharp(page)
    wait_until_sent(page)
    assert answers(smear.annotator) == typed


def test_guideline_suggestion_and_note_are_one_key_away_and_markup_does_nothing(make_smear, page_for, axe, shoot):
    smear = make_smear(show_suggestions=True, suggestion_control_share=0.0, fixed_overlap=2)
    cls = smear.study.current_protocol.classes.get(code=smear.codes[0])
    LabelClass.objects.filter(pk=cls.pk).update(name=f"Neutrophil {MARKUP}", definition=f"Lobed nucleus. {MARKUP}")
    ClassExample.objects.create(label_class=cls, region=smear.regions[-1], caption=f"three lobes {MARKUP}")
    Pick.objects.update(parts={"predicted": smear.codes[0]})
    mine = smear.answer(smear.annotator)
    held = queue.claim(member=smear.colleague)
    while held.region_id != mine.region_id:
        queue.skip(member=smear.colleague, token=held.token, reason="not this one")
        held = queue.claim(member=smear.colleague)
    smear.answer(smear.colleague)
    batch = picks.recheck(study=smear.study, regions=[mine.region], reason="in doubt")
    Pick.objects.filter(batch=batch).update(note=f"Look at the granules. {MARKUP}")

    page = page_for(smear.annotator)
    assert begin(page, smear) == mine.region.public_id, "what was sent back comes first"
    assert f"Look at the granules. {MARKUP}" in page.locator("#note").inner_text()
    press_class(page, smear, 1)
    region = sharp(page, after=mine.region.public_id)
    page.keyboard.press("t")
    page.locator("#guide img").wait_for()
    assert f"three lobes {MARKUP}" in page.locator("#guide").inner_text()
    axe(page)
    shoot(page, "annotate-guideline")
    page.keyboard.press("Escape")
    assert page.locator("#guide").is_hidden()
    assert "Suggested" in page.locator("#offer").inner_text()
    page.keyboard.press("Enter")
    sharp(page, after=region)
    wait_until_sent(page)
    assert answers(smear.annotator)[-1] == (region, smear.codes[0])
    assert Annotation.objects.latest("id").suggestion == smear.codes[0]
    assert page.title() != "owned"


def test_view_keys_change_the_picture_and_answer_nothing(smear, page_for):
    page = page_for(smear.annotator)
    region = begin(page, smear)
    scale = page.locator(".region-scale")
    at_home = scale.inner_text()
    seen = [at_home]
    for key in ("z", "+", "-", "z", "ArrowLeft", "+"):
        page.keyboard.press(key)
        if key != "ArrowLeft":
            page.wait_for_function("(last) => document.querySelector('.region-scale').innerText !== last", arg=seen[-1])
        seen.append(scale.inner_text())
    page.keyboard.press("Home")
    page.wait_for_function("(home) => document.querySelector('.region-scale').innerText === home", arg=at_home)
    page.keyboard.press("]")
    page.keyboard.press("}")
    filters = "() => document.querySelector('#viewer canvas').style.filter"
    assert page.evaluate(filters) == "brightness(110%) contrast(110%)"
    page.reload()
    assert sharp(page) == region
    assert page.evaluate(filters) == "brightness(110%) contrast(110%)", "kept in this browser"
    page.keyboard.press("\\")
    assert page.evaluate(filters) == ""
    assert not answers(smear.annotator)


def test_only_real_input_renews_leases_and_leaving_gives_back_what_was_claimed_ahead(smear, page_for):
    page = page_for(smear.annotator)
    page.clock.install()
    region = begin(page, smear)
    page.locator('#viewer[data-ready="3"]').wait_for()
    before = leased(smear.annotator)
    assert len(before) == 4
    renewals = []
    page.on("request", lambda request: renewals.append(request.url) if "/renew/" in request.url else None)
    page.clock.fast_forward("05:00")
    assert "Kept for you: 10 min" in page.locator("#lease").inner_text()
    assert not renewals and leased(smear.annotator) == before
    with page.expect_response("**/queue/renew/"):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    after = leased(smear.annotator)
    assert after.keys() == before.keys() and all(after[one] > before[one] for one in before)
    assert len(renewals) == 1, "not for each key"
    page.goto(smear.url("queue"))
    # The page that sent it is gone: only the rows tell.
    wait_until(lambda: list(leased(smear.annotator)) == [region])


def wait_until(holds, seconds=15):
    """Wait for rows to change."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "It did not come to hold."
        time.sleep(0.05)


def leased(member):
    """Region to the end of its lease, for all that the member holds."""
    held = Assignment.objects.filter(annotator=member, state=AssignmentState.LEASED)
    return dict(held.values_list("region__public_id", "expires_at"))
