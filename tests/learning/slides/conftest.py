"""Slides for tests: the two real ones, and a small synthetic study made once."""

from pathlib import Path

import pytest

from learning.slides.synthetic.study import write_study


@pytest.fixture(scope="session")
def real_slides(shared: Path) -> Path:
    return shared / "data" / "slides"


@pytest.fixture(scope="session")
def tissue_slide(real_slides: Path) -> Path:
    return real_slides / "CMU-1-Small-Region.svs"


@pytest.fixture(scope="session")
def fluorescence_slide(real_slides: Path) -> Path:
    return real_slides / "hamamatsu-dapi-387.ndpi"


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "study"
    return write_study(folder, seed=5, cases=3, cells_per_slide=9, processes=1)
