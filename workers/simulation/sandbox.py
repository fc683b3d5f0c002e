"""A copy of a study to simulate on, so that the study itself is untouched and every run starts the same.

Decides what is copied (what the study is given) and what is not (what people and models made of it).
"""

from typing import Any

from django.db import connection, transaction
from django.db.models import Case as Choice
from django.db.models import Value, When

from annotation import audit, mapping
from annotation.errors import BadInput
from annotation.models import Case, Domain, FeatureShard, KnownTruth, Region, Slide, Study
from annotation.policy import Policy
from annotation.selectors import gold as gold_reads
from annotation.services import gold, jobs, protocols, slides, studies
from annotation.states import AuditHalf, GoldSource, JobKind, SlideState

_REGIONS = """
    INSERT INTO annotation_region
        (study_id, slide_id, public_id, index, x, y, width, height, pixel_digest, audit_half, state)
    SELECT fresh.study_id, fresh.id, r.public_id, r.index, r.x, r.y, r.width, r.height, r.pixel_digest,
           c.audit_half, 'pool'
    FROM annotation_region r
    JOIN annotation_slide old ON old.id = r.slide_id
    JOIN annotation_slide fresh ON fresh.study_id = %(copy)s AND fresh.checksum = old.checksum
    JOIN annotation_case c ON c.id = fresh.case_id
    WHERE old.study_id = %(study)s
    ORDER BY old.public_id, r.index
"""
_TRUTH = """
    INSERT INTO annotation_knowntruth (region_id, label, borderline)
    SELECT fresh.id, t.label, t.borderline
    FROM annotation_knowntruth t
    JOIN annotation_region old ON old.id = t.region_id
    JOIN annotation_region fresh ON fresh.study_id = %(copy)s AND fresh.public_id = old.public_id
    WHERE old.study_id = %(study)s
    ORDER BY fresh.id
"""


def free_slug(base: str) -> str:
    """The first of base-1, base-2, ... that no study has."""
    number = 1
    while Study.objects.filter(slug=f"{base[:50]}-{number}").exists():
        number += 1
    return f"{base[:50]}-{number}"


@transaction.atomic
def copy_study(*, study: Study, slug: str, seed: int, policy: dict[str, Any], needs_truth: bool = True) -> Study:
    """A draft of the same protocol, slides, regions, known truth and features under `seed`; `policy` overrides.

    The secret is the same, and with it all public names. BadInput where no truth is known and it `needs_truth`.
    """
    if needs_truth and not KnownTruth.objects.filter(region__study=study).exists():
        raise BadInput(f"Nothing is known of the regions of '{study.slug}': import it with a truth.csv.")
    values = {**study.policy_values, **policy}
    Policy.parse(values)
    copy = Study.objects.create(
        slug=slug,
        name=study.name,
        task=study.task,
        seed=seed,
        secret=study.secret,
        domains=study.domains,
        region_width=study.region_width,
        region_height=study.region_height,
        region_um_per_px=study.region_um_per_px,
        policy_values=values,
        is_simulation=True,
    )
    _copy_protocol(study, copy)
    _copy_slides(study, copy)
    with connection.cursor() as cursor:
        cursor.execute(_REGIONS, {"study": study.pk, "copy": copy.pk})
        cursor.execute(_TRUTH, {"study": study.pk, "copy": copy.pk})
    _recode_truth(study, copy)
    _copy_gold(study, copy)
    return Study.objects.get(pk=copy.pk)


@transaction.atomic
def start(copy: Study) -> Study:
    """Open the copy and queue what its slides still need; in one step, so that nobody else finds it half begun."""
    studies.open_study(study=copy)
    ready = set(FeatureShard.objects.filter(slide__study=copy).values_list("slide_id", flat=True))
    for slide in Slide.objects.filter(study=copy).order_by("public_id"):
        if slide.state == SlideState.REGISTERED:
            slides.prepare(slide, study=copy)
        elif slide.state == SlideState.TILED and slide.pk not in ready:
            jobs.enqueue(study=copy, kind=JobKind.EMBED_SLIDE, key=slide.public_id)
    return Study.objects.get(pk=copy.pk)


def _copy_protocol(study: Study, copy: Study) -> None:
    assert study.protocol is not None
    protocols.publish_first(
        study=copy, classes=protocols.class_plans(study.protocol), guideline=study.protocol.guideline
    )


def _recode_truth(study: Study, copy: Study) -> None:
    """Say what is known in the classes of today; of a class that has ended nothing is known any more."""
    if study.current_protocol.number == 1:
        return
    exact = mapping.exact_codes(study)
    today: dict[str, str] = {}
    for protocol_id in study.protocols.exclude(published_at=None).order_by("number").values_list("pk", flat=True):
        today |= exact[protocol_id]
    known = KnownTruth.objects.filter(region__study=copy)
    known.exclude(label__in=today).delete()
    for name in ("label", "borderline"):
        changes = [When(**{name: old}, then=Value(new)) for old, new in today.items()]
        known.update(**{name: Choice(*changes, default=Value(""))})


def _copy_slides(study: Study, copy: Study) -> None:
    rate = copy.policy.audit_rate
    cases = {
        row.pk: Case.objects.create(
            study=copy,
            code=row.code,
            audit_half=audit.half_of(seed=copy.seed, case_code=row.code, rate=rate),
        )
        for row in Case.objects.filter(study=study).order_by("code")
    }
    domains = {
        row.pk: Domain.objects.create(study=copy, name=row.name, values=row.values)
        for row in Domain.objects.filter(study=study).order_by("name")
    }
    for slide in Slide.objects.filter(study=study).order_by("public_id"):
        shards = list(slide.feature_shards.order_by("encoder_digest", "tiling_digest"))
        slide.study, slide.case, slide.domain = copy, cases[slide.case_id], domains[slide.domain_id]
        slide.pk = None
        slide._state.adding = True
        slide.save()
        for shard in shards:
            shard.pk, shard.slide = None, slide
            shard._state.adding = True
            shard.save()


def _copy_gold(study: Study, copy: Study) -> None:
    """What came with the study; what adjudicators have settled is made by people, and stays there."""
    known = gold_reads.labelled(gold_reads.usable(study).filter(source=GoldSource.FILE), study=study)
    fair = set(
        Region.objects.filter(
            study=copy, audit_half=AuditHalf.NONE, public_id__in=[row.region.public_id for row, _ in known]
        ).values_list("public_id", flat=True)
    )
    for is_test in (False, True):
        rows = [(row.region.public_id, label) for row, label in known if row.is_qualification == is_test]
        kept = [(name, label) for name, label in rows if name in fair]
        if kept:
            gold.add(study=copy, regions_and_labels=kept, is_qualification=is_test)
