"""Small slides with a planted truth for tests of the loop: coloured discs on a grid, one region each."""

import hashlib

import numpy as np
from PIL import Image

from annotation import store
from annotation.models import Domain, KnownTruth, Region, Slide, Study
from annotation.services import jobs, slides
from annotation.states import JobKind, SlideState
from tests import factories

EDGE = 64
COLOURS = {"neutrophil": (110, 60, 160), "lymphocyte": (60, 70, 190), "monocyte": (170, 90, 120)}


def paint(
    *, columns: int, rows: int, seed: int, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> tuple[np.ndarray, list[str]]:
    """An image of discs on a pale ground, and the class of each disc, row by row; `tint` is the scanner's (RGB)."""
    random = np.random.default_rng(seed)
    image = np.full((rows * EDGE, columns * EDGE, 3), 235, dtype=np.float64)
    codes = [str(code) for code in random.choice(list(COLOURS), size=columns * rows, p=[0.5, 0.35, 0.15])]
    down, across = np.mgrid[:EDGE, :EDGE] - EDGE / 2
    for index, code in enumerate(codes):
        radius = random.uniform(14, 24)
        top, left = divmod(index, columns)
        window = image[top * EDGE : (top + 1) * EDGE, left * EDGE : (left + 1) * EDGE]
        window[np.hypot(down, across) < radius] = np.array(COLOURS[code]) + random.normal(0, 12, 3)
    image = image * tint + random.normal(0, 4, image.shape)
    return image.clip(0, 255).astype(np.uint8), codes


def _place(study: Study, domain: str) -> dict[str, Domain]:
    """The field of a named domain; nothing for the one that the factory gives."""
    if not domain:
        return {}
    row, _ = Domain.objects.get_or_create(study=study, name=domain, defaults={"values": {"lab": domain}})
    return {"domain": row}


def add_slide(
    study: Study,
    *,
    seed: int,
    columns: int = 6,
    rows: int = 4,
    audit_half: str = "",
    with_regions: bool = True,
    domain: str = "",
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Slide:
    """A registered slide with its file in the store, regions and known truth; its tiling is queued."""
    pixels, codes = paint(columns=columns, rows=rows, seed=seed, tint=tint)
    checksum = hashlib.sha256(f"{study.secret}:{seed}:{columns}x{rows}:{domain}".encode()).hexdigest()
    name = store.slide_name(checksum=checksum, suffix=".png")
    path = store.root() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    slide = factories.slide(
        study,
        checksum=checksum,
        stored_name=name,
        case=factories.case(study, f"case-{seed}", audit_half=audit_half),
        state=SlideState.REGISTERED,
        width=columns * EDGE,
        height=rows * EDGE,
        vendor="image",
        um_per_px_x=None,
        um_per_px_y=None,
        **_place(study, domain),
    )
    if with_regions:
        boxes = [(index % columns * EDGE, index // columns * EDGE, EDGE, EDGE) for index in range(len(codes))]
        slides.add_regions(study=study, slide=slide, rectangles=boxes)
        regions = Region.objects.filter(slide=slide).order_by("y", "x")
        KnownTruth.objects.bulk_create(
            KnownTruth(region=region, label=code) for region, code in zip(regions, codes, strict=True)
        )
    jobs.enqueue(study=study, kind=JobKind.TILE_SLIDE, key=slide.public_id)
    return slide
