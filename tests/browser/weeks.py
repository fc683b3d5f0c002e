"""A synthetic study after a week and a half of work by scripted people: models trained, ties settled, one release cut.

Decides what happens on which day, in virtual time; refuses to know how anything looks.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from annotation import clock
from annotation.models import Membership, Region, Study, WorkerStamp
from annotation.policy import Policy
from annotation.selectors.dashboard import work
from annotation.services import examples, findings, imports, loop, passes, queue, releases, reviewing, studies
from annotation.states import RegionState
from workers import base
from workers.simulation import sample
from workers.simulation.annotators import Habits
from workers.simulation.crew import Crew, hire
from workers.simulation.lockstep import Lockstep

CASES, CELLS, SEED = 12, 30, 3
DAYS, ANSWERS_A_DAY = 9, 70
NAMES = ("Ana Silva", "Ben Okoro", "Chloé Martin", "Dmitri Ivanov", "Ada Novak", "Eun Park", "Mia Larsen")
POLICY = {
    "max_overlap": 3, "batch_size": 40, "first_model_revisions": 40, "retrain_every_revisions": 60, "gold_rate": 0.04,
    "repeat_rate": 0.05, "repeat_after_answers": 20, "undo_minutes": 600.0, "audit_rate": 0.25, "gallery_batch": 60,
}  # fmt: skip
NOTES = ("The lobes are joined by a broad band: please look again.", "Out of focus", "Broken cell at the edge")


@dataclass
class Weeks:
    """The study and who its pages are shown to."""

    study: Study
    annotator: Membership
    adjudicator: Membership
    manager: Membership

    def url(self, screen: str = "") -> str:
        return f"/admin/studies/{self.study.slug}/" + (f"{screen}/" if screen else "")


def live(folder: Path) -> Weeks:
    """Import the drawn smears and let the days pass. Takes minutes: models are trained."""
    Policy.accept(POLICY)
    drawn, _ = sample.find_or_draw(folder, seed=SEED, cases=CASES, cells_per_slide=CELLS)
    with clock.virtual(clock.now() - timedelta(days=DAYS, hours=2)):
        study = imports.import_folder(drawn, slug="blood-smears").study
        assert study is not None
        study.name = "Blood smears 2026"
        study.policy_values = {**study.policy_values, **POLICY}
        study.save()
        crew = hire(study=study, annotators=4, habits=Habits(skill=0.88, skip_rate=0.01), seed=SEED)
        name(crew)
        studies.open_study(study=study)
        study.refresh_from_db()
        hands = Lockstep(study=study, crew=crew)
        for day in range(1, DAYS + 1):
            work_a_day(hands, day=day)
            clock.advance(timedelta(days=1) - timedelta(minutes=20))
    first = crew.annotators[0].member
    leave_something_to_do(study, first, manager=crew.manager)
    return Weeks(study=study, annotator=first, adjudicator=crew.adjudicators[0].member, manager=crew.manager)


def name(crew: Crew) -> None:
    """Give the scripted people names, as a study of real ones has."""
    members = [*(one.member for one in crew.annotators), *(one.member for one in crew.adjudicators), crew.manager]
    for member, known_as in zip(members, NAMES, strict=True):
        member.user.first_name, member.user.last_name = known_as.split()
        member.user.save()
        member.is_trained = True
        member.save()


def work_a_day(hands: Lockstep, *, day: int) -> None:
    """A day's answers; ties are settled until the sixth day, when a first release is cut."""
    hands.run_jobs()
    hands.label(until=day * ANSWERS_A_DAY)
    if day <= 6:
        hands.adjudicate()
    if day == 6:
        release(hands)


def release(hands: Lockstep) -> None:
    row = passes.start(study=hands.study, member=hands.crew.manager)
    hands.run_jobs()
    row.refresh_from_db()
    waived = list(row.findings.all())
    findings.waive_many(findings=waived, member=hands.crew.manager, reason="Known: the first release is a preview.")
    releases.freeze(study=hands.study, consistency_pass=row, member=hands.crew.manager)


def leave_something_to_do(study: Study, annotator: Membership, *, manager: Membership) -> None:
    """What the pages of today show: examples, a region sent back, a skip, answers of today, a second pass, workers."""
    loop.nudge(study=study)
    base.run_ready(study)
    settled = Region.objects.filter(study=study, state=RegionState.SETTLED, audit_half="").order_by("pk")
    for region in settled.select_related("current_revision")[:12]:
        assert region.current_revision is not None
        label = region.current_revision.label
        examples.add(study=study, member=manager, region=region.public_id, label=label, caption="Typical in this lab.")
    for _ in range(6):
        answer(annotator)
    lease = queue.claim(member=annotator)
    assert lease is not None
    queue.skip(member=annotator, token=lease.token, reason=NOTES[1])
    own = settled.filter(annotations__annotator=annotator).exclude(state=RegionState.QUEUED).last()
    assert own is not None
    reviewing.send_back(region=own, member=manager, reason="Doubted at the case conference.", note=NOTES[0])
    passes.start(study=study, member=manager)
    base.run_ready(study)
    for queue_name in work.QUEUES:
        WorkerStamp.objects.update_or_create(queue=queue_name, defaults={"seen_at": clock.now(), "worker": "host-1"})


def answer(member: Membership) -> None:
    lease = queue.claim(member=member)
    assert lease is not None
    truth = lease.region.known_truth.label
    queue.submit(
        member=member, token=lease.token, answer={"kind": "class", "label": truth}, seconds=4.2,
        idempotency_key=f"today-{lease.pk}", comment=next(_COMMENTS),
    )  # fmt: skip


_COMMENTS = itertools.cycle(("", "", "Faint granules."))
