"""From a slide to its regions: those of the study folder, or tissue cut into squares.

Decides what a slide's regions are and digests their pixels; refuses to know features and labels. A slide that
can't be read is failed with a sentence, and the others go on.
"""

from typing import Any

from annotation import store
from annotation.errors import BadInput, ConcordError
from annotation.models import Job, Region, Slide
from annotation.services import reading, slides
from annotation.states import SlideState
from learning.slides.errors import SlideError
from learning.slides.reader import SlideReader, open_slide
from learning.slides.tiles import pixel_digest
from learning.slides.tiling import edge_for, tile, tiling_digest
from learning.slides.tissue import find_tissue
from workers import bridge
from workers.progress import Progress

BLOCK = 500
DIGEST_EDGE = 512
"""Larger regions are digested at this size: equal pixels stay equal, and whole levels need not be read."""


def run(job: Job, report: Progress) -> dict[str, Any]:
    """Make the regions of the slide that the job's key names, and queue its features."""
    slide = Slide.objects.select_related("study", "case").get(study=job.study, public_id=job.key)
    with report.fenced():
        slide = reading.start(slide=slide)
    if slide.state == SlideState.TILED:
        return {"regions": slide.region_count}
    try:
        with open_slide(store.slide_path(slide)) as reader:
            _cut(slide, reader, report)
            _digest(slide, reader, report)
    except (SlideError, ConcordError) as error:
        with report.fenced():
            reading.mark_failed(slide=slide, failure=_sentence(error))
        raise
    rectangles = bridge.read_rectangles(slide)
    with report.fenced():
        reading.mark_tiled(slide=slide, tiling_digest=tiling_digest(rectangles), region_count=len(rectangles))
    return {"regions": len(rectangles)}


def _cut(slide: Slide, reader: SlideReader, report: Progress) -> None:
    if slide.regions.exists():
        return
    study = slide.study
    if study.region_width != study.region_height:
        raise BadInput(
            f"Slides without regions.csv are cut into squares, but the study asks for "
            f"{study.region_width} x {study.region_height}. Give equal sizes, or a regions.csv."
        )
    tissue = find_tissue(reader)
    edge = edge_for(
        region_px=study.region_width,
        requested_um_per_px=study.region_um_per_px,
        slide_pixel_size=reader.pixel_size,
    )
    rectangles = tile(
        dimensions=reader.dimensions,
        tissue=tissue,
        edge_px=edge,
        min_tissue=study.policy.tile_min_tissue,
        progress=report,
    )
    if not len(rectangles):
        raise BadInput(
            f"No square of {edge} px holds enough tissue ({tissue.share:.0%} of the slide is tissue). "
            "Lower the policy's tile_min_tissue, ask for smaller regions, or give a regions.csv."
        )
    with report.fenced():
        slide.tissue_share = tissue.share
        slide.save(update_fields=["tissue_share"])
        slides.add_regions(study=study, slide=slide, rectangles=[tuple(box) for box in rectangles.tolist()])


def _digest(slide: Slide, reader: SlideReader, report: Progress) -> None:
    missing = list(slide.regions.filter(pixel_digest="").order_by("index"))
    for start in range(0, len(missing), BLOCK):
        block = missing[start : start + BLOCK]
        for offset, region in enumerate(block):
            region.pixel_digest = _digest_region(region, reader)
            report(start + offset + 1, len(missing))
        with report.fenced():
            reading.store_pixel_digests(regions=block)


def _digest_region(region: Region, reader: SlideReader) -> str:
    scale = min(1.0, DIGEST_EDGE / max(region.width, region.height))
    pixels = reader.read(
        region.x,
        region.y,
        region.width,
        region.height,
        out_width=max(1, round(region.width * scale)),
        out_height=max(1, round(region.height * scale)),
    )
    return pixel_digest(pixels)


def _sentence(error: SlideError | ConcordError) -> str:
    # Without the path: file names never leave ingest.
    return f"{error.reason} {error.remedy}" if isinstance(error, SlideError) else error.message
