"""Slides entering a study: rows of slide, case, domain and regions, and the work that follows.

Decides natural keys, opaque names and the audit sample; refuses to read pixels beyond the first look.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Model
from psycopg import sql

from annotation import audit, clock, store
from annotation.errors import BadInput
from annotation.models import Case, Domain, Gold, KnownTruth, RecordedVote, Region, Slide, Study
from annotation.services import jobs
from annotation.states import AuditHalf, GoldSource, JobKind, RegionState
from annotation.studyfolder import RegionPlan, SlidePlan, TruthPlan, VotePlan, probe_slide
from learning.slides.errors import SlideError

NO_DOMAIN = "all"
BOX = ("x", "y", "width", "height")
Rectangle = tuple[int, int, int, int]


def register(*, study: Study, path: Path, case: str, domain: Mapping[str, str]) -> Slide:
    """Register one slide file; the slide of the same content is returned where the study has it.

    BadInput where it can't be decoded, or where `domain` does not have the study's columns.
    """
    if not case.strip():
        raise BadInput("A slide needs the name of its case: whole cases are drawn into the audit sample.")
    if set(domain) != set(study.domains) or not all(value.strip() for value in domain.values()):
        wanted = ", ".join(study.domains) or "none"
        raise BadInput(f"A slide of this study needs a value for each of its domain columns: {wanted}.")
    try:
        facts = probe_slide(path)
    except SlideError as error:
        raise BadInput(f"The slide can't be used: {error.reason} {error.remedy}") from error
    plan = SlidePlan(name="", path=path, line=0, case=case.strip(), domain=dict(domain), **facts)
    stored_name = store.put_slide(path, checksum=plan.checksum)
    with transaction.atomic():
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        known = Slide.objects.filter(study=study, checksum=plan.checksum).select_related("case").first()
        if known is not None:
            check_case(known, plan, study=study)
            return known
        slide = add(study=study, plan=plan, stored_name=stored_name)
        prepare(slide, study=study)
        return slide


def check_case(known: Slide, plan: SlidePlan, *, study: Study) -> None:
    """BadInput where a slide comes again under another case: it would stand in two splits."""
    if known.case.code != case_code(study, plan.case):
        where = f" '{plan.name}'" if plan.name else ""
        raise BadInput(f"The slide{where} is in the study already, under another case. Use the case it has.")


def case_code(study: Study, name: str) -> str:
    """The opaque code of a case's name."""
    return study.opaque_id("case", name)


def add(*, study: Study, plan: SlidePlan, stored_name: str) -> Slide:
    """Write the rows of one new slide, of its case and of its domain."""
    across, down = plan.um_per_px or (None, None)
    return Slide.objects.create(
        study=study,
        case=_case(study, plan.case),
        domain=_domain(study, plan.domain),
        public_id=study.opaque_id("slide", plan.checksum),
        checksum=plan.checksum,
        stored_name=stored_name,
        size_bytes=plan.size_bytes,
        width=plan.width,
        height=plan.height,
        levels=plan.levels,
        um_per_px_x=across,
        um_per_px_y=down,
        objective=plan.objective,
        vendor=plan.vendor,
        properties=plan.properties,
    )


def prepare(slide: Slide, *, study: Study) -> None:
    """Queue what a new slide needs: its regions, and what follows from them."""
    jobs.enqueue(study=study, kind=JobKind.TILE_SLIDE, key=slide.public_id, payload={"slide": slide.pk})


def _case(study: Study, name: str) -> Case:
    code = case_code(study, name)
    half = audit.half_of(seed=study.seed, case_code=code, rate=study.policy.audit_rate)
    return Case.objects.get_or_create(study=study, code=code, defaults={"audit_half": half})[0]


def _domain(study: Study, values: Mapping[str, str]) -> Domain:
    name = " / ".join(values[column] for column in study.domains) or NO_DOMAIN
    if len(name) > 200:
        raise BadInput(f"The domain '{name[:40]}...' is longer than 200 characters. Shorten its values.")
    return Domain.objects.get_or_create(study=study, name=name, defaults={"values": dict(values)})[0]


def add_regions(*, study: Study, slide: Slide, rectangles: Iterable[Rectangle]) -> int:
    """Write the regions of a slide that has none, in the order of rows and columns; how many there are."""
    rows = sorted(set(rectangles), key=lambda box: (box[1], box[0], box[3], box[2]))
    half, state = slide.case.audit_half, RegionState.POOL
    _copy(
        Region,
        ("study_id", "slide_id", "public_id", "index", *BOX, "pixel_digest", "audit_half", "state"),
        (
            (study.pk, slide.pk, study.opaque_id("region", slide.checksum, *box), index, *box, "", half, state)
            for index, box in enumerate(rows)
        ),
    )
    slide.region_count = len(rows)
    slide.save(update_fields=["region_count"])
    return len(rows)


def add_knowledge(
    *,
    study: Study,
    slide: Slide,
    regions: Iterable[RegionPlan],
    truth: Mapping[str, TruthPlan],
    votes: Mapping[str, list[VotePlan]],
) -> tuple[int, int]:
    """Write known truth, gold and recorded votes of a slide's regions; how many of the first and the last.

    A case of the audit sample has no gold: who has been tested on a region can't answer it blind any more.
    """
    boxes = Region.objects.filter(slide=slide).values_list(*BOX, "pk")
    keys: dict[Rectangle, int] = {(x, y, width, height): pk for x, y, width, height, pk in boxes}
    named = [(plan.name, keys[plan.x, plan.y, plan.width, plan.height]) for plan in regions]
    told = [(pk, plan) for name, pk in named if (plan := truth.get(name)) is not None]
    known = [(pk, plan.label, plan.borderline) for pk, plan in told]
    gold = [] if slide.case.audit_half != AuditHalf.NONE else [(pk, plan.label) for pk, plan in told if plan.is_gold]
    recorded = [
        (pk, study.opaque_id("annotator", vote.annotator), vote.label, vote.seconds)
        for name, pk in named
        for vote in votes.get(name, [])
    ]
    _copy(KnownTruth, ("region_id", "label", "borderline"), known)
    if gold:
        rules, at = study.current_protocol.pk, clock.now()
        rows = ((pk, rules, label, GoldSource.FILE.value, False, at) for pk, label in gold)
        _copy(Gold, ("region_id", "protocol_id", "label", "source", "is_qualification", "added_at"), rows)
    _copy(RecordedVote, ("region_id", "annotator", "label", "seconds"), recorded)
    return len(known), len(recorded)


def _copy(model: type[Model], columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """Write many rows by COPY: for a whole slide's regions several times faster than INSERT."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row(row)
