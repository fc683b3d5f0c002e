"""A store of its own, and studies at the point where a release is cut or refused."""

import pytest

from annotation.models import Finding, LabelClass
from annotation.services import releases
from tests.annotation.consistency_studies import answered, run_pass


@pytest.fixture
def store(settings, tmp_path):
    settings.STORE = tmp_path / "store"
    return settings.STORE


@pytest.fixture
def clean(store):
    study, manager = answered()
    return study, manager, run_pass(study)


@pytest.fixture
def frozen(clean):
    study, manager, row = clean
    release = releases.freeze(study=study, consistency_pass=row, member=manager)
    return study, manager, release, releases.place(release)


@pytest.fixture
def blocked(store):
    """A finished pass with one open blocker."""
    study, manager = answered()
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=3)
    row = run_pass(study)
    return study, manager, row, Finding.objects.get(consistency_pass=row)
