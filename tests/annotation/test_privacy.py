"""A study whose files, folders, cases and metadata carry a canary, through to a release: nothing that people, the
database, the store or the logs can show says it again."""

import csv
import io
import logging
import secrets
from pathlib import Path

import numpy as np
import pytest
import tifffile
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.urls import reverse
from PIL import Image, PngImagePlugin

from annotation import store
from annotation.models import Annotation, Finding, Job, Region, Slide
from annotation.services import imports, releases, studies
from annotation.states import Role
from project.places import find_place, var_folder
from tests import factories
from tests.annotation.api.scene import ACTORS, Scene
from tests.annotation.api.test_authorization import address, routes
from tests.annotation.folders import TOML
from workers import base

EDGE = 512
BOXES = ((10, 20), (300, 200), (150, 400))
LABEL_COLOUR = (255, 0, 255)
POLICY = "batch_size = 40\nmin_overlap = 2\ntarget_confidence = 0.7\nplanted_check_rate = 0.0\n"
ROWLESS = ("schema", "docs")
ARTIST, DOCUMENT_NAME, COMMENT = 315, 269, 0x9C9C


pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.STORE = tmp_path / "store"
    # Static files are looked up when asked for: nothing was collected for a test.
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def canary() -> str:
    """New in each run, so that no log of an earlier one holds it; short enough for a file's suffix."""
    return "Q" + secrets.token_hex(4)[:7]


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 200, (EDGE, EDGE, 3), dtype=np.uint8)


def write_slide_with_label(path: Path, *, canary: str) -> None:
    """A tiled TIFF of Aperio's kind: description, artist and document name, and a label page."""
    label = np.full((64, 64, 3), LABEL_COLOUR, dtype=np.uint8)
    words = f"Aperio Image Library v1\r\n512x512 [0,0 512x512] (256x256)|AppMag = 40|MPP = 0.25|Filename = {canary}"
    names = [(tag, "s", 0, canary, True) for tag in (ARTIST, DOCUMENT_NAME)]
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(noise(1), tile=(256, 256), photometric="rgb", description=words, extratags=names, metadata=None)
        tiff.write(label, photometric="rgb", description=f"Aperio\r\nlabel 64x64 {canary}", metadata=None)


def write_pictures(folder: Path, *, canary: str) -> None:
    """A PNG and a JPEG with the canary in text chunk, EXIF and comment."""
    exif = Image.Exif()
    exif[ARTIST], exif[DOCUMENT_NAME], exif[COMMENT] = canary, canary, canary
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", canary)
    Image.fromarray(noise(2)).save(folder / f"{canary}.png", pnginfo=text, exif=exif)
    Image.fromarray(noise(3)).save(folder / f"{canary}.jpg", exif=exif, comment=canary.encode(), xmp=canary.encode())


def write_folder(root: Path, *, canary: str) -> Path:
    """The study folder; every name in it that may name a person does."""
    folder = root / canary
    (folder / canary).mkdir(parents=True)
    names = [f"{canary}/{canary}.{canary}", f"{canary}/{canary}.png", f"{canary}/{canary}.jpg"]
    write_slide_with_label(folder / names[0], canary=canary)
    write_pictures(folder / canary, canary=canary)
    (folder / "study.toml").write_text(TOML.split("[policy]")[0] + "[policy]\n" + POLICY)
    regions = [(f"{canary}-{name}-{x}", name, x, y) for name in names for x, y in BOXES]
    tables = {
        "slides": [
            ("path", "case", "lab"),
            *((name, f"{canary} {index}", "north") for index, name in enumerate(names)),
        ],
        "regions": [("id", "slide", "x", "y", "width", "height"), *((*row, 32, 32) for row in regions)],
        "truth": [("region", "label"), *((row[0], "round") for row in regions)],
        "votes": [("region", "annotator", "label"), *((row[0], f"Dr {canary}", "long") for row in regions)],
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


def build_scene(folder: Path) -> Scene:
    """The imported study, read and ranked, with people in every role."""
    study = imports.import_folder(folder).study
    assert study is not None
    other = factories.study()
    people = {
        "stranger": factories.member(other),
        "annotator": factories.member(study),
        "second": factories.member(study),
        "adjudicator": factories.member(study, Role.ADJUDICATOR),
        "strange manager": factories.member(other, Role.MANAGER),
        "manager": factories.member(study, Role.MANAGER),
    }
    study = studies.open_study(study=study)
    base.run_ready(study)
    region = Region.objects.filter(study=study).order_by("pk").first()
    assert region is not None and region.slide is not None
    return Scene(study=study, slide=region.slide, region=region, people=people)


def answer_all(scene: Scene, *, bodies: list[bytes]) -> None:
    """Two people answer all there is over HTTP; what they are sent is kept."""
    for actor in ("annotator", "second"):
        client = scene.client(actor)
        for number in range(100):
            claimed = client.post(f"{scene.base}queue/claim/", {}, format="json")
            lease = claimed.json()["lease"]
            bodies += [claimed.content]
            if lease is None:
                break
            for picture in (lease["region"]["image"], lease["region"]["thumbnail"]):
                bodies.append(client.get(picture).content)
            answer = {"kind": "class", "label": "round"}
            body = {"token": lease["token"], "answer": answer, "idempotency_key": f"{actor} {number}"}
            bodies.append(client.post(f"{scene.base}queue/submit/", body, format="json").content)


def release(scene: Scene, *, bodies: list[bytes]) -> Path:
    """A pass, its blockers waived, and a release, over HTTP; the release's folder."""
    client = scene.client("manager")
    bodies.append(client.post(f"{scene.base}passes/", {}, format="json").content)
    base.run_ready(scene.study)
    for finding in Finding.objects.filter(consistency_pass__study=scene.study):
        url = f"{scene.base}passes/1/findings/{finding.pk}/waive/"
        bodies.append(client.post(url, {"reason": "Known."}, format="json").content)
    cut = client.post(f"{scene.base}releases/", {"consistency_pass": 1}, format="json")
    assert cut.status_code == 201, cut.content
    bodies.append(cut.content)
    return releases.place(scene.study.releases.get())


def read_api(scene: Scene) -> list[bytes]:
    """Every GET of the API that shows rows, for everybody, for each slide."""
    ids = {"job": Job.objects.filter(study=scene.study).first().pk}  # type: ignore[union-attr]
    found, opened = [], set()
    slides = [(slide, slide.regions.order_by("pk").first()) for slide in Slide.objects.filter(study=scene.study)]
    for slide, region in slides:
        place = Scene(study=scene.study, slide=slide, region=region, people=scene.people)
        for name in [name for name, method in routes() if method == "get" and name not in ROWLESS]:
            for actor in ACTORS:
                response = place.client(actor).get(address(name, place, **ids))
                found += [response.getvalue(), str(response.headers).encode()]
                opened |= {name} if response.status_code == 200 else set()
    assert {"slide-tile", "slide-thumbnail", "region-image", "regions", "slides", "release-file"} <= opened
    return found


def read_admin(scene: Scene, client) -> list[bytes]:
    """Every list of the admin, and pages of rows, as a superuser sees them."""
    client.force_login(get_user_model().objects.create_superuser("root"))
    found = []
    for model in admin.site._registry:
        base_name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(client.get(reverse(f"{base_name}_changelist")).content)
        for row in model._default_manager.all()[:4]:
            found.append(client.get(reverse(f"{base_name}_change", args=[row.pk])).content)
    return found


def rows_that_say(word: str) -> list[str]:
    """The tables of the database with `word` in any column."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE %s', [f"%{word}%"])
            found += [table] if cursor.fetchone()[0] else []
    return found


def files_that_say(word: bytes, folder: Path, *, but: str = "") -> list[str]:
    """The files below `folder` whose name or content holds `word`; contents below `but` are left out."""
    found = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        content = path.read_bytes() if path.is_file() and not (but and name.parts[0] == but) else b""
        found += [str(name)] if word in content.lower() or word in str(name).lower().encode() else []
    return found


def test_canary_of_the_files_is_never_said_again(tmp_path, client, canary, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    bodies: list[bytes] = []
    scene = build_scene(write_folder(tmp_path / "in", canary=canary))
    answer_all(scene, bodies=bodies)
    assert Annotation.objects.filter(study=scene.study).count() == 2 * 3 * len(BOXES)
    folder = release(scene, bodies=bodies)
    bodies += read_api(scene) + read_admin(scene, client)

    word = canary.lower().encode()
    assert [body[:200] for body in bodies if word in body.lower()] == []
    assert files_that_say(word, folder) == []
    # The slide's own bytes are kept as they came; nobody is sent them.
    assert files_that_say(word, store.root(), but="slides") == []
    assert rows_that_say(canary) == []
    assert word.decode() not in caplog.text.lower()
    assert word.decode() not in "".join(capfd.readouterr()).lower()
    assert files_that_say(word, find_place(var_folder()).log) == []


def test_label_and_metadata_of_a_slide_are_in_no_picture(tmp_path, canary):
    scene = build_scene(write_folder(tmp_path / "in", canary=canary))
    for slide in Slide.objects.filter(study=scene.study):
        base_url = f"{scene.base}slides/{slide.public_id}/"
        region = slide.regions.first()
        names = [f"{base_url}thumbnail.jpg", f"{base_url}tiles/9/0_0.jpg", f"{base_url}tiles/0/0_0.jpg"]
        names.append(f"{scene.base}regions/{region.public_id}/image.jpg")
        for name in names:
            picture = Image.open(io.BytesIO(scene.client("manager").get(name).content))
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"} and not picture.getexif()
            far = np.abs(np.asarray(picture).astype(int) - LABEL_COLOUR).max(axis=2)
            assert far.min() > 30
    aperio = Slide.objects.get(study=scene.study, vendor="aperio")
    assert (aperio.um_per_px_x, aperio.objective) == (0.25, 40.0)
