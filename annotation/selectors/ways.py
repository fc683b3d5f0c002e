"""What each way to a consensus said of a region, and where two ways differ, as the newest pass has stored it.

Decides which pass speaks and how many regions are listed; the ways themselves are `annotation.sidebyside`.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from annotation import sidebyside
from annotation.models import ConsistencyPass, LabelClass, PassItem, Region
from annotation.states import PassState

MOST_REGIONS = 60


@dataclass(frozen=True, slots=True)
class Way:
    """One way's word on a region: the class by its name, "" for a tie."""

    name: str
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Pair:
    """How far two ways agree over a pass; `per_class` is (class name, the same, of how many)."""

    first: str
    second: str
    names: tuple[str, str]
    regions: int
    same: int
    per_class: list[tuple[str, int, int]]

    @property
    def differing(self) -> int:
        return self.regions - self.same


def of_region(region: Region) -> tuple[int, list[Way]]:
    """The number of the newest finished pass that saw the region, and what each way said in it; (0, []) without."""
    items = PassItem.objects.filter(region=region, consistency_pass__state=PassState.DONE)
    item = items.select_related("consistency_pass").order_by("-consistency_pass__number").first()
    if item is None:
        return 0, []
    names = class_names(region.study_id)
    said = [(name, *item.others[method]) for method, name in sidebyside.NAMES.items() if method in item.others]
    return item.consistency_pass.number, [Way(name, names.get(code, code), share) for name, code, share in said]


def class_names(study: int) -> dict[str, str]:
    """What people call each class: the newest version's word for its code, of retired classes as well."""
    rows = LabelClass.objects.filter(protocol__study=study).order_by("protocol__number")
    return dict(rows.values_list("code", "name"))


def pairs(row: ConsistencyPass) -> list[Pair]:
    """How far each two ways agree over a pass."""
    names = class_names(row.study_id)
    return [
        Pair(
            first=one["first"],
            second=one["second"],
            names=(sidebyside.NAMES[one["first"]], sidebyside.NAMES[one["second"]]),
            regions=one["regions"],
            same=one["same"],
            per_class=[(names.get(code, code), same, count) for code, (same, count) in one["classes"].items()],
        )
        for one in row.numbers.get("side_by_side", [])
    ]


def differing(row: ConsistencyPass, *, first: str, second: str) -> list[tuple[Region, str, str, str]]:
    """Regions of a pass on which two ways differ, a page of them; none for what is no way.

    With each region the class that stands and what either way says, by name; "" for a tie.
    """
    if not {first, second} <= sidebyside.NAMES.keys():
        return []
    items = PassItem.objects.filter(consistency_pass=row).annotate(first=_label(first), second=_label(second))
    found = items.filter(~Q(first=F("second")), first__isnull=False, second__isnull=False)
    rows = found.order_by("region__public_id").values_list("region", "revision__label", "first", "second")
    said = list(rows[:MOST_REGIONS])
    regions = Region.objects.in_bulk([region for region, *_ in said])
    names = class_names(row.study_id)
    return [
        (regions[region], names.get(stands, stands), names.get(one, one), names.get(other, other))
        for region, stands, one, other in said
    ]


def _label(method: str) -> Any:
    if method == sidebyside.STANDING:
        return F("revision__label")
    return KeyTextTransform("0", KeyTextTransform(method, "others"))
