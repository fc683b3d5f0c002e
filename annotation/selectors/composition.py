"""What a release of a pass holds, or would hold: counted in the database, without folding the ledger.

Decides how regions are counted by class, split, domain and sureness; refuses to judge the counts.
"""

from collections import Counter
from functools import lru_cache
from typing import Any

from django.db.models import Case, CharField, Count, F, FloatField, Func, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from annotation import splits
from annotation.models import ConsistencyPass, LabelClass, PassItem
from annotation.releasing import diff

SPLITS = (splits.TRAIN, splits.VALIDATION, splits.TEST)
SURENESS = ((0.95, "0.95 and more"), (0.8, "0.80 to 0.95"), (0.5, "0.50 to 0.80"), (0.0, "under 0.50"))
NO_OPINION = "no opinion"
KEPT = 4
Counts = Counter[tuple[str, str]]


def of_pass(row: ConsistencyPass) -> dict[str, Any]:
    """Regions by class, split and domain, cases and slides by split, and how sure the consensus is of the labels."""
    slides, classes = row.numbers.get("slides", {}), _classes(row)
    codes = {one["code"] for one in classes}
    by_class, by_domain, sure = Counts(), Counts(), Counter[str]()
    for slide, label, band, count in _count(Kept(row)):
        if slide in slides and label in codes:
            _, domain, split = slides[slide]
            by_class[label, split] += count
            by_domain[domain, split] += count
            sure[band] += count
    cases = {case: split for case, _, split in slides.values()}
    return {
        "regions": sum(by_class.values()),
        "classes": [{**one, **_by_split(by_class, one["code"])} for one in classes],
        "domains": [{"domain": name, **_by_split(by_domain, name)} for name in sorted({name for name, _ in by_domain})],
        "cases": _in_order(Counter(cases.values())),
        "slides": _in_order(Counter(split for _, _, split in slides.values())),
        "sureness": {said: sure[said] for said in [*(said for _, said in SURENESS), NO_OPINION]},
        "left_out": row.numbers.get("left_out", {}),
    }


class Kept:
    """A pass as the key of what was computed from its items: a finished one never changes, and neither do they."""

    def __init__(self, row: ConsistencyPass) -> None:
        self.row = row
        self.name = (row.pk, row.created_at, row.state, row.ledger_digest)

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept) and other.name == self.name


@lru_cache(maxsize=KEPT)
def _count(kept: Kept) -> tuple[tuple[str, str, str, int], ...]:
    """Slide, label, band of sureness, and how many items have them."""
    rows = _labelled(kept.row).annotate(share=_share(), band=_band()).order_by()
    return tuple(rows.values_list("region__slide__public_id", "label", "band").annotate(count=Count("pk")))


def held(row: ConsistencyPass) -> dict[str, diff.Held]:
    """Region -> label and split, of what a release of the pass holds."""
    slides, codes = row.numbers.get("slides", {}), {one["code"] for one in _classes(row)}
    rows = _labelled(row).values_list("region__public_id", "region__slide__public_id", "label")
    return {
        region: diff.Held(label, slides[slide][2])
        for region, slide, label in rows.order_by().iterator(chunk_size=5000)
        if slide in slides and label in codes
    }


def _classes(row: ConsistencyPass) -> list[dict[str, Any]]:
    rows = LabelClass.objects.filter(protocol__study=row.study_id, protocol__number=row.numbers.get("protocol", 0))
    return [dict(one) for one in rows.order_by("position", "code").values("code", "is_special", "quota")]


def _labelled(row: ConsistencyPass) -> QuerySet[Any]:
    """The items with their label under the pass's protocol, which none of its classes is where there is no exact one.

    Those are left out by who reads: a filter here would have PostgreSQL guess that few items remain.
    """
    today = row.numbers.get("protocol", 0)
    cases = [When(revision__protocol__number=today, then=F("revision__label"))]
    for number, table in row.numbers.get("mappings", {}).items():
        if int(number) != today:
            cases += [
                When(revision__protocol__number=int(number), revision__label=old, then=Value(code))
                for old, code in table.items()
            ]
    items = PassItem.objects.filter(consistency_pass=row)
    return items.annotate(label=Case(*cases, default=Value(""), output_field=CharField()))


def _share() -> Cast:
    """The canonical consensus's probability of the label; null where nobody gave an opinion."""
    text = Func(F("posterior"), F("label"), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField())
    return Cast(text, FloatField())


def _band() -> Case:
    whens = [When(Q(share__gte=low), then=Value(said)) for low, said in SURENESS]
    return Case(*whens, default=Value(NO_OPINION), output_field=CharField())


def _by_split(counts: Counts, name: str) -> dict[str, int]:
    of_split = {split: counts[name, split] for split in SPLITS}
    return {**of_split, "all": sum(of_split.values())}


def _in_order(counts: Counter[str]) -> dict[str, int]:
    return {split: counts[split] for split in SPLITS}
