"""Examples of classes: open to every member, chosen by managers, never something that still tests people."""

import pytest

from annotation.errors import BadInput, Conflict
from annotation.models import ClassExample
from annotation.selectors import examples as example_reads
from annotation.services import examples, ledger, queue
from annotation.states import RegionState
from tests import factories


@pytest.fixture
def free(scene):
    return factories.region(scene.slide)


def add(scene, region, label="neutrophil", **fields):
    return examples.add(
        study=scene.study, member=scene.people["manager"], region=region.public_id, label=label, **fields
    )


def test_pixels_of_an_example_are_open_to_every_member_and_to_nobody_else(scene, free):
    url = f"{scene.base}regions/{free.public_id}/image.jpg"
    assert scene.client("annotator").get(url).status_code == 404
    add(scene, free, caption="three lobes")
    assert scene.client("annotator").get(url)["Content-Type"] == "image/jpeg"
    assert scene.client("stranger").get(url).status_code == 404
    listed = scene.client("annotator").get(f"{scene.base}examples/").json()
    assert [(row["label"], row["region"]["id"], row["caption"]) for row in listed] == [
        ("neutrophil", free.public_id, "three lobes")
    ]
    examples.remove(study=scene.study, region=free.public_id, label="neutrophil")
    assert scene.client("annotator").get(url).status_code == 404


def test_region_of_the_pool_is_taken_out_of_the_study_when_it_becomes_an_example(scene, free):
    add(scene, free)
    free.refresh_from_db()
    assert free.state == RegionState.EXCLUDED
    assert "example" in free.current_revision.reason
    assert ledger.verify(scene.study).ok


def test_same_example_again_renews_its_caption(scene, free):
    add(scene, free, caption="one")
    add(scene, free, caption="two")
    assert [row.caption for row in example_reads.of_study(scene.study)] == ["two"]


def test_what_still_tests_people_is_no_example(scene, free):
    with pytest.raises(Conflict, match="being asked"):
        add(scene, scene.region)
    queue.claim(member=scene.people["annotator"])
    factories.gold(free, label="neutrophil")
    with pytest.raises(Conflict, match="gold"):
        add(scene, free)
    with pytest.raises(Conflict, match="audit"):
        add(scene, factories.region(scene.slide, audit_half="gate"))
    with pytest.raises(BadInput, match="no class 'banana'"):
        add(scene, free, label="banana")
    assert not ClassExample.objects.exists()


def test_a_manager_adds_and_takes_away_over_http(scene, free):
    client, url = scene.client("manager"), f"{scene.base}examples/"
    body = {"label": "monocyte", "region": free.public_id, "caption": "<script>alert(1)</script>"}
    made = client.post(url, body, format="json")
    assert (made.status_code, made.json()["caption"]) == (201, body["caption"])
    assert client.delete(f"{url}?label=monocyte&region={free.public_id}").status_code == 204
    assert client.get(url).json() == []
