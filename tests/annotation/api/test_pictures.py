import io

import pytest
from PIL import Image

from annotation.services import queue
from tests import factories


def image_url(scene, name="image.jpg"):
    return f"{scene.base}regions/{scene.region.public_id}/{name}"


def open_jpeg(response):
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "image/jpeg"
    return Image.open(io.BytesIO(response.content))


def test_annotator_sees_a_region_only_from_its_assignment_on(scene):
    client = scene.client("annotator")
    assert client.get(image_url(scene)).status_code == 404
    lease = queue.claim(member=scene.people["annotator"])
    assert open_jpeg(client.get(image_url(scene), {"edge": 200})).size == (200, 200)
    queue.release(member=scene.people["annotator"], token=lease.token)
    assert open_jpeg(client.get(image_url(scene, "thumbnail.jpg"))).size == (96, 96)
    assert scene.client("adjudicator").get(image_url(scene)).status_code == 404


def test_whole_slides_are_for_managers(scene):
    base = f"{scene.base}slides/{scene.slide.public_id}/"
    queue.claim(member=scene.people["annotator"])
    for name in ("thumbnail.jpg", "tiles/9/0_0.jpg"):
        assert scene.client("annotator").get(base + name).status_code == 404
        open_jpeg(scene.client("manager").get(base + name))
    assert open_jpeg(scene.client("manager").get(base + "tiles/9/1_0.jpg")).size == (64, 256)


def test_tile_outside_the_pyramid_is_404(scene):
    base = f"{scene.base}slides/{scene.slide.public_id}/tiles/"
    for name in ("99/0_0.jpg", "9/5_0.jpg"):
        response = scene.client("manager").get(base + name)
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "missing"


def test_browser_keeps_pixels_but_access_is_asked_first(scene):
    client = scene.client("manager")
    first = client.get(image_url(scene))
    assert "private" in first["Cache-Control"]
    assert {"Authorization", "Cookie"} <= set(first["Vary"].replace(" ", "").split(","))
    again = client.get(image_url(scene), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(image_url(scene), {"edge": 64})["ETag"] != first["ETag"]
    stranger = scene.client("annotator").get(image_url(scene), headers={"If-None-Match": first["ETag"]})
    assert stranger.status_code == 404


@pytest.mark.parametrize(
    "query", [{"edge": "4000"}, {"edge": "x"}, {"context": "nan"}, {"context": "100"}, {"x__gt": "1"}]
)
def test_sizes_out_of_bounds_are_refused(scene, query):
    response = scene.client("manager").get(image_url(scene), query)
    assert response.status_code == 400
    assert next(iter(query)) in response.json()["error"]["message"]


def test_unreadable_slide_is_said_without_its_path(scene, settings):
    (settings.STORE / scene.slide.stored_name).unlink()
    response = scene.client("manager").get(image_url(scene))
    assert response.status_code == 422
    assert scene.slide.stored_name not in response.content.decode()


def test_neither_lease_nor_picture_headers_name_slide_or_case(scene):
    client = scene.client("annotator")
    lease = client.post(f"{scene.base}queue/claim/", {}, format="json")
    picture = client.get(lease.json()["lease"]["region"]["image"])
    for secret in (scene.slide.public_id, scene.slide.checksum, scene.slide.case.code):
        assert secret not in lease.content.decode()
        assert secret not in str(picture.headers)
        assert secret.encode() not in picture.content


def test_uploaded_slide_is_registered_without_its_name(scene):
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(buffer, format="PNG")
    buffer.name = "Mueller_1961.png"
    buffer.seek(0)
    body = {"file": buffer, "case": "Mueller", "domain": '{"lab": "north"}'}
    response = scene.client("manager").post(f"{scene.base}slides/upload/", body, format="multipart")
    assert response.status_code == 201, response.json()
    assert (response.json()["width"], response.json()["height"]) == (300, 200)
    assert "ueller" not in response.content.decode()
    assert scene.study.slides.count() == 2
    bad = {"file": io.BytesIO(b"no picture"), "case": "x", "domain": '{"lab": "north"}'}
    refused = scene.client("manager").post(f"{scene.base}slides/upload/", bad, format="multipart")
    assert refused.status_code == 400


def test_pages_of_regions_reach_every_region_once(scene):
    for _ in range(6):
        factories.region(scene.slide)
    client, seen, after = scene.client("manager"), [], None
    while True:
        query = {"size": 3} | ({"after": after} if after else {})
        page = client.get(f"{scene.base}regions/", query).json()
        seen += [row["id"] for row in page["results"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert client.get(f"{scene.base}regions/", {"after": "nosuch"}).status_code == 400
    assert client.get(f"{scene.base}regions/", {"study__secret": "0"}).status_code == 400
