"""What reading a slide leaves behind: regions, their pixel digests, features; or a sentence why it failed.

Decides the states a slide passes; refuses to know how pixels are read.
"""

from django.db import transaction

from annotation.errors import Conflict
from annotation.models import FeatureShard, Region, Slide
from annotation.services import jobs
from annotation.states import JobKind, SlideState, may_move


def start(*, slide: Slide) -> Slide:
    """Give a failed slide another try; any other is returned as it is."""
    if slide.state == SlideState.FAILED:
        slide = _move(slide, SlideState.REGISTERED)
        slide.failure = ""
        slide.save(update_fields=["state", "failure"])
    return slide


def store_pixel_digests(*, regions: list[Region]) -> None:
    """Write the `pixel_digest` that each of these regions carries."""
    Region.objects.bulk_update(regions, ["pixel_digest"], batch_size=500)


@transaction.atomic
def mark_tiled(*, slide: Slide, tiling_digest: str, region_count: int) -> None:
    """Say that all regions of the slide exist, and have its features computed."""
    if slide.state != SlideState.TILED:
        slide = _move(slide, SlideState.TILED)
    slide.tiling_digest, slide.region_count = tiling_digest, region_count
    slide.save(update_fields=["state", "tiling_digest", "region_count"])
    jobs.enqueue(study=slide.study, kind=JobKind.EMBED_SLIDE, key=slide.public_id, again=True)


def mark_failed(*, slide: Slide, failure: str) -> None:
    """Say in a sentence why the slide can't be used; the other slides go on without it."""
    slide = _move(slide, SlideState.FAILED)
    slide.failure = failure
    slide.save(update_fields=["state", "failure"])


def record_shard(*, slide: Slide, encoder_digest: str, stored_name: str, checksum: str, rows: int) -> FeatureShard:
    """The row of a slide's features under one encoder."""
    shard, _ = FeatureShard.objects.get_or_create(
        slide=slide,
        tiling_digest=slide.tiling_digest,
        encoder_digest=encoder_digest,
        defaults={"stored_name": stored_name, "checksum": checksum, "rows": rows},
    )
    return shard


def _move(slide: Slide, target: SlideState) -> Slide:
    if not may_move(slide.state, target, of=SlideState):
        raise Conflict(f"Slide {slide.public_id} is {slide.state} and can't become {target}.")
    slide.state = target
    return slide
