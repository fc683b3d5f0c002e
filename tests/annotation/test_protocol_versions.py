"""A new version of the classes: what goes on by rule, what is asked again, and what a draft may say."""

import pytest

from annotation import mapping
from annotation.errors import BadInput, ClassesChanged, Conflict, Missing
from annotation.models import (
    Annotation,
    GroundTruthRevision,
    LedgerEntry,
    Pick,
    Protocol,
    Region,
    ReliabilitySnapshot,
    Study,
)
from annotation.selectors import passview
from annotation.selectors import queue as queue_reads
from annotation.services import consensus, ledger, passes, protocols, queue, reviewing, truth
from annotation.services.protocols import MappingPlan
from annotation.states import Method, PickState, RegionState, Stratum
from tests import factories
from tests.annotation.answering import answer
from tests.annotation.protocol_changes import (
    MERGED,
    REDEFINED,
    RENAMED,
    RETIRED,
    SAME,
    SPLIT,
    change,
    classes,
    draft,
    give,
    manager,
    settle,
    study,
)

pytestmark = pytest.mark.django_db
CODES = ("a", "b", "c", "d")
EAGER = {"target_confidence": 0.6, "planted_check_rate": 0.0, "audit_rate": 0.0}


def _people(row: Study, count: int = 2) -> list:
    return [factories.member(row) for _ in range(count)]


def test_a_draft_begins_as_the_version_in_force_and_every_class_as_the_same() -> None:
    row = study(CODES)
    made = protocols.begin_draft(study=row)
    assert made.number == 2 and made.codes == CODES
    assert protocols.class_plans(made) == protocols.class_plans(row.current_protocol)
    kinds = list(made.mappings.order_by("source_code").values_list("source_code", "target_code", "kind"))
    assert kinds == [(code, code, "same") for code in CODES]
    with pytest.raises(Conflict, match="already"):
        protocols.begin_draft(study=row)
    protocols.discard_draft(study=row)
    assert not Protocol.objects.filter(study=row, number=2).exists()
    with pytest.raises(Missing):
        protocols.discard_draft(study=row)


@pytest.mark.parametrize(
    ("codes", "plans", "said"),
    [
        ("ab", [("a", SAME, "a")], "Say what becomes of the class 'b'"),
        ("ab", [("a", SAME, "a"), ("b", SAME, "b"), ("x", RETIRED)], "no class 'x'"),
        ("ab", [("a", SAME, "a"), ("b", SAME, "b"), ("b", SAME, "b")], "mapped 2 times"),
        ("ax", [("a", SAME, "a"), ("b", RENAMED, "y")], "no class of the new version"),
        ("abx", [("a", SAME, "a"), ("b", SPLIT, "b")], "two or more"),
        ("abx", [("a", SAME, "a"), ("b", REDEFINED, "b", "x")], "name the one class"),
        ("ax", [("a", SAME, "a"), ("b", SAME, "x")], "keeps its code"),
        ("ax", [("a", RENAMED, "x"), ("b", RENAMED, "x")], "it is merged"),
        ("ax", [("a", SAME, "a"), ("b", MERGED, "x")], "renamed, not merged"),
        ("ab", [("a", RENAMED, "b"), ("b", RENAMED, "a")], "meant another class before"),
        ("abx", [("a", RENAMED, "b"), ("b", RENAMED, "x")], "meant another class before"),
        ("abx", [("a", SAME, "a"), ("b", RETIRED)], "meant another class before"),
        ("abx", [("a", SAME, "a"), ("b", RETIRED, "a", "x")], "Into several is a split"),
    ],
)
def test_a_mapping_that_does_not_hold_is_refused_and_nothing_is_kept(codes: str, plans: list, said: str) -> None:
    row = study(("a", "b"))
    protocols.begin_draft(study=row)
    every = [MappingPlan(source, kind, tuple(targets)) for source, kind, *targets in plans]
    with pytest.raises(BadInput, match=said):
        protocols.save_draft(study=row, classes=classes(codes), guideline="New", plans=every)
    kept = protocols.draft_of(row)
    assert kept is not None and kept.codes == ("a", "b") and kept.guideline == ""


def test_a_version_says_what_it_changes_before_it_is_published() -> None:
    row = study(CODES)
    protocols.begin_draft(study=row)
    with pytest.raises(BadInput, match="Say what this version changes"):
        protocols.publish_draft(study=row)
    row.refresh_from_db()
    assert row.protocol is not None and row.protocol.number == 1


def test_a_class_whose_words_change_is_redefined_unless_somebody_says_otherwise() -> None:
    row = study(("a", "b"))
    protocols.begin_draft(study=row)
    first, second = classes(("a", "b"))
    changed = type(first)(**{**{k: getattr(first, k) for k in first.__slots__}, "definition": "Something else."})
    made = protocols.save_draft(study=row, classes=[changed, second], guideline="")
    assert dict(made.mappings.values_list("source_code", "kind")) == {"a": "redefined", "b": "same"}
    every = [MappingPlan("a", SAME, ("a",)), MappingPlan("b", SAME, ("b",))]
    protocols.save_draft(study=row, classes=[changed, second], guideline="", plans=every)
    assert "'a' changes" in " ".join(protocols.impact(study=row).notes)


def test_renamed_and_merged_truths_go_on_in_one_entry_with_their_evidence() -> None:
    row = study(CODES, policy=EAGER)
    one, two = _people(row)
    renamed, merged, same = (settle(row, label, one, two) for label in ("a", "b", "d"))
    before = {region.pk: region.current_revision for region in (renamed, merged, same)}
    entries = LedgerEntry.objects.filter(study=row).count()

    row = change(row, ("x", "y", "d"), {"a": (RENAMED, "x"), "b": (MERGED, "y"), "c": (MERGED, "y")})

    for region in (renamed, merged, same):
        region.refresh_from_db()
    assert renamed.current_revision.label == "x" and merged.current_revision.label == "y"
    assert same.current_revision == before[same.pk]
    for region in (renamed, merged):
        old, new = before[region.pk], region.current_revision
        assert (new.number, new.parent, new.method) == (old.number + 1, old, Method.MAPPING)
        assert (new.annotation_ids, new.evidence) == (old.annotation_ids, old.evidence)
        assert region.state == RegionState.SETTLED
    old, new = before[merged.pk].posterior, merged.current_revision.posterior
    assert new["y"] == pytest.approx(old["b"] + old["c"]) and merged.current_revision.confidence == new["y"]
    assert sum(new.values()) == pytest.approx(1.0)
    assert LedgerEntry.objects.filter(study=row).count() == entries + 1
    assert ledger.verify(row).ok
    assert not Pick.objects.filter(study=row, stratum=Stratum.RECHECK).exists()


def test_a_class_that_retires_into_another_goes_on_there_and_one_that_ends_is_asked_again() -> None:
    row = study(CODES, policy=EAGER)
    one, two = _people(row)
    into, ended = settle(row, "a", one, two), settle(row, "b", one, two)
    row = change(row, ("c", "d"), {"a": (RETIRED, "c"), "b": (RETIRED,)})
    into.refresh_from_db()
    ended.refresh_from_db()
    assert into.current_revision.label == "c" and into.state == RegionState.SETTLED
    assert not ended.current_revision.is_settled and ended.state == RegionState.QUEUED
    assert mapping.exact_codes(row)[Protocol.objects.get(study=row, number=1).pk] == {"a": "c", "c": "c", "d": "d"}


def test_a_split_asks_the_audit_sample_first_then_what_was_unsure_and_rare() -> None:
    row = study(CODES, policy=EAGER)
    one, two, three = _people(row, 3)
    sure = [settle(row, "a", one, two, three) for _ in range(2)]
    unsure = settle(row, "a", one, two, three, given=("a", "a", "b"))
    rare = settle(row, "c", one, two, three)
    audit = settle(row, "a", one, two, audit="gate")
    kept = settle(row, "b", one, two)
    row = change(row, ("a1", "a2", "b", "c", "d"), {"a": (SPLIT, "a1", "a2"), "c": (REDEFINED, "c")})
    picks = list(Pick.objects.filter(study=row, stratum=Stratum.RECHECK).order_by("rank"))
    order = [pick.region_id for pick in picks]
    assert order[0] == audit.pk
    assert order[1] == unsure.pk
    assert order[2] == rare.pk
    assert set(order[3:]) == {region.pk for region in sure}
    assert "split into 'a1' and 'a2'" in picks[0].reason and "new definition" in picks[2].reason
    kept.refresh_from_db()
    assert kept.state == RegionState.SETTLED and kept.current_revision.label == "b"
    again = GroundTruthRevision.objects.filter(study=row, is_settled=False)
    assert again.count() == 5 and {revision.method for revision in again} == {Method.MAPPING}
    assert ledger.verify(row).ok


def test_what_is_asked_again_is_answered_by_the_same_people_and_settles_under_the_new_classes() -> None:
    row = study(("a", "b"), policy=EAGER)
    one, two = _people(row)
    region = settle(row, "a", one, two)
    row = change(row, ("a1", "a2", "b"), {"a": (SPLIT, "a1", "a2")})
    for person in (one, two):
        give(person, "a2", region)
    region.refresh_from_db()
    assert region.state == RegionState.SETTLED
    assert (region.current_revision.label, region.current_revision.protocol.number) == ("a2", 2)
    assert Annotation.objects.filter(region=region).count() == 4
    assert ledger.verify(row).ok


def test_the_impact_counts_what_publishing_then_does() -> None:
    row = study(CODES, policy=EAGER)
    one, two, three = _people(row, 3)
    for label in ("a", "a", "b", "c"):
        settle(row, label, one, two)
    settle(row, "a", one, two, audit="gate")
    begun = settle(row, "a", one)
    Pick.objects.filter(region=begun).update(slots_open=1, slots_granted=2)
    Region.objects.filter(pk=begun.pk).update(state=RegionState.QUEUED)
    waiting = factories.region(factories.slide(row))
    factories.pick(waiting)
    draft(row, ("a1", "a2", "y", "d"), {"a": (SPLIT, "a1", "a2"), "b": (MERGED, "y"), "c": (MERGED, "y")})
    told = protocols.impact(study=row)
    before = GroundTruthRevision.objects.filter(study=row).count()

    protocols.publish_draft(study=row, member=manager(row))

    queued = Pick.objects.filter(study=row, stratum=Stratum.RECHECK)
    assert told.queued == queued.count() and told.queued_audit == 1
    assert told.opinions == sum(queued.values_list("slots_open", flat=True))
    written = GroundTruthRevision.objects.filter(study=row).count() - before
    assert written == told.rewritten + told.queued_settled == 2 + told.truths[1]
    assert sum(told.truths) == 5 + (1 if begun.current_revision_id else 0)
    assert sum(told.answers) == Annotation.objects.filter(study=row).count()
    assert {one.source: one.answers for one in told.classes} == {"a": 7, "b": 2, "c": 2, "d": 0}
    waiting.refresh_from_db()
    assert told.withdrawn_picks == 1 and waiting.state == RegionState.POOL
    assert three.pseudonym  # nobody else was asked


def test_an_opinion_that_no_longer_holds_is_asked_for_again_while_a_region_collects() -> None:
    row = study(("a", "b"), policy={**EAGER, "min_overlap": 2})
    one, two = _people(row)
    on = factories.region(factories.slide(row))
    old = factories.pick(on, slots=2)
    give(one, "a", on)
    row = change(row, ("a1", "a2", "b"), {"a": (SPLIT, "a1", "a2")})
    old.refresh_from_db()
    assert old.state == PickState.SUPERSEDED
    give(one, "a1", on)
    give(two, "a1", on)
    on.refresh_from_db()
    assert on.state == RegionState.SETTLED and on.current_revision.label == "a1"
    assert ledger.verify(row).ok


def test_reliability_is_not_forgotten_where_classes_go_on() -> None:
    row = study(("a", "b", "c"), policy=EAGER)
    one, two = _people(row)
    for label in ("a", "b", "c", "a", "b"):
        settle(row, label, one, two)
    old = consensus.refit(study=row)
    assert old is not None
    row = change(row, ("x", "y", "c1", "c2"), {"a": (RENAMED, "x"), "b": (RENAMED, "y"), "c": (SPLIT, "c1", "c2")})
    new = truth.latest_snapshot(row)
    assert isinstance(new, ReliabilitySnapshot) and new.number == old.number + 1
    assert new.class_codes == ["x", "y", "c1", "c2"]
    mine, before = new.confusion[one.pseudonym], old.confusion[one.pseudonym]
    assert mine[0][0] == pytest.approx(before[0][0]) and mine[1][1] == pytest.approx(before[1][1])
    assert mine[0][2] == mine[0][3] == pytest.approx(before[0][2] / 2)
    assert all(sum(line) == pytest.approx(1.0) for line in mine)
    assert sum(new.prior) == pytest.approx(1.0)
    assert new.reliability[one.pseudonym]["mean"][:2] == pytest.approx(old.reliability[one.pseudonym]["mean"][:2])


def test_an_answer_taken_back_after_a_rename_opens_the_region_again() -> None:
    row = study(("a", "b"), policy=EAGER)
    one, two = _people(row)
    region = settle(row, "a", one, two)
    token = Annotation.objects.filter(annotator=two).get().assignment.token
    row = change(row, ("x", "b"), {"a": (RENAMED, "x")})
    lease = queue.undo(member=two, token=token, idempotency_key="back")
    region.refresh_from_db()
    assert not region.current_revision.is_settled
    assert lease.entered["answer"]["label"] == "x"
    queue.submit(member=two, token=lease.token, answer=answer("x"), idempotency_key="again")
    region.refresh_from_db()
    assert region.current_revision.is_settled and region.current_revision.label == "x"
    assert ledger.verify(row).ok


def test_an_older_revision_is_restored_under_its_name_of_today_and_refused_where_it_has_none() -> None:
    row = study(("a", "b", "c"), policy=EAGER)
    one, two = _people(row)
    renamed, split = settle(row, "a", one, two), settle(row, "b", one, two)
    row = change(row, ("x", "b1", "b2", "c"), {"a": (RENAMED, "x"), "b": (SPLIT, "b1", "b2")})
    boss = manager(row)
    truth.decide(region=renamed, member=boss, answer=answer("c"), reason="Looked again.")
    made = reviewing.restore(region=renamed, member=boss, number=1, reason="It was right.")
    assert (made.label, made.protocol.number) == ("x", 2)
    with pytest.raises(BadInput, match="no exact successor"):
        reviewing.restore(region=split, member=boss, number=1, reason="It was right.")


def test_versions_follow_each_other_and_every_answer_finds_its_class_of_today() -> None:
    row = study(("a", "b", "c"), policy=EAGER)
    one, two = _people(row)
    first = settle(row, "a", one, two)
    row = change(row, ("x", "b", "c"), {"a": (RENAMED, "x")})
    second = settle(row, "x", one, two)
    row = change(row, ("y", "c"), {"x": (MERGED, "y"), "b": (MERGED, "y")})
    table = {Protocol.objects.get(pk=pk).number: codes for pk, codes in mapping.exact_codes(row).items()}
    assert table[1] == {"a": "y", "b": "y", "c": "c"} and table[2] == {"x": "y", "b": "y", "c": "c"}
    for region in (first, second):
        region.refresh_from_db()
        assert region.current_revision.label == "y"
    row = change(row, ("y1", "y2", "c"), {"y": (SPLIT, "y1", "y2")})
    assert {pick.region_id for pick in Pick.objects.filter(study=row, stratum=Stratum.RECHECK)} == {
        first.pk,
        second.pk,
    }
    assert ledger.verify(row).ok


def test_an_answer_in_the_old_classes_is_recorded_under_them_where_its_class_goes_on() -> None:
    row = study(("a", "b"), policy={**EAGER, "min_overlap": 1, "fixed_overlap": 1})
    (one,) = _people(row, 1)
    region = factories.region(factories.slide(row))
    factories.pick(region, slots=1)
    lease = queue.claim(member=one)
    assert lease is not None
    row = change(row, ("x", "b"), {"a": (RENAMED, "x")})
    given = queue.submit(member=one, token=lease.token, answer=answer("a"), idempotency_key="k")
    region.refresh_from_db()
    assert (given.label, given.protocol.number) == ("a", 1)
    assert (region.current_revision.label, region.current_revision.protocol.number) == ("x", 2)
    assert ledger.verify(row).ok


def test_an_answer_whose_class_has_ended_is_refused_kept_and_given_again_under_the_same_lease() -> None:
    row = study(("a", "b"), policy={**EAGER, "min_overlap": 1, "fixed_overlap": 1})
    (one,) = _people(row, 1)
    region = factories.region(factories.slide(row))
    factories.pick(region, slots=1)
    lease = queue.claim(member=one)
    assert lease is not None
    row = change(row, ("a1", "a2", "b"), {"a": (SPLIT, "a1", "a2")})
    with pytest.raises(ClassesChanged, match="version 2") as caught:
        queue.submit(
            member=one, token=lease.token, answer=answer("a"), idempotency_key="k", comment="Dark.", protocol=1
        )
    assert caught.value.details["protocol"] == 2
    assert not Annotation.objects.filter(study=row).exists()
    again = queue.claim(member=one)
    assert again is not None and again.token == lease.token
    shown = queue_reads.show(again)
    assert shown.entered is not None and (shown.entered["answer"], shown.entered["comment"]) == (None, "Dark.")
    with pytest.raises(BadInput, match="Unknown class 'a1'"):
        queue.submit(member=one, token=lease.token, answer=answer("a1"), idempotency_key="k", protocol=1)
    with pytest.raises(BadInput, match="no published version 3"):
        queue.submit(member=one, token=lease.token, answer=answer("a1"), idempotency_key="k", protocol=3)
    given = queue.submit(member=one, token=lease.token, answer=answer("a1"), idempotency_key="k", protocol=2)
    assert given.protocol.number == 2


@pytest.mark.parametrize("shows", [True, False])
def test_people_see_their_own_old_answer_and_only_where_the_study_shows_it(shows: bool) -> None:
    row = study(("a", "b"), policy={**EAGER, "show_old_answer": shows})
    one, two, three = _people(row, 3)
    region = settle(row, "a", one, two)
    change(row, ("a1", "a2", "b"), {"a": (SPLIT, "a1", "a2")})
    leases = {person: queue.claim(member=person) for person in (one, three)}
    assert {lease.region_id for lease in leases.values() if lease} == {region.pk}
    mine, theirs = (queue_reads.show(lease) for lease in leases.values() if lease)
    assert mine.before == ({"label": "a", "name": "A", "protocol": 1} if shows else None)
    assert theirs.before is None


def test_a_suggestion_is_shown_in_the_classes_of_today_or_not_at_all() -> None:
    row = study(("a", "b", "c"), policy={**EAGER, "show_suggestions": True, "suggestion_control_share": 0.0})
    people = _people(row, 2)
    for place, predicted in enumerate(("a", "b", "a", "b")):
        region = factories.region(factories.slide(row))
        factories.pick(region, slots=1, rank=place, has_begun=True, parts={"predicted": predicted})
    held = [queue.claim(member=person) for person in people]
    change(row, ("x", "b1", "b2", "c"), {"a": (RENAMED, "x"), "b": (SPLIT, "b1", "b2")})
    shown = [queue_reads.show(queue.claim(member=person)).suggestion for person in people]
    assert [lease.suggestion for lease in held if lease] == ["a", "b"] and shown == ["x", ""]
    for person, lease in zip(people, held, strict=True):
        assert lease is not None
        queue.release(member=person, token=lease.token)
    fresh = [queue_reads.show(queue.claim(member=person)).suggestion for person in people]
    assert fresh == ["x", ""]


def test_a_pass_asks_a_truth_that_was_carried_over_what_it_would_have_asked_before() -> None:
    row = study(CODES, policy=EAGER)
    one, two = _people(row)
    settle(row, "a", one, two)
    decided = settle(row, "b", one, two)
    truth.decide(region=decided, member=manager(row), answer=answer("b"), reason="Seen by a manager.")
    split = settle(row, "c", one, two)
    row = change(row, ("x", "y", "c1", "c2", "d"), {"a": (RENAMED, "x"), "b": (RENAMED, "y"), "c": (SPLIT, "c1", "c2")})
    made = passes.execute(passes.start(study=row))
    reading = passview.read(made)
    methods = {item.label: item.method for item in reading.view.items}
    assert methods == {"x": "dawid-skene", "y": "consistency"}
    assert [(one.region, one.why) for one in reading.view.waiting] == [(split.public_id, "recheck")]
