"""Models, training sets and copies of a study whose classes have changed."""

import numpy as np
import pytest

from annotation.models import FeatureShard, KnownTruth, ModelVersion, Region, Slide, Study, TrainingSet
from annotation.services import protocols, truth
from annotation.states import AuditHalf, ModelState
from learning.features import write_shard
from tests import factories
from tests.annotation.answering import answer
from tests.annotation.protocol_changes import MERGED, REDEFINED, RENAMED, SPLIT, change, manager, study
from workers import bridge, files, gating
from workers.simulation import sandbox

pytestmark = pytest.mark.django_db
ENCODER = "e" * 64
CODES = ("a", "b", "c", "d", "e")
CHANGE = (
    ("x", "m", "d1", "d2", "e"),
    {"a": (RENAMED, "x"), "b": (MERGED, "m"), "c": (MERGED, "m"), "d": (SPLIT, "d1", "d2"), "e": (REDEFINED, "e")},
)


@pytest.fixture
def labelled() -> tuple[Study, Slide]:
    """A study with one decided region of each class on a slide whose features are there."""
    row = study(CODES, policy={"audit_rate": 0.0})
    on = factories.slide(row, tiling_digest="t" * 64)
    for code in CODES:
        region = factories.region(on, truth=code)
        truth.decide(region=region, member=manager(row), answer=answer(code), reason="Known.")
    _add_features(on)
    return row, on


def _add_features(slide: Slide) -> None:
    name = files.shard_name(slide, ENCODER)
    rows = Region.objects.filter(slide=slide).count()
    checksum = write_shard(files.path_of(name), np.arange(rows, dtype=np.float16)[:, None])
    FeatureShard.objects.create(
        slide=slide,
        tiling_digest=slide.tiling_digest,
        encoder_digest=ENCODER,
        stored_name=name,
        checksum=checksum,
        rows=rows,
    )


def test_a_training_set_mixes_answers_of_one_version_and_exact_mappings_only(labelled: tuple[Study, Slide]) -> None:
    row, on = labelled
    before = bridge.read_examples(row, encoder_digest=ENCODER)
    assert [bridge.learnable_codes(row)[label] for label in before.labels] == list(CODES)
    row = change(row, *CHANGE)
    codes = bridge.learnable_codes(row)
    after = bridge.read_examples(row, encoder_digest=ENCODER)
    # Split and redefined regions teach nothing until they have been seen again.
    assert [codes[label] for label in after.labels] == ["x", "m", "m"]
    assert after.features[:, 0].tolist() == [0, 1, 2]
    seen_again = Region.objects.get(slide=on, index=3)
    truth.decide(region=seen_again, member=manager(row), answer=answer("d2"), reason="Seen again.")
    again = bridge.read_examples(row, encoder_digest=ENCODER)
    assert [codes[label] for label in again.labels] == ["x", "m", "m", "d2"]
    assert dict(zip(codes, bridge.count_labels(row, codes), strict=True)) == {"x": 1, "m": 2, "d1": 0, "d2": 1, "e": 0}
    assert len(bridge.read_examples(row, encoder_digest=ENCODER, audit_half=AuditHalf.GATE)) == 0


def test_an_older_model_is_held_to_the_classes_of_today(labelled: tuple[Study, Slide]) -> None:
    row, _ = labelled
    first = row.current_protocol
    training = TrainingSet.objects.create(
        study=row, digest="s" * 64, revision_ids=[], protocol=first, created_at=first.published_at
    )
    model = ModelVersion.objects.create(
        study=row,
        number=1,
        digest="m" * 64,
        state=ModelState.ACTIVE,
        training_set=training,
        configuration_digest="c" * 64,
        encoder="colour-texture",
        encoder_digest=ENCODER,
        class_codes=list(CODES),
        created_at=first.published_at,
    )
    row = change(row, *CHANGE)
    model.refresh_from_db()
    codes = bridge.codes_today(model)
    assert codes == ("x", "m", "m", "", "")
    assert bridge.count_labels(row, codes).tolist() == [1, 2, 2, 0, 0]
    proba = np.array([[0.1, 0.2, 0.3, 0.3, 0.1]], dtype=np.float32)
    lined = gating._line_up(proba, codes, tuple(bridge.learnable_codes(row)))
    assert lined[0].tolist() == pytest.approx([0.1, 0.5, 0.0, 0.0, 0.0])


def test_a_copy_of_a_study_starts_with_the_classes_of_today_and_what_is_known_in_them(
    labelled: tuple[Study, Slide],
) -> None:
    row, _ = labelled
    row = change(row, *CHANGE)
    copy = sandbox.copy_study(study=row, slug="copy", seed=1, policy={})
    assert copy.current_protocol.number == 1 and copy.current_protocol.codes == row.current_protocol.codes
    known = KnownTruth.objects.filter(region__study=copy).order_by("region__index")
    assert list(known.values_list("label", flat=True)) == ["x", "m", "m", "e"]
    assert protocols.draft_of(copy) is None
