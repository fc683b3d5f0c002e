import pytest
from django.contrib.auth.models import Permission

from annotation.models import Membership, Study
from annotation.states import Role
from tests import factories
from tests.annotation import folders


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The server's import folder with one study in it."""
    monkeypatch.setenv("CONCORD_IMPORT_ROOT", str(tmp_path / "open"))
    folders.write_folder(tmp_path / "open" / "blood")
    folders.write_folder(tmp_path / "closed")
    return tmp_path


def send(scene, actor, **body):
    return scene.client(actor).post("/api/import/", {"folder": "blood", "slug": "fresh", **body}, format="json")


@pytest.fixture
def founder(scene):
    """A person who may add studies."""
    scene.people["founder"] = factories.member(factories.study())
    scene.people["founder"].user.user_permissions.add(Permission.objects.get(codename="add_study"))
    return "founder"


def test_founder_imports_a_folder_and_manages_the_study(scene, root, founder):
    response = send(scene, founder)
    assert response.status_code == 200, response.json()
    study = Study.objects.get(slug="fresh")
    assert response.json()["slides_new"] == study.slides.count() > 0
    assert Membership.objects.get(study=study).role == Role.MANAGER
    assert send(scene, founder).json()["slides_new"] == 0


def test_dry_run_writes_nothing(scene, root, founder):
    assert send(scene, founder, dry_run=True).json()["is_new_study"] is True
    assert not Study.objects.filter(slug="fresh").exists()


def test_nobody_imports_into_the_study_of_others(scene, root, founder):
    for actor in (founder, "annotator", "strange manager"):
        assert send(scene, actor, slug=scene.study.slug).status_code == 403


@pytest.mark.parametrize("folder", ["../closed", "/etc", "blood/../../closed", ".", "a\nb"])
def test_folders_outside_the_import_folder_are_refused(scene, root, founder, folder):
    assert send(scene, founder, folder=folder).status_code in (400, 403)
    assert not Study.objects.filter(slug="fresh").exists()


def test_problems_of_the_folder_are_listed(scene, root, founder):
    (root / "open" / "blood" / "slides.csv").unlink()
    response = send(scene, founder)
    assert response.status_code == 400
    assert "slides.csv" in response.json()["error"]["message"]
