"""Our thresholds beside scikit-image's, which the web process is too light to load."""

import numpy as np
import pytest
from skimage import data
from skimage.filters import threshold_multiotsu, threshold_otsu
from skimage.morphology import remove_small_objects

from learning.slides import thresholds

PICTURES = ("camera", "coins", "moon", "page")


@pytest.fixture(params=PICTURES)
def picture(request):
    return getattr(data, request.param)().astype(np.float32) / 255


def test_two_groups_are_split_where_scikit_image_splits_them(picture):
    assert thresholds.otsu(picture) == pytest.approx(float(threshold_otsu(picture)), abs=1e-7)


def test_three_groups_are_split_where_scikit_image_splits_them(picture):
    assert thresholds.otsu_three(picture) == pytest.approx(tuple(threshold_multiotsu(picture, classes=3)), abs=1e-7)


@pytest.mark.parametrize("largest", [1, 20, 400])
def test_small_pieces_go_as_scikit_image_removes_them(picture, largest):
    mask = picture > 0.5
    expected = remove_small_objects(mask, max_size=largest)
    assert np.array_equal(thresholds.drop_small(mask, largest=largest), expected)
