import pytest

from tests.annotation.api import scene as scenes


@pytest.fixture
def scene(db, settings, tmp_path):
    settings.STORE = tmp_path / "store"
    # Static files are looked up when asked for: nothing was collected for a test.
    settings.WHITENOISE_AUTOREFRESH = True
    return scenes.build()
