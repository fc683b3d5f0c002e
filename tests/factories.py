"""Rows for tests: each test builds the few it needs. Geometry, leases and states hold their invariants."""

import hashlib
from typing import Any

import factory
from django.contrib.auth import get_user_model
from django.utils import timezone

from annotation.models import (
    Case,
    Domain,
    Gold,
    KnownTruth,
    LabelClass,
    Membership,
    Pick,
    Protocol,
    Region,
    SelectionBatch,
    Slide,
    Study,
)
from annotation.states import GoldSource, PickState, RegionState, Role, SlideState, Stratum, StudyState

CODES = ("neutrophil", "lymphocyte", "monocyte")
COLOURS = ("#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#66a61e", "#e6ab02")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda number: f"person{number}")


class StudyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Study

    slug = factory.Sequence(lambda number: f"study-{number}")
    name = "Blood smear"
    state = StudyState.RUNNING
    secret = "00" * 32
    domains = factory.LazyFunction(lambda: ["lab"])


class SlideFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Slide

    study = factory.SubFactory(StudyFactory)
    case = factory.LazyAttribute(lambda row: case(row.study, f"case-{row.checksum[:6]}"))
    domain = factory.LazyAttribute(lambda row: Domain.objects.get_or_create(study=row.study, name="lab-1")[0])
    checksum = factory.Sequence(lambda number: hashlib.sha256(str(number).encode()).hexdigest())
    public_id = factory.LazyAttribute(lambda row: row.study.opaque_id("slide", row.checksum))
    stored_name = factory.LazyAttribute(lambda row: f"slides/{row.checksum[:2]}/{row.checksum}.tiff")
    size_bytes = 1000
    width = 4000
    height = 3000
    levels = factory.LazyFunction(lambda: [[4000, 3000, 1.0]])
    um_per_px_x = 0.25
    um_per_px_y = 0.25
    vendor = "generic-tiff"
    state = SlideState.TILED


class RegionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Region

    slide = factory.SubFactory(SlideFactory)
    study = factory.SelfAttribute("slide.study")
    index = factory.LazyAttribute(lambda row: Region.objects.filter(slide=row.slide).count())
    x = factory.LazyAttribute(lambda row: (row.index % 40) * 64)
    y = factory.LazyAttribute(lambda row: (row.index // 40) * 64)
    width = 64
    height = 64
    audit_half = factory.LazyAttribute(lambda row: row.slide.case.audit_half)
    public_id = factory.LazyAttribute(
        lambda row: row.study.opaque_id("region", row.slide.checksum, row.x, row.y, row.width, row.height)
    )
    pixel_digest = factory.LazyAttribute(lambda row: hashlib.sha256(row.public_id.encode()).hexdigest())


def study(*, codes: tuple[str, ...] = CODES, policy: dict[str, Any] | None = None, **fields: Any) -> Study:
    """A running study with a published protocol of `codes`."""
    row = StudyFactory(policy_values=policy or {}, **fields)
    protocol(row, codes=codes)
    return row


def protocol(row: Study, *, codes: tuple[str, ...] = CODES, specials: tuple[str, ...] = ()) -> Protocol:
    """The next published protocol of a study, made the current one."""
    number = row.protocols.count() + 1
    made = Protocol.objects.create(study=row, number=number, published_at=timezone.now())
    for position, code in enumerate((*codes, *specials)):
        LabelClass.objects.create(
            protocol=made,
            code=code,
            name=code.title(),
            colour=COLOURS[position % len(COLOURS)],
            key=str(position + 1) if position < 9 else "",
            is_special=code in specials,
            position=position,
        )
    row.protocol = made
    row.save(update_fields=["protocol"])
    return made


def case(row: Study, code: str, *, audit_half: str = "") -> Case:
    """The case `code` of a study, made where it is new."""
    return Case.objects.get_or_create(study=row, code=code[:20], defaults={"audit_half": audit_half})[0]


def slide(row: Study, **fields: Any) -> Slide:
    """A tiled slide without a file."""
    return SlideFactory(study=row, **fields)


def region(on: Slide, *, truth: str = "", **fields: Any) -> Region:
    """The next region of a slide; `truth` is what simulations know of it."""
    row = RegionFactory(slide=on, study=on.study, **fields)
    if truth:
        KnownTruth.objects.create(region=row, label=truth)
    return row


def gold(of: Region, *, label: str = CODES[0], **fields: Any) -> Gold:
    """A region made gold under the rules in force."""
    values = {"protocol": of.study.protocol, "source": GoldSource.FILE, "added_at": timezone.now(), **fields}
    return Gold.objects.create(region=of, label=label, **values)


def member(row: Study, role: str = Role.ANNOTATOR, **fields: Any) -> Membership:
    """A new person with a role in a study."""
    return Membership.objects.create(study=row, user=UserFactory(**fields), role=role)


def pick(of: Region, *, slots: int = 2, overlap: int = 5, **fields: Any) -> Pick:
    """An open pick of a region, in a batch of its own unless `batch` is given."""
    batch = fields.pop("batch", None) or SelectionBatch.objects.create(
        study=of.study,
        number=SelectionBatch.objects.filter(study=of.study).count() + 1,
        strategy="random",
        seed=0,
        created_at=timezone.now(),
    )
    Region.objects.filter(pk=of.pk).update(state=RegionState.QUEUED)
    of.state = RegionState.QUEUED
    defaults = {
        "rank": Pick.objects.filter(batch=batch).count(),
        "stratum": Stratum.RANKED,
        "state": PickState.OPEN,
    }
    return Pick.objects.create(
        study=of.study,
        batch=batch,
        batch_number=batch.number,
        region=of,
        slots_open=slots,
        slots_granted=slots,
        overlap=overlap,
        **(defaults | fields),
    )
