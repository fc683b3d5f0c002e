"""Pictures in a release: the pixels of the slide, the same bytes each time."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotation.errors import Conflict
from annotation.models import (
    Release,
    Slide,
)
from annotation.releasing import files, tables
from annotation.releasing.verify import verify
from annotation.services import releases
from tests.annotation.consistency_studies import decided, run_pass

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictured(store):
    """A clean pass of a study that wants pictures, on slides that are there."""
    study, manager = decided(regions=6, slides=2, policy={"release_crops": True})
    for number, row in enumerate(Slide.objects.filter(study=study).order_by("id")):
        path = store / row.stored_name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(
            0, 256, size=(row.height // 8, row.width // 8, 3), dtype=np.uint8
        )
        Image.fromarray(pixels).resize((row.width, row.height)).save(path)
    return study, manager, run_pass(study)


def test_pictures_are_the_pixels_of_the_slide_by_split_and_class(pictured):
    study, manager, row = pictured
    where = releases.place(releases.freeze(study=study, consistency_pass=row, member=manager))
    assert verify(where).problems == []
    rows = tables.read(where / "labels.csv")
    assert len(list(where.glob("crops/*/*/*.png"))) == len(rows) == 6
    for line in rows:
        crop = np.asarray(Image.open(where / "crops" / line["split"] / line["label"] / f"{line['region']}.png"))
        slide = np.asarray(Image.open(store_of(study, line["slide"])))
        x, y, width, height = (int(line[key]) for key in ("x", "y", "width", "height"))
        assert np.array_equal(crop, slide[y : y + height, x : x + width])


def store_of(study, slide: str) -> Path:
    return releases.root().parent / Slide.objects.get(study=study, public_id=slide).stored_name


def test_pictures_cut_again_are_the_same_bytes(pictured):
    study, manager, row = pictured
    where = releases.place(releases.freeze(study=study, consistency_pass=row, member=manager))
    before = {name: path.read_bytes() for name, path in files.listed(where).items()}
    shutil.rmtree(where)
    releases.freeze(study=study, consistency_pass=row)
    assert {name: path.read_bytes() for name, path in files.listed(where).items()} == before


def test_a_slide_that_is_gone_is_named_and_nothing_is_cut(pictured):
    study, manager, row = pictured
    gone = Slide.objects.filter(study=study).order_by("public_id").last()
    store_of(study, gone.public_id).unlink()
    with pytest.raises(Conflict, match=f"Slide {gone.public_id} can't be read"):
        releases.freeze(study=study, consistency_pass=row, member=manager)
    assert not Release.objects.exists() and not list(releases.root().iterdir())
