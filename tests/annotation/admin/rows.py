"""One more row of every kind in a study, so that list views can be counted with few and with more rows."""

from django.utils import timezone

from annotation.models import (
    AcceptanceItem,
    AcceptanceSample,
    ClassMapping,
    Draft,
    EncoderVersion,
    FeatureShard,
    Gold,
    GroundTruthRevision,
    Job,
    KnownTruth,
    LedgerAnchor,
    ModelVersion,
    PassItem,
    RecordedVote,
    Release,
    ReleaseItem,
    ReliabilitySnapshot,
    ScoreFile,
    TrainingSet,
    WorkerStamp,
)
from annotation.services import queue
from annotation.states import GoldSource, JobKind, ModelState, Role, SampleState
from tests import factories
from tests.annotation.api.scene import Scene, add_finding, add_pass, finish


def add(scene: Scene) -> None:
    """A slide with a region that is picked, answered, decided, modelled, found and released."""
    study, now = scene.study, timezone.now()
    number = study.slides.count() + 1
    region = factories.region(factories.slide(study))
    factories.pick(region, stratum="random")
    person = factories.member(study, Role.ANNOTATOR)
    lease = None
    while lease is None or lease.region_id != region.pk:
        lease = queue.claim(member=person)
        queue.submit(
            member=person,
            token=lease.token,
            answer={"kind": "class", "label": "neutrophil"},
            idempotency_key=str(lease.pk),
            comment="a comment",
        )
    Draft.objects.create(assignment=lease, content={})
    KnownTruth.objects.create(region=region, label="neutrophil")
    RecordedVote.objects.create(region=region, annotator="x", label="neutrophil")
    Gold.objects.create(
        region=region, protocol=study.protocol, label="neutrophil", source=GoldSource.FILE, added_at=now
    )
    LedgerAnchor.objects.create(study=study, position=1, digest="0" * 64, place=f"mail {number}")
    ClassMapping.objects.create(
        protocol=study.protocol, source_code=f"old-{number}", target_code="neutrophil", kind="renamed"
    )
    Job.objects.create(study=study, kind=JobKind.TILE_SLIDE, key=str(number))
    WorkerStamp.objects.create(queue=f"cpu{number}", seen_at=now)
    add_truth(scene, region, number, now)


def add_truth(scene: Scene, region, number: int, now) -> None:
    study = scene.study
    snapshot = ReliabilitySnapshot.objects.create(
        study=study, number=number, protocol=study.protocol, class_codes=[], prior=[],
        confusion={"A1": [[1.0]]}, answers=1, created_at=now,
    )  # fmt: skip
    revision = GroundTruthRevision.objects.create(
        study=study, region=region, number=1, is_settled=True, label="neutrophil", method="majority",
        protocol=study.protocol, snapshot=snapshot, actor=scene.people["manager"], created_at=now,
    )  # fmt: skip
    region.current_revision = revision
    region.save(update_fields=["current_revision"])
    training_set = TrainingSet.objects.create(
        study=study, digest=f"{number:064}", revision_ids=[revision.pk], protocol=study.protocol, created_at=now
    )
    model = ModelVersion.objects.create(
        study=study, number=number, digest=f"{number:064}", state=ModelState.REJECTED, training_set=training_set,
        configuration_digest="c", encoder="colour-texture", encoder_digest="e", class_codes=[],
        gate_reasons=["Too few items."], created_at=now,
    )  # fmt: skip
    EncoderVersion.objects.create(
        study=study, number=number, name="study-cnn", digest="e", weights="0" * 64, beside="f",
        training_set=training_set, seen_cases=[], numbers={"regions": 1}, created_at=now,
    )  # fmt: skip
    FeatureShard.objects.create(
        slide=region.slide, tiling_digest="t", encoder_digest="e", stored_name="f", checksum="0" * 64, rows=1
    )
    ScoreFile.objects.create(model=model, slide=region.slide, stored_name="s", rows=1)
    done = add_pass(scene.study)
    PassItem.objects.create(consistency_pass=done, region=region, revision=revision)
    sample = AcceptanceSample.objects.create(
        study=study, number=number, consistency_pass=done, state=SampleState.CLOSED, seed=0, population=1, opinions=3,
        started_by=scene.people["manager"], created_at=now,
    )  # fmt: skip
    AcceptanceItem.objects.create(sample=sample, region=region, revision=revision, label="neutrophil", slots_open=0)
    add_finding(done, region=region, counterpart=scene.region, severity="warning")
    finish(done)
    release = Release.objects.create(
        study=study, number=number, consistency_pass=done, manifest_digest="0" * 64, stored_name="r",
        items_count=1, created_by=scene.people["manager"], created_at=now,
    )  # fmt: skip
    ReleaseItem.objects.create(release=release, region=region, revision=revision, split="train")
