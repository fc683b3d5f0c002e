"""Rows to arrays and back: what steps read from the database, in an order that repeats.

Decides the order (slides by public id, regions by index), never by keys that another database would number
differently; refuses to know what is computed from the arrays.
"""

import numpy as np
from numpy.typing import NDArray

from annotation.errors import BadInput
from annotation.models import Slide, Study
from learning.features import Encoder, get_encoder


def choose_encoder(study: Study) -> Encoder:
    """The encoder of the study's policy; BadInput lists the known ones."""
    try:
        return get_encoder(study.policy.encoder)
    except ValueError as error:
        raise BadInput(str(error)) from error


def read_rectangles(slide: Slide) -> NDArray[np.int32]:
    """x, y, width, height (N, 4) of a slide's regions in the order of `index`."""
    rows = slide.regions.order_by("index").values_list("x", "y", "width", "height")
    return np.array(list(rows), dtype=np.int32).reshape(-1, 4)
