"""The panels of the dashboard against counted rows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.models import Case, Domain, GroundTruthRevision, ModelVersion, Slide
from annotation.selectors.dashboard import PANELS, Board, Filters, Reading, coverage, find, kept, show
from annotation.states import ModelState, Role
from tests import factories
from tests.annotation.answering import submit


@pytest.fixture(autouse=True)
def nothing_kept():
    kept.counts.forget()


@pytest.fixture
def study(db):
    return factories.study(policy={"min_overlap": 2, "planted_check_rate": 0.0, "default_quota": 4})


def read(study, name, **filters):
    kept.counts.forget()
    return show(find(name), Board(Reading(study), Filters(**filters)))


def rows_of(shown, table):
    found = shown.content.table(table)
    return [dict(zip([column.name for column in found.columns], row, strict=True)) for row in found.rows]


def lab(study, name, **fields):
    domain = Domain.objects.get_or_create(study=study, name=name, defaults={"values": {"lab": name}})[0]
    return factories.slide(study, domain=domain, **fields)


def fill(slide, count):
    found = [factories.region(slide) for _ in range(count)]
    Slide.objects.filter(pk=slide.pk).update(region_count=count)
    return found


def label_all(study, regions, *, people, say, **fields):
    for region in regions:
        factories.pick(region, **fields)
        for person in people:
            submit(person, say(person, region))


@pytest.fixture
def worked(study):
    """Two labs; in the first ten regions with two answers each, seven of which agree."""
    first, second = lab(study, "north"), lab(study, "south")
    regions = fill(first, 12)
    fill(second, 30)
    people = [factories.member(study), factories.member(study)]
    factories.member(study, Role.MANAGER)
    different = {region.pk for region in regions[:3]}

    def say(person, region):
        return "lymphocyte" if region.pk in different and person is people[1] else "neutrophil"

    label_all(study, regions[:10], people=people, say=say, stratum="random", overlap=2)
    return regions, people


def test_every_panel_of_an_empty_study_says_what_to_do(study):
    for name in PANELS:
        shown = read(study, name)
        has_rows = any(table.rows for table in shown.content.tables)
        assert has_rows or shown.content.empty or shown.content.notes, name
        assert len(shown.digest) == 64


def test_progress_counts_regions_by_state_and_sums_to_all(study, worked):
    states = {row["state"]: row["regions"] for row in rows_of(read(study, "progress"), "states")}
    assert states == {
        "Settled": 7, "Collecting opinions": 0, "Waits for an adjudicator": 3, "Excluded": 0,
        "Never queued": 32, "All": 42,
    }  # fmt: skip
    inside = {row["state"]: row["regions"] for row in rows_of(read(study, "progress", domain="south"), "states")}
    assert (inside["Settled"], inside["All"]) == (0, 30)


def test_the_days_end_with_what_is_settled_now(study, worked):
    days = rows_of(read(study, "progress"), "days")
    assert days[-1]["total"] == 7
    assert days[-1]["settled"] == 7


def test_a_forecast_says_that_it_is_too_early(study, worked):
    goals = {row["goal"]: row for row in rows_of(read(study, "progress"), "forecast")}
    assert goals["Every region of the slides"]["remaining"] == 35
    assert goals["Every region of the slides"]["likely"] is None
    assert "Too early" in goals["Every region of the slides"]["says"]
    assert goals["Every region of the slides"]["answers"] is None  # seven settled regions are too few for that, too


def test_a_forecast_gives_a_range_once_work_has_gone_on_for_days(study, worked, settled_by_day):
    settled_by_day(study, worked[0][10], [3, 5, 4, 6, 2, 5, 4])
    goal = rows_of(read(study, "progress"), "forecast")[-1]
    assert goal["earliest"] < goal["latest"]
    assert goal["earliest"] <= goal["likely"] <= goal["latest"]
    assert goal["says"] == "At the rate of the last 7 full days."


@pytest.fixture
def settled_by_day(db):
    """Write settled revisions of the past: their regions are not looked at by the rate."""

    def write(study, region, counts):
        number = 0
        for back, count in enumerate(counts, start=1):
            for _ in range(count):
                number += 1
                GroundTruthRevision.objects.create(
                    study=study, region=region, number=number, is_settled=True, label="neutrophil",
                    method="majority", protocol=study.protocol, created_at=timezone.now() - timedelta(days=back),
                )  # fmt: skip

    return write


def test_throughput_counts_each_person_and_heeds_its_filters(study, worked):
    _, people = worked
    first = people[0].pseudonym
    shown = read(study, "throughput")
    assert {row["annotator"]: row["answers"] for row in rows_of(shown, "people")} == {
        one.pseudonym: 10 for one in people
    }
    today = rows_of(shown, "days")[-1]
    assert (today["answers"], today[first]) == (20, 10)
    assert sum(row["answers"] for row in rows_of(shown, "days")) == 20
    assert [row["annotator"] for row in rows_of(read(study, "throughput", annotator=first), "people")] == [first]
    assert read(study, "throughput", domain="south").content.tables == []
    past = timezone.now().date() - timedelta(days=3)
    assert "Nobody answered" in read(study, "throughput", until=past).content.empty


def test_class_balance_counts_against_the_quota(study, worked):
    found = {row["code"]: row for row in rows_of(read(study, "classes"), "classes")}
    assert (found["neutrophil"]["settled"], found["neutrophil"]["missing"]) == (7, 0)
    assert (found["lymphocyte"]["settled"], found["lymphocyte"]["missing"]) == (0, 4)
    inside = {row["code"]: row for row in rows_of(read(study, "classes", domain="north"), "classes")}
    assert inside["neutrophil"]["settled"] == 7 and inside["neutrophil"]["quota"] is None


def test_coverage_lists_each_domain_with_its_values(study, worked):
    found = {row["domain"]: row for row in rows_of(read(study, "coverage"), "domains")}
    assert (found["north"]["regions"], found["north"]["settled"], found["north"]["waiting"]) == (12, 7, 3)
    assert (found["south"]["regions"], found["south"]["settled"], found["south"]["share"]) == (30, 0, 0.0)
    assert found["north"]["value_0"] == "north"


def test_quality_in_a_domain_is_told_from_a_few_items_of_two_cases_on():
    judged = {"right": 0.8, "low": 0.7, "high": 0.9}
    told = coverage.describe_quality({"items": 12, "cases": 3, **judged})
    assert told == [12, 0.8, 0.7, 0.9]
    for few in ({"items": 9, "cases": 3}, {"items": 40, "cases": 1}):
        assert coverage.describe_quality({**few, **judged}) == [few["items"], None, None, None]
    assert coverage.describe_quality({"items": 30, "right": 24}) == [30, None, None, None]  # as it was once written


def test_agreement_is_that_of_the_fair_regions(study, worked):
    _, people = worked
    shown = read(study, "agreement")
    overall = {row["measure"]: row["value"] for row in rows_of(shown, "overall")}
    assert overall["Same answer"] == pytest.approx(0.7)
    assert [(row["first"], row["second"], row["regions"], row["value"]) for row in rows_of(shown, "pairs")] == [
        (people[0].pseudonym, people[1].pseudonym, 10, 0.7)
    ]
    assert "10 regions" in shown.content.notes[0]
    assert read(study, "agreement", annotator="A3").content.table("pairs").rows == []


def test_agreement_leaves_out_ranked_regions(study):
    people = [factories.member(study), factories.member(study)]
    label_all(study, fill(lab(study, "north"), 8), people=people, say=lambda *_: "neutrophil", stratum="ranked")
    assert "0 regions of the audit sample" in read(study, "agreement").content.empty


def test_an_answer_taken_back_is_no_opinion(study, worked):
    from annotation.models import Assignment
    from annotation.services import queue

    person = worked[1][1]
    last = Assignment.objects.filter(annotator=person, state="submitted").order_by("-pk").first()
    queue.undo(member=person, token=last.token, idempotency_key="undo")
    assert "9 regions" in read(study, "agreement").content.notes[0]
    assert rows_of(read(study, "progress"), "states")[0]["regions"] == 6


def test_the_summary_says_what_to_do_next(study, worked):
    whats = " ".join(row["what"] for row in rows_of(read(study, "summary"), "actions"))
    assert "3 regions wait for an adjudicator, and the study has none." in whats
    assert "Lymphocyte is 4 below its quota of 4." in whats
    assert "The truth has not been checked yet." in whats
    tiles = {row["question"]: row["value"] for row in rows_of(read(study, "summary"), "tiles")}
    assert tiles["How far"] == "7" and tiles["How fair"] == "1 of 2"


@pytest.mark.parametrize(
    ("gate", "value", "meaning"),
    [
        (
            {
                "basis": "audit",
                "candidate": {"macro_f1": 0.8},
                "everywhere": {"drawn": 90, "macro_f1": [0.7, 0.6, 0.78]},
            },
            "0.70",
            "over all regions, 95% from 0.60 to 0.78, by 90 audit items",
        ),
        (
            {"basis": "out-of-fold", "everywhere": {"drawn": 31, "macro_f1": [0.66, 0.5, 0.8]}},
            "0.66",
            "over all regions, 95% from 0.50 to 0.80, by 31 random picks, as audit items were too few",
        ),
        (
            {"basis": "out-of-fold", "everywhere": None},
            "0.55",
            "out of fold, as the audit sample had too few items",
        ),
    ],
)
def test_the_summary_says_what_the_model_is_worth_and_by_what(study, gate, value, meaning):
    training_set = study.training_sets.create(
        digest="t", revision_ids=[], protocol=study.protocol, created_at=timezone.now()
    )
    ModelVersion.objects.create(
        study=study, number=1, digest="m", state=ModelState.ACTIVE, training_set=training_set,
        configuration_digest="c", encoder="colour-texture", encoder_digest="e", class_codes=[],
        numbers={"out_of_fold": {"macro_f1": 0.55}, "gate": gate}, created_at=timezone.now(),
    )  # fmt: skip
    tiles = {row["question"]: row for row in rows_of(read(study, "summary"), "tiles")}
    found = tiles["How good: model"]
    assert (found["value"], found["means"]) == (value, f"macro-F1 of model 1 {meaning}")


def test_a_digest_changes_with_the_content_alone(study, worked):
    before = read(study, "classes")
    assert read(study, "classes").digest == before.digest
    label_all(study, worked[0][10:11], people=worked[1], say=lambda *_: "monocyte", overlap=2)
    assert read(study, "classes").digest != before.digest


def test_what_was_counted_is_shown_for_some_seconds_and_says_as_of_when(study, worked):
    first = read(study, "classes")
    label_all(study, worked[0][10:11], people=worked[1], say=lambda *_: "monocyte", overlap=2)
    reading = Reading(study)
    again = show(find("classes"), Board(reading, Filters()))
    assert again.digest == first.digest and again.as_of < reading.at


def test_counts_are_kept_for_seconds_or_while_nothing_moves_on():
    moments, made = iter(range(0, 1000, 2)), []
    counts = kept.KeptCounts(tell_seconds=lambda: float(next(moments)))

    def make():
        made.append(len(made))
        return made[-1]

    # Each look at the clock is two seconds later, so that making takes two and what is made is fresh for forty.
    assert counts.get("a", make)[0] == counts.get("a", make)[0] == 0
    assert counts.get("a", make, position=7)[0] == 0
    for _ in range(30):
        next(moments)
    assert counts.get("a", make, position=7)[0] == 1
    for _ in range(30):
        next(moments)
    assert counts.get("a", make, position=7)[0] == 1
    assert counts.get("a", make, position=8)[0] == 2


def test_cases_and_audit_are_told_apart_from_other_studies(study, worked):
    other = factories.study()
    assert Case.objects.filter(study=other).count() == 0
    assert read(other, "progress").content.empty
