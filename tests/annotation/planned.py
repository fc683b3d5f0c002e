"""A study as a manager sets it up, step by step through the services; each test changes what it is about."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from annotation import checklist
from annotation.models import Membership, Study
from annotation.services import members, setup, staging
from annotation.states import Role
from tests import factories

CLASSES = [
    {"code": "round", "name": "Round cell", "colour": "#d95f02", "key": "1", "definition": "A round cell."},
    {"code": "long", "name": "Long cell", "colour": "#1b9e77", "key": "2", "definition": "A long cell.", "quota": 3},
    {"code": "unclear", "name": "Not evaluable", "colour": "#333333", "key": "9", "definition": "x", "special": True},
]


def picture(seed: int, *, width: int = 320, height: int = 256) -> bytes:
    """A PNG with dark noise in its left half and white glass in its right one."""
    pixels = np.full((height, width, 3), 250, dtype=np.uint8)
    pixels[:, : width // 2] = np.random.default_rng(seed).integers(60, 160, (height, width // 2, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def write_picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(seed))


def begin(*, definition: str = "", slug: str = "planned") -> Membership:
    """A draft and its manager."""
    user = factories.UserFactory()
    return setup.begin(user=user, slug=slug, name="" if definition else "Planned cells", definition=definition)


def send(study: Study, *, seed: int, name: str = ""):
    content = picture(seed)
    name = name or f"slide-{seed}.png"
    return staging.stage_upload(study=study, stream=io.BytesIO(content), name=name, size=len(content))


def fill(study: Study, *, slides: int = 2) -> None:
    """Everything that a launch needs."""
    setup.save_domains(study=study, domains=["lab"], renamed={})
    study.refresh_from_db()
    for seed in range(slides):
        row = send(study, seed=seed)
        staging.describe(slide=row, case=f"case-{seed}", domain={"lab": "north" if seed % 2 else "south"})
    setup.save_classes(study=study, classes=CLASSES, guideline="Look at the middle.")
    setup.save_region(study=study, edge=32, um_per_px=None)
    for name in ("ada", "bob"):
        members.open_account(study=study, username=f"{study.slug}-{name}", role=Role.ANNOTATOR)
    answers = {one.key: f"Answer to {one.key}." for one in checklist.QUESTIONS.values()}
    setup.save_checklist(study=study, answers=answers | {checklist.SECONDS: "6"})
