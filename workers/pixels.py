"""The pixels of regions on several slides, each slide opened once.

Decides the order of reading; refuses to know what the pixels are for.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from annotation import store
from annotation.models import Slide, Study
from learning.slides.reader import open_slide
from learning.slides.tiles import read_patch


def read(
    study: Study,
    public_ids: Sequence[str],
    rectangles: NDArray[np.integer],
    *,
    edge: int,
    after_slide: Callable[[], None] = lambda: None,
) -> NDArray[np.uint8]:
    """Pixels (N, edge, edge, 3) of rectangles (N, 4) in level-0 pixels on the slides of those ids; N may be 0.

    `after_slide` may raise to stop. Raises SlideError for a slide that cannot be read.
    """
    pixels = np.zeros((len(rectangles), edge, edge, 3), dtype=np.uint8)
    names = np.asarray(public_ids)
    for slide in Slide.objects.filter(study=study, public_id__in=set(public_ids)).order_by("public_id"):
        with open_slide(store.slide_path(slide)) as reader:
            for row in np.flatnonzero(names == slide.public_id).tolist():
                x, y, width, height = rectangles[row].tolist()
                pixels[row] = read_patch(reader, x=x, y=y, width=width, height=height, edge=edge)
        after_slide()
    return pixels
