"""A study with every violation that a rule of pure logic looks for, beside decoys that only look like one.

Decides what is planted, and with it what a pass must find: no more and no less. All of it goes through the real rows
and the ledger; how the pass sees it, it refuses to know.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from typing import Any

from django.db import transaction

from annotation import clock
from annotation.models import (
    Assignment,
    ConsistencyPass,
    Domain,
    Gold,
    KnownTruth,
    LabelClass,
    Membership,
    Region,
    ReleaseItem,
    Slide,
    Study,
)
from annotation.services import fixes, ledger, passes, picks, queue, releases, truth
from annotation.states import AssignmentKind, Method, Role
from tests import factories
from tests.annotation.consistency_studies import answer_all

Key = tuple[str, str, str]
OLD = ("neutrophil", "lymphocyte", "monocyte", "band", "eosinophil", "basophil", "mono")
TODAY = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
LABELS = ("neutrophil", "lymphocyte", "monocyte")
EDGE, COLUMNS, ROWS = 64, 60, 40
SLIDES, DOMAINS, GOLDS, REPEATS = 12, 3, 12, 8
RULE_VALUES = {
    "class-share": {"least": {"eosinophil": 0.2}, "most": {"neutrophil": 0.05}, "difference": 0.3},
    "domain-quota": {"share": 0.05, "regions": {"eosinophil": 5}},
    "repeat-contradictions": {"repeats": REPEATS},
    "size-limits": {"least": 16.0, "most": 16.0},
}


@dataclass
class Planted:
    """The study, and rule -> what a pass must find of it, as (region, counterpart, subject)."""

    study: Study
    manager: Membership
    people: list[Membership]
    expected: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))

    def expect(self, rule: str, *regions: Region, subject: str = "") -> None:
        """Two regions are a pair, named in the order of their names."""
        first, other = [*sorted(region.public_id for region in regions), "", ""][:2]
        self.expected[rule].add((first, other, subject))


def plant(*, regions: int, each: int) -> Planted:
    """A study of about `regions` settled regions, with `each` violations of every rule about regions."""
    study = factories.study(codes=OLD, policy={"consensus": "majority", "target_confidence": 0.6})
    study.policy_values["planted_check_rate"] = 0.0
    study.save()
    planted = Planted(study, factories.member(study, Role.MANAGER), [factories.member(study) for _ in range(3)])
    _leak_a_case(planted)
    pools = _lay_out(planted, regions=regions)
    settle(planted, [(region, "band") for region in take(pools[0], each)], rule="stale-protocol")
    settle(planted, [(region, "mono") for region in take(pools[0], each)])  # renamed since: no violation
    _publish(study)
    _answer(planted, pools, each=each)
    _settle_all(planted, pools)
    for spoil in (_spoil_pixels, _spoil_places, _spoil_gold, _spoil_rows):
        spoil(planted, each)
    _want(planted)
    return planted


def score(planted: Planted, row: ConsistencyPass) -> dict[str, dict[str, float]]:
    """Rule -> precision, recall and counts over what the pass found."""
    found: dict[str, set[Key]] = defaultdict(set)
    rows = row.findings.select_related("region", "counterpart")
    for one in rows:
        pair = [place.public_id if place else "" for place in (one.region, one.counterpart)]
        found[one.rule].add((pair[0], pair[1], one.subject))
    table = {}
    for rule in sorted(planted.expected.keys() | found.keys()):
        wanted, got = planted.expected[rule], found[rule]
        right = len(wanted & got)
        table[rule] = {
            "planted": len(wanted),
            "found": len(got),
            "precision": right / len(got) if got else 0.0,
            "recall": right / len(wanted) if wanted else 0.0,
        }
    return table


def run_pass(planted: Planted) -> ConsistencyPass:
    """A pass over the study, run here."""
    return passes.execute(passes.start(study=planted.study, member=planted.manager))


def settle_many(count: int, *, at_once: int) -> tuple[Study, Membership]:
    """A study of `count` regions without violations, settled by its manager `at_once` with an entry each."""
    study = factories.study(codes=LABELS)
    planted = Planted(study, factories.member(study, Role.MANAGER), [])
    labels = cycle(LABELS)
    for number in range(-(-count // (COLUMNS * ROWS))):
        slide = _slide(study, f"case-{number}", f"lab-{number % DOMAINS}")
        rows = _tile(slide, count=min(COLUMNS * ROWS, count - number * COLUMNS * ROWS))
        for start in range(0, len(rows), at_once):
            settle(planted, [(region, next(labels)) for region in rows[start : start + at_once]])
    return study, planted.manager


def answer_many(count: int, *, people: int) -> ConsistencyPass:
    """A pass over a study of `count` regions (at most a slide's) that so many people have answered, all the same."""
    study = factories.study(codes=LABELS, policy={"min_overlap": people, "max_overlap": people})
    for region, label in zip(_tile(_slide(study, "case", "lab"), count=count), cycle(LABELS), strict=False):
        KnownTruth.objects.create(region=region, label=label)
        factories.pick(region, slots=people)
    for _ in range(people):
        answer_all(factories.member(study))
    return run_pass(Planted(study, factories.member(study, Role.MANAGER), []))


def take(pool: Iterator[Region], count: int) -> list[Region]:
    return [next(pool) for _ in range(count)]


def settle(planted: Planted, labelled: Iterable[tuple[Region, str]], *, rule: str = "") -> None:
    """The manager's word for many regions, as one entry."""
    rows = list(labelled)
    for region, _ in rows if rule else ():
        planted.expect(rule, region)
    words = [fixes.Word(region, "Known.", {"kind": "class", "label": label}) for region, label in rows]
    at = clock.now()
    with transaction.atomic():
        contents = fixes.write_words(words, study=planted.study, member=planted.manager, at=at)
        ledger.append(study=planted.study, kind="fix", payload={"rows": contents}, at=at)


def _leak_a_case(planted: Planted) -> None:
    """Two cases that an earlier release put into different splits turn out to be one patient."""
    slides = [_slide(planted.study, f"early-{number}", "lab-0") for number in range(6)]
    settle(planted, [(factories.region(slide), "neutrophil") for slide in slides])
    release = releases.freeze(study=planted.study, consistency_pass=run_pass(planted), member=planted.manager)
    splits = dict(ReleaseItem.objects.filter(release=release).values_list("region__slide", "split"))
    train = next(slide for slide in slides if splits[slide.pk] == "train")
    test = next(slide for slide in slides if splits[slide.pk] == "test")
    Slide.objects.filter(pk=train.pk).update(case=test.case)
    planted.expect("case-splits", subject=f"case {test.case.code}")


def _slide(study: Study, case: str, domain: str, **fields: Any) -> Slide:
    row = Domain.objects.get_or_create(study=study, name=domain)[0]
    size = {"width": COLUMNS * EDGE, "height": ROWS * EDGE}
    return factories.slide(study, case=factories.case(study, case), domain=row, **(size | fields))


def _lay_out(planted: Planted, *, regions: int) -> list[Iterator[Region]]:
    """Twelve slides of twelve cases in three domains; an iterator over the regions of each."""
    study = planted.study
    slides = [_slide(study, f"case-{at}", f"lab-{at % DOMAINS}") for at in range(SLIDES)]
    return [iter(_tile(slide, count=regions // SLIDES)) for slide in slides]


def _tile(slide: Slide, *, count: int, **fields: Any) -> list[Region]:
    rows = []
    for index in range(count):
        place = {"x": index % COLUMNS * EDGE, "y": index // COLUMNS * EDGE}
        rows.append(factories.RegionFactory.build(slide=slide, study=slide.study, index=index, **(place | fields)))
    return Region.objects.bulk_create(rows)


def _publish(study: Study) -> None:
    """The next protocol retires the band cells and renames the class of another."""
    new = factories.protocol(study, codes=TODAY)
    for code in TODAY:
        new.mappings.create(source_code=code, target_code=code, kind="same")
    new.mappings.create(source_code="mono", target_code="monocyte", kind="renamed")
    new.mappings.create(source_code="band", kind="retired")
    LabelClass.objects.filter(protocol=new, code="basophil").update(quota=50)
    LabelClass.objects.filter(protocol=new, code="monocyte").update(quota=1)


def _answer(planted: Planted, pools: list[Iterator[Region]], *, each: int) -> None:
    """Real answers: regions on which one of three disagrees, repeats, a tie, and one that has only begun."""
    asked = take(pools[1], each + REPEATS)
    unsure = asked[:each]
    for region in asked:
        KnownTruth.objects.create(region=region, label="monocyte")
        factories.pick(region, slots=3)
    wrong = frozenset(region.public_id for region in unsure)
    for person, errors in zip(planted.people, (wrong, frozenset(), frozenset()), strict=True):
        answer_all(person, wrong=errors)
    for region in unsure:
        planted.expect("posterior-target", region)
    _repeat(planted, asked[each:], changed={0: 4, 1: 1, 2: 0})
    tie, begun = take(pools[1], 2)
    for region in (tie, begun):
        KnownTruth.objects.create(region=region, label="monocyte")
    waits = [factories.pick(region, slots=2) for region in (tie, begun)]
    answer_all(planted.people[2])
    truth.escalate(pick=waits[0])
    planted.expect("unresolved", tie)
    planted.expect("unresolved", subject="collecting")


def _repeat(planted: Planted, regions: list[Region], *, changed: dict[int, int]) -> None:
    """Each person answers the regions again; `changed` says on how many they say something else than before."""
    for number, person in enumerate(planted.people):
        for at, region in enumerate(regions):
            is_changed = at < changed[number]
            _check(person, region, AssignmentKind.REPEAT, "lymphocyte" if is_changed else "monocyte")
            if is_changed:
                planted.expect("repeat-contradictions", region)
    planted.expect("repeat-contradictions", subject=f"annotator {planted.people[0].pseudonym}")


def _check(person: Membership, region: Region, kind: AssignmentKind, label: str) -> None:
    now = clock.now()
    lease = Assignment.objects.create(
        study=person.study, region=region, annotator=person, kind=kind, leased_at=now,
        expires_at=now + timedelta(minutes=10),
    )  # fmt: skip
    answer = {"kind": "class", "label": label}
    queue.submit(member=person, token=lease.token, answer=answer, idempotency_key=f"check-{lease.pk}")


def _settle_all(planted: Planted, pools: list[Iterator[Region]]) -> None:
    """The rest: even shares, but for a domain that is mostly lymphocytes and two rare classes."""
    labelled = []
    for number, pool in enumerate(pools):
        domain = number % DOMAINS
        rare = {0: ["eosinophil"] * 3 + ["basophil"] * 2, 1: ["eosinophil"] * 3, 2: ["lymphocyte"] * 4}[domain]
        turns = cycle(LABELS if domain < 2 else ("lymphocyte",) * 3 + LABELS)
        labelled += [(region, rare.pop() if rare else next(turns)) for region in pool]
    settle(planted, labelled)
    planted.expect("class-quota", subject="class basophil")
    planted.expect("class-share", subject="class eosinophil")
    planted.expect("class-share", subject="class neutrophil")
    planted.expect("class-share", subject="domain lab-2")
    planted.expect("domain-quota", subject="class eosinophil in domain lab-2")


def _standing(planted: Planted, slide: int, label: str) -> list[Region]:
    """Regions of a slide that are settled as `label`, by the manager."""
    rows = Region.objects.filter(
        study=planted.study, slide__case__code=f"case-{slide}", current_revision__label=label,
        current_revision__method=Method.CONSISTENCY, current_revision__protocol=planted.study.protocol,
    )  # fmt: skip
    return list(rows.select_related("slide").order_by("index"))


def _spoil_pixels(planted: Planted, each: int) -> None:
    def same(*regions: Region) -> None:
        digest = f"{regions[0].pk:064x}"
        Region.objects.filter(pk__in=[region.pk for region in regions]).update(pixel_digest=digest)

    for one, other in zip(_standing(planted, 3, "neutrophil")[:each], _standing(planted, 3, "monocyte"), strict=False):
        same(one, other)
        planted.expect("identical-regions", one, other)
    alike = _standing(planted, 3, "lymphocyte")
    same(alike[0], alike[1])  # one cell of one case, twice under one label: neither a leak nor a contradiction
    for one, other in zip(_standing(planted, 4, "monocyte")[:5], _standing(planted, 6, "monocyte"), strict=False):
        same(one, other)
        planted.expect("leaking-pixels", one, other)
    names = sorted((one.slide.public_id, other.slide.public_id))
    planted.expect("leaking-pixels", subject=f"slides {names[0]} and {names[1]}")


def _spoil_places(planted: Planted, each: int) -> None:
    def move(region: Region, **place: int) -> None:
        Region.objects.filter(pk=region.pk).update(**place)

    pairs = zip(_standing(planted, 7, "neutrophil")[:each], _standing(planted, 7, "monocyte"), strict=False)
    for number, (one, other) in enumerate(pairs):
        move(one, x=number * 3 * EDGE, y=(ROWS - 2) * EDGE)
        move(other, x=number * 3 * EDGE + (8 if number % 2 else 20), y=(ROWS - 2) * EDGE)
        planted.expect("overlapping-regions", one, other)
    near = _standing(planted, 7, "lymphocyte")
    move(near[0], x=(COLUMNS - 2) * EDGE, y=(ROWS - 1) * EDGE)
    move(near[1], x=(COLUMNS - 1) * EDGE - 24, y=(ROWS - 1) * EDGE)  # a third in common, as with a tiling that overlaps
    outside = _standing(planted, 9, "monocyte")
    for number, region in enumerate(outside[:each]):
        move(region, x=COLUMNS * EDGE - EDGE + 1 + number, y=(ROWS - 1) * EDGE - number * 2 * EDGE)
        planted.expect("invalid-geometry", region)
    wide = _standing(planted, 10, "monocyte")
    for number, region in enumerate(wide[:each]):
        move(region, x=0, y=(20 + number) * EDGE, width=EDGE + 1)
        planted.expect("size-limits", region)
    Slide.objects.filter(study=planted.study, case__code="case-11").update(um_per_px_x=None, um_per_px_y=None)
    planted.expect("size-limits", subject="unknown scale")


def _spoil_gold(planted: Planted, each: int) -> None:
    """Gold that the settled label contradicts, and a person who names half of it right."""
    regions = _standing(planted, 5, "lymphocyte")[:GOLDS]
    for number, region in enumerate(regions):
        is_wrong = number < each
        label = "monocyte" if is_wrong else "lymphocyte"
        Gold.objects.create(
            region=region, protocol=planted.study.protocol, label=label, source="file", added_at=clock.now()
        )
        if is_wrong:
            planted.expect("gold-failed", region)
        _check(planted.people[1], region, AssignmentKind.GOLD, label if number % 2 else "neutrophil")
        _check(planted.people[2], region, AssignmentKind.GOLD, label if number else "neutrophil")
    planted.expect("gold-failed", subject=f"annotator {planted.people[1].pseudonym}")


def _spoil_rows(planted: Planted, each: int) -> None:
    """Regions that are asked again, and one whose label was taken back without a word to the ledger."""
    asked = _standing(planted, 8, "monocyte")[:each]
    picks.recheck(study=planted.study, regions=asked, reason="Look again.")
    for region in asked:
        planted.expect("unresolved", region)
    silent = _standing(planted, 8, "lymphocyte")[0]
    truth.reopen(region=silent, study=planted.study, reason="Unsaid.", method=Method.WITHDRAWAL, at=clock.now())
    planted.expect("ledger-broken", subject="ledger problem 1")


def _want(planted: Planted) -> None:
    """What the study asks of its data, from now on; a laboratory that has hardly begun."""
    study = planted.study
    late = _slide(study, "late", "lab-late")
    settle(planted, [(factories.region(late), "neutrophil")])
    planted.expect("domain-quota", subject="domain lab-late")
    planted.expect("domain-quota", subject="class eosinophil in domain lab-late")
    study.refresh_from_db()
    study.policy_values["target_confidence"] = 0.9
    study.rule_values = RULE_VALUES
    study.save()
