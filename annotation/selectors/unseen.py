"""Domains of which the active model has not learned from a single region, as soon as their slides are cut.

Decides when a domain is unseen, and how much of the next batches it is sure to get; refuses to look at scores: what a
model says of such a domain is just what is in doubt. One query, however many studies.
"""

import math
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from annotation.models import ModelVersion, Slide
from annotation.policy import Policy
from annotation.states import AuditHalf, ModelState, SlideState


@dataclass(frozen=True, slots=True)
class Unseen:
    """A domain with how many slides and regions may be learned from.

    `quota`: of the regions of each next batch so many at least are its; 0 where the policy draws by chance alone.
    """

    domain: str
    model: int
    slides: int
    regions: int
    quota: int

    @property
    def said(self) -> str:
        """That the domain is new to the model, with its size."""
        return (
            f"Model {self.model} has never seen {self.domain}: {_count(self.slides, 'slide')} "
            f"with {_count(self.regions, 'region')}."
        )

    @property
    def promised(self) -> str:
        """What happens next with it."""
        if not self.quota:
            return "Batches are drawn by chance here, so its regions come in their turn. Trust no prediction there."
        return (
            f"Its quota of the next batches is at least {_count(self.quota, 'region')} each; trust no prediction there "
            "until they are settled."
        )


def find(studies: Collection[int]) -> dict[int, list[Unseen]]:
    """The unseen domains of each study that has an active model, by name."""
    found: dict[int, list[Unseen]] = defaultdict(list)
    rows = list(_count_by_domain(studies))
    regions: dict[int, int] = defaultdict(int)
    for row in rows:
        regions[row["study"]] += row["held"]
    for row in rows:
        # A model of an older program has not written down its domains; the first look at them does.
        if row["trained_on"] is not None and row["domain__name"] not in row["trained_on"]:
            policy = Policy.parse(row["study__policy_values"])
            quota = promise(policy, regions=row["held"], of=regions[row["study"]])
            one = Unseen(row["domain__name"], row["model"], row["slides"], row["held"], quota)
            found[row["study"]].append(one)
    return found


def promise(policy: Policy, *, regions: int, of: int) -> int:
    """The least part of a batch for a domain with `regions` of the study's: its share rounded up, as `ranked` gives it.

    What is left of a batch after the audit sample and the random share is dealt out. As settled regions wait no more,
    the part is larger in the end.
    """
    if policy.selection != "learned" or not of:
        return 0
    rest = policy.batch_size - math.ceil(policy.audit_share * policy.batch_size)
    rest -= math.ceil(policy.random_share * rest)
    return min(math.ceil(rest * regions / of - 1e-9), regions)


def _count_by_domain(studies: Collection[int]) -> QuerySet[Slide, dict[str, Any]]:
    active = ModelVersion.objects.filter(study=OuterRef("study"), state=ModelState.ACTIVE)
    learnable = Slide.objects.filter(
        study__in=studies, state=SlideState.TILED, case__audit_half=AuditHalf.NONE, region_count__gt=0
    )
    grouped = learnable.order_by().values(
        "study",
        "study__policy_values",
        "domain__name",
        model=Subquery(active.values("number")),
        trained_on=Subquery(active.values("numbers__trained_on")),
    )
    return grouped.annotate(slides=Count("pk"), held=Sum("region_count")).order_by("study", "domain__name")


def _count(many: int, noun: str) -> str:
    return f"{many:,} {noun}{'' if many == 1 else 's'}"
