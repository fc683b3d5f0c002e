"""What nobody was asked about: regions that a model is sure of, and tissue that no region covers.

Decides when something was missed; refuses to know what becomes of it. The audit sample is not ranked, so not missed.
"""

from collections import Counter

import numpy as np

from annotation import store
from annotation.models import ModelVersion, Region, ScoreFile, Slide, Study
from annotation.rules import PassView, Unmarked
from annotation.states import ModelState, RegionState
from learning.query import scores
from learning.review.coverage import count_uncovered
from learning.slides.errors import SlideError
from learning.slides.reader import open_slide
from learning.slides.tissue import find_tissue
from workers import bridge, files

SURE = 0.95
"""Confidence of the active model from which on a region that was never offered counts as missed."""


def find(study: Study, view: PassView) -> tuple[Unmarked, ...]:
    """Per slide: regions of classes under quota that were never offered, and squares of tissue without a region."""
    return (*_find_regions(study, view), *_find_tissue(study))


def _find_regions(study: Study, view: PassView) -> list[Unmarked]:
    model = ModelVersion.objects.filter(study=study, state=ModelState.ACTIVE).first()
    counts = Counter(item.label for item in view.released())
    wanted = {code for code in view.codes if counts[code] < (view.quotas.get(code) or view.policy.default_quota)}
    if model is None or not wanted:
        return []
    found = []
    files_of = ScoreFile.objects.filter(model=model).select_related("slide").order_by("slide__public_id")
    for stored in files_of:
        try:
            said = scores.load(files.path_of(stored.stored_name))
        except scores.ScoresError:
            continue
        pool = Region.objects.filter(slide=stored.slide, state=RegionState.POOL, current_revision=None).learnable()
        never = np.array(sorted(pool.filter(picks=None).values_list("index", flat=True)), dtype=np.int64)
        never = never[never < len(said)]
        sure = never[said.confidence[never] >= SURE]
        for top, count in sorted(Counter(said.top1[sure].tolist()).items()):
            code = model.class_codes[top]
            if code in wanted:
                why = f"regions that the model takes for {code}, a class under quota, were never offered"
                found.append(Unmarked(slide=stored.slide.public_id, region="", why=why, count=count))
    return found


def _find_tissue(study: Study) -> list[Unmarked]:
    found = []
    for slide in Slide.objects.filter(study=study, case__audit_half="").exclude(regions=None).order_by("public_id"):
        rectangles = bridge.read_rectangles(slide)
        try:
            with open_slide(store.slide_path(slide)) as reader:
                count = count_uncovered(find_tissue(reader), dimensions=reader.dimensions, regions=rectangles)
        except (SlideError, OSError):
            continue
        if count:
            why = "squares of tissue lie outside every region"
            found.append(Unmarked(slide=slide.public_id, region="", why=why, count=count))
    return found
