"""Reads acceptance samples: what one may be drawn from, how far one is, what people said, and what it measures.

Decides which answers and regions an estimate rests on; the estimate itself is `learning.consensus.acceptance`. Refuses
to write, and to tell an annotator anything.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Q

from annotation import canonical
from annotation.models import (
    AcceptanceItem,
    AcceptanceSample,
    Annotation,
    ClassExample,
    ConsistencyPass,
    Gold,
    PassItem,
    Protocol,
    Region,
    Study,
)
from annotation.states import AnswerKind, AssignmentKind, SampleState
from learning.consensus import acceptance, gather

LEDGER_KIND = "acceptance"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A region that a sample may draw: keys of region and revision, and the label that stood in the pass."""

    name: str
    region: int
    revision: int
    label: str


@dataclass(frozen=True, slots=True)
class Said:
    """One person's standing answer about a sampled region; a verdict is an adjudicator's."""

    annotator: str
    label: str
    is_verdict: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """A sampled region as an estimate takes it: the label it was drawn with, the one that stands now (empty: it is no
    longer in the set), and what people said of it; all in the same classes.
    """

    label: str
    standing: str
    said: Sequence[Said]


def population(consistency_pass: ConsistencyPass) -> list[Candidate]:
    """What a release of the pass would hold, but for examples and gold, whose class people may know already."""
    return list(_released(consistency_pass))


def _released(consistency_pass: ConsistencyPass) -> Iterator[Candidate]:
    tables = consistency_pass.numbers["mappings"]
    study = consistency_pass.study_id
    known = set(ClassExample.objects.filter(region__study=study).values_list("region_id", flat=True))
    known |= set(Gold.objects.filter(region__study=study).values_list("region_id", flat=True))
    rows = PassItem.objects.filter(consistency_pass=consistency_pass).order_by("region__public_id")
    columns = rows.values_list(
        "region__public_id", "region_id", "revision_id", "revision__label", "revision__protocol__number"
    )
    for name, region, revision, given, number in columns.iterator(chunk_size=5000):
        label = tables.get(str(number), {}).get(given, "")
        if label and region not in known:
            yield Candidate(name, region, revision, label)


def open_sample(study: Study) -> AcceptanceSample | None:
    """The sample of the study that people are being asked about."""
    return AcceptanceSample.objects.filter(study=study, state=SampleState.OPEN).first()


def protocol_of(sample: AcceptanceSample) -> int:
    """The number of the protocol whose classes the sample's labels are of; without the rest of what the pass pinned."""
    numbers = ConsistencyPass.objects.filter(pk=sample.consistency_pass_id).values_list("numbers__protocol", flat=True)
    return int(numbers.get())


def content(row: AcceptanceSample) -> dict[str, Any]:
    """What the ledger keeps of a sample, free of keys of this database."""
    return {
        "number": row.number,
        "pass": row.consistency_pass.number,
        "state": row.state,
        "seed": row.seed,
        "population": row.population,
        "opinions": row.opinions,
    }


def progress(sample: AcceptanceSample) -> dict[str, int]:
    """How many regions of the sample are done, wait for answers or for an adjudicator."""
    done, deciding = Q(closed_at__isnull=False), Q(closed_at=None, needs_adjudication=True)
    counted = sample.items.aggregate(
        size=Count("pk"), done=Count("pk", filter=done), deciding=Count("pk", filter=deciding)
    )
    return {**counted, "answering": counted["size"] - counted["done"] - counted["deciding"]}


def in_question(*, study: Study, region: Region) -> list[str]:
    """The classes that anybody says of a sampled region, the label that it was drawn with among them."""
    item = AcceptanceItem.objects.filter(sample__study=study, region=region).order_by("-sample").first()
    return sorted({item.label, *(one.label for one in said_of(item))}) if item else []


def said_of(item: AcceptanceItem) -> list[Said]:
    """The standing answers about one sampled region, oldest first."""
    return said(item.sample, region=item.region_id).get(item.region_id, [])


def said(sample: AcceptanceSample, *, region: int | None = None) -> dict[int, list[Said]]:
    """Region -> the newest answer of each person that was given for this sample and not taken back."""
    rows = Annotation.objects.filter(
        study=sample.study_id,
        assignment_kind=AssignmentKind.VERIFY,
        assignment__leased_at__gte=sample.created_at,
        region__in=sample.items.values("region") if region is None else [region],
    )
    columns = rows.order_by("id").values_list(
        "region_id", "annotator__pseudonym", "kind", "label", "assignment__kind", "protocol__number"
    )
    newest: dict[tuple[int, str], tuple[str, Said]] = {}
    number = protocol_of(sample)
    for key, name, kind, label, lease, protocol in columns:
        newest.pop((key, name), None)
        if kind != AnswerKind.WITHDRAWN and protocol == number:
            newest[key, name] = kind, Said(name, label, lease == AssignmentKind.ADJUDICATE)
    found: dict[int, list[Said]] = {}
    for (key, _), (_, one) in newest.items():
        found.setdefault(key, []).append(one)
    return found


def describe(sample: AcceptanceSample) -> dict[str, Any]:
    """What the sample says of the pass it was drawn from: the share of wrong labels as they stood, and `after` every
    verdict is taken over; with all that both rest on.
    """
    found = said(sample)
    rows = list(sample.items.order_by("region__public_id").select_related("region"))
    protocol = Protocol.objects.get(study=sample.study_id, number=protocol_of(sample))
    codes = list(protocol.codes)
    drawn = Counter(row.label for row in rows)
    rest = {code: sample.numbers["labels"].get(code, 0) - drawn[code] for code in codes}
    told = [found.get(row.region_id, []) for row in rows]
    before = [Seen(row.label, row.label, one) for row, one in zip(rows, told, strict=True)]
    after = [Seen(row.label, row.verdict or row.label, one) for row, one in zip(rows, told, strict=True)]
    measured = measure(before, rest=rest, codes=codes, seed=sample.seed)
    wrong = [row for row in rows if row.verdict and row.verdict != row.label]
    doubts = dict(zip((row.pk for row in rows), measured.wrong, strict=True))
    return {
        **sample.numbers,
        **shares(measured, codes),
        "after": _bounds(measure(after, rest=rest, codes=codes, seed=sample.seed).share),
        "size": len(rows),
        "wrong": {row.region.public_id: canonical.rounded(float(doubts[row.pk]), 6) for row in wrong},
        "verdicts": {row.region.public_id: [row.label, row.verdict] for row in rows},
        "said": {
            row.region.public_id: [[one.annotator, one.label, one.is_verdict] for one in told[place]]
            for place, row in enumerate(rows)
        },
        "seen_before": _count_seen_before(sample, found),
    }


def measure(seen: Sequence[Seen], *, rest: Mapping[str, int], codes: Sequence[str], seed: int) -> acceptance.Estimate:
    """The estimate for a set of sampled regions, beside `rest`: how many regions of each class were not drawn."""
    index = {code: place for place, code in enumerate(codes)}
    told = [(place, one) for place, row in enumerate(seen) for one in row.said if one.label in index]
    people = sorted({one.annotator for _, one in told})
    column = {name: place for place, name in enumerate(people)}
    experts = {one.annotator for _, one in told if one.is_verdict}
    answers = gather(
        items=np.array([place for place, _ in told], dtype=np.int64),
        annotators=np.array([column[one.annotator] for _, one in told], dtype=np.int64),
        labels=np.array([index[one.label] for _, one in told], dtype=np.int64),
        sizes=(len(seen), len(people), len(codes)),
    )
    return acceptance.estimate(
        answers,
        labels=np.array([index[row.label] for row in seen], dtype=np.int64),
        standing=np.array([index.get(row.standing, acceptance.GONE) for row in seen], dtype=np.int64),
        unsampled=np.array([rest.get(code, 0) for code in codes], dtype=np.int64),
        experts=np.array([name in experts for name in people], dtype=bool),
        seed=seed,
    )


def shares(measured: acceptance.Estimate, codes: Sequence[str]) -> dict[str, Any]:
    """An estimate as JSON values: each share with the ends of its interval."""
    by_class = zip(codes, measured.per_class, strict=True)
    return {
        "share": _bounds(measured.share),
        "per_class": {code: _bounds(one) for code, one in by_class if one is not None},
        "regions": measured.regions,
    }


def _bounds(one: acceptance.Bounds) -> list[float]:
    return [canonical.rounded(value, 6) for value in (one.value, one.low, one.high)]


def _count_seen_before(sample: AcceptanceSample, found: Mapping[int, Sequence[Said]]) -> int:
    """How many of the answers are of people who had given an opinion on the region before."""
    earlier = Annotation.objects.filter(study=sample.study_id, region__in=sample.items.values("region"))
    earlier = earlier.exclude(assignment_kind=AssignmentKind.VERIFY)
    pairs = set(earlier.values_list("region_id", "annotator__pseudonym"))
    return sum((region, one.annotator) in pairs for region, rows in found.items() for one in rows)
