"""A small running study of drawn blood smears with people and a filled queue, made in about a second.

Decides what every browser test starts from. Refuses to label: a test answers through the services or the page.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model

from annotation.models import Annotation, Case, Job, Membership, Region, SelectionBatch, Slide, Study
from annotation.services import imports, queue, studies
from annotation.states import JobState, Role, SlideState
from learning.slides.synthetic.study import write_study
from tests import factories

PASSWORD = "correct horse battery"
CASES, CELLS, SEED = 3, 20, 1
# Raised when the drawing changes, so that an old folder is not mistaken for a new one.
VERSION = 1


@dataclass
class Smear:
    """The study, its members and its regions in the order of the queue."""

    study: Study
    annotator: Membership
    colleague: Membership
    adjudicator: Membership
    manager: Membership
    slides: list[Slide]
    regions: list[Region]
    password: str = PASSWORD
    codes: list[str] = field(default_factory=list)

    def url(self, screen: str = "") -> str:
        """The address of a screen: `url("queue")`; the dashboard's without a name."""
        return f"/admin/studies/{self.study.slug}/" + (f"{screen}/" if screen else "")

    def member(self, role: str = Role.ANNOTATOR, **fields: Any) -> Membership:
        """One more person."""
        return join(self.study, role, **fields)

    def answer(self, member: Membership, label: str = "", **fields: Any) -> Annotation:
        """`member` takes the next region and says `label` (default: what was drawn)."""
        lease = queue.claim(member=member)
        assert lease is not None, "Nothing is left in the queue."
        label = label or lease.region.known_truth.label
        return queue.submit(
            member=member,
            token=lease.token,
            answer={"kind": "class", "label": label},
            idempotency_key=f"{member.pseudonym}-{lease.pk}",
            **fields,
        )


def build(*, folder: Path, queued: int = 40, slug: str = "smear", **policy: Any) -> Smear:
    """Import the drawn study, open it, put its first `queued` regions into the queue and let four people join."""
    study = _imported(folder, slug=slug, policy={"planted_check_rate": 0.0, "audit_rate": 0.0, **policy})
    regions = list(Region.objects.filter(study=study).select_related("slide").order_by("slide_id", "index"))
    batch = SelectionBatch.objects.create(study=study, number=1, strategy="random", seed=0, created_at=study.created_at)
    for region in regions[:queued]:
        factories.pick(region, batch=batch, slots=study.policy.min_overlap, overlap=study.policy.max_overlap)
    return Smear(
        study=study,
        annotator=join(study, Role.ANNOTATOR, username="ana", first_name="Ana"),
        colleague=join(study, Role.ANNOTATOR, username="ben", first_name="Ben"),
        adjudicator=join(study, Role.ADJUDICATOR, username="ada", first_name="Ada"),
        manager=join(study, Role.MANAGER, username="mia", first_name="Mia", is_staff=True),
        slides=list(Slide.objects.filter(study=study).order_by("pk")),
        regions=regions,
        codes=list(study.current_protocol.classes.order_by("position").values_list("code", flat=True)),
    )


def join(study: Study, role: str, **fields: Any) -> Membership:
    """A person with an account and a password; the same name joins a second study with the same account."""
    users = get_user_model().objects
    user = users.filter(username=fields.get("username", "")).first()
    if user is None:
        user = factories.UserFactory(**fields)
        user.set_password(PASSWORD)
        user.save()
    return Membership.objects.create(study=study, user=user, role=role)


def find_or_draw(folder: Path) -> Path:
    """The drawn study below `folder`, kept from run to run."""
    target = folder / f"browser-v{VERSION}-{SEED}-{CASES}x{CELLS}"
    if target.is_dir():
        return target
    part = folder / f".{target.name}.part-{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    write_study(part, seed=SEED, cases=CASES, cells_per_slide=CELLS, processes=1)
    try:
        part.rename(target)
    except OSError:
        # Another test process has drawn the same in the meantime.
        shutil.rmtree(part)
    return target


def _imported(folder: Path, *, slug: str, policy: dict[str, Any]) -> Study:
    study = imports.import_folder(find_or_draw(folder), slug=slug).study
    assert study is not None
    study.policy_values = {**study.policy_values, **policy}
    study.save(update_fields=["policy_values"])
    studies.open_study(study=study)
    # The draw of audit cases depends on the study's secret, which no two runs share.
    Case.objects.filter(study=study).update(audit_half="")
    Region.objects.filter(study=study).update(audit_half="")
    # As after reading: nobody listens to the jobs of this study.
    Slide.objects.filter(study=study).update(state=SlideState.TILED)
    Job.objects.filter(study=study).update(state=JobState.DONE)
    return Study.objects.get(pk=study.pk)
