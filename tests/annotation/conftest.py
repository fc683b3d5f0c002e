"""A study to work in, and a region to work on, where a test needs no other."""

import pytest

from annotation.models import Pick, Study
from tests import factories


@pytest.fixture
def study(db: None) -> Study:
    """A running study without planted checks."""
    return factories.study(policy={"planted_check_rate": 0.0})


@pytest.fixture
def pick(study: Study) -> Pick:
    """An open pick of the study's one region."""
    return factories.pick(factories.region(factories.slide(study)))
