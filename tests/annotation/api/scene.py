"""A study with a real picture, people in every role, and a second study whose people are strangers."""

import io
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from annotation.models import ConsistencyPass, Finding, Membership, Region, Slide, Study
from annotation.states import PassState, Role, Severity
from tests import factories

ACTORS = ("anonymous", "stranger", "annotator", "adjudicator", "strange manager", "manager")


@dataclass
class Scene:
    study: Study
    slide: Slide
    region: Region
    people: dict[str, Membership]

    def client(self, actor: str) -> APIClient:
        """An HTTP client signed in as `actor`."""
        client = APIClient()
        if actor != "anonymous":
            client.force_authenticate(self.people[actor].user)
        return client

    @property
    def base(self) -> str:
        return f"/api/studies/{self.study.slug}/"


def build(**policy: object) -> Scene:
    """Rows and the slide's file; the region is in the queue and nobody has it."""
    study = factories.study(secret="5e" * 32, policy={"planted_check_rate": 0.0, **policy})
    other = factories.study()
    slide = factories.slide(study, width=320, height=256, levels=[[320, 256, 1.0]], vendor="image")
    slide.stored_name = slide.stored_name.replace(".tiff", ".png")
    slide.save(update_fields=["stored_name"])
    write_picture(slide)
    region = factories.region(slide)
    factories.pick(region)
    people = {
        "stranger": factories.member(other),
        "annotator": factories.member(study),
        "adjudicator": factories.member(study, Role.ADJUDICATOR),
        "strange manager": factories.member(other, Role.MANAGER),
        "manager": factories.member(study, Role.MANAGER),
    }
    return Scene(study=study, slide=slide, region=region, people=people)


def add_pass(study: Study) -> ConsistencyPass:
    """The study's next pass, still running: only then may items and findings join it."""
    return ConsistencyPass.objects.create(
        study=study,
        number=study.passes.count() + 1,
        ledger_position=0,
        ledger_digest="0" * 64,
        numbers={"released": 1},
        created_at=timezone.now(),
    )


def add_finding(
    row: ConsistencyPass,
    *,
    region: Region,
    counterpart: Region | None = None,
    severity: str = Severity.BLOCKER,
) -> Finding:
    """An open finding about a region."""
    return Finding.objects.create(
        consistency_pass=row,
        rule="unresolved",
        severity=severity,
        region=region,
        counterpart=counterpart,
        message="Nobody has decided over this region.",
        fix="adjudicate",
        data={"version": 1, "evidence_digest": "0" * 64},
    )


def finish(row: ConsistencyPass) -> None:
    """End the pass well."""
    row.state, row.finished_at = PassState.DONE, timezone.now()
    row.save(update_fields=["state", "finished_at"])


def add_blocker(scene: Scene) -> Finding:
    """An open blocker about the scene's region in a finished pass."""
    row = add_pass(scene.study)
    found = add_finding(row, region=scene.region)
    finish(row)
    return found


def write_picture(slide: Slide) -> None:
    """A noisy picture of the slide's size, where the store looks for it."""
    path = settings.STORE / slide.stored_name
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (slide.height, slide.width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    path.write_bytes(buffer.getvalue())
