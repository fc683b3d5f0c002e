"""Classes with a parent: written down, checked, and held where their kinds stay undecided."""

import pytest

from annotation.errors import BadInput
from annotation.models import GroundTruthRevision, LabelClass
from annotation.selectors import setup as reads
from annotation.services import consensus, passes, setup
from annotation.states import PickState
from annotation.studyfolder import read_text, write_definition
from tests import factories
from tests.annotation import planned
from tests.annotation.answering import submit

pytestmark = pytest.mark.django_db

CODES = ("neutrophil", "band", "segmented", "lymphocyte")
ROUND, LONG, UNCLEAR = planned.CLASSES


@pytest.fixture
def own_store(settings, tmp_path):
    settings.STORE = tmp_path / "store"


def begin(**policy):
    study = factories.study(codes=CODES, policy={"min_overlap": 2, "max_overlap": 3, **policy})
    kinds = LabelClass.objects.filter(protocol=study.protocol, code__in=["band", "segmented"])
    kinds.update(parent="neutrophil")
    return study


@pytest.mark.parametrize("consensus_by", ["dawid-skene", "majority"])
def test_people_who_differ_on_the_kind_settle_on_the_parent(consensus_by):
    study = begin(consensus=consensus_by, max_overlap=4)
    pick = factories.pick(factories.region(factories.slide(study)), overlap=4)
    for label in ("band", "segmented", "band", "segmented"):
        submit(factories.member(study), label)
    pick.refresh_from_db()
    revision = GroundTruthRevision.objects.get(region=pick.region)
    assert (pick.state, revision.label) == (PickState.SETTLED, "neutrophil")
    family = [revision.posterior[code] for code in ("neutrophil", "band", "segmented")]
    assert revision.confidence == pytest.approx(sum(family)) and revision.confidence >= 0.9
    assert "kinds of one class" in revision.reason


def test_people_who_differ_across_families_are_still_adjudicated():
    study = begin(max_overlap=4)
    pick = factories.pick(factories.region(factories.slide(study)), overlap=4)
    for label in ("band", "lymphocyte", "band", "lymphocyte"):
        submit(factories.member(study), label)
    pick.refresh_from_db()
    assert pick.state == PickState.ADJUDICATION


def test_a_pass_holds_a_parent_for_as_sure_as_its_kinds_together():
    study = begin(max_overlap=4, audit_rate=0.0)
    factories.pick(factories.region(factories.slide(study)), overlap=4)
    for label in ("band", "segmented", "band", "segmented"):
        submit(factories.member(study), label)
    done = passes.execute(passes.start(study=study))
    assert done.items.get().revision.label == "neutrophil"
    assert not done.findings.filter(rule="posterior-target").exists()


def test_a_refit_knows_that_naming_the_parent_is_no_mistake():
    study = begin()
    factories.pick(factories.region(factories.slide(study)))
    for _ in range(2):
        submit(factories.member(study), "band")
    snapshot = consensus.refit(study=study)
    rows = dict(zip(CODES, snapshot.confusion["A1"], strict=True))
    said = dict(zip(CODES, rows["segmented"], strict=True))
    assert said["neutrophil"] > 3 * said["lymphocyte"]


def test_a_parent_goes_out_and_comes_in_as_study_toml(own_store):
    study = planned.begin().study
    setup.save_classes(study=study, classes=[ROUND, {**LONG, "parent": "round"}, UNCLEAR], guideline="")
    text = write_definition(reads.definition(study))
    assert 'parent = "round"' in text
    assert write_definition(read_text(text)) == text
    assert [row.parent for row in reads.class_rows(study)] == ["", "round", ""]


@pytest.mark.parametrize(
    ("classes", "row", "said"),
    [
        ([ROUND, {**LONG, "parent": "square"}, UNCLEAR], 2, "'square' is no class"),
        ([ROUND, {**LONG, "parent": "long"}, UNCLEAR], 2, "Following its parents leads back to it"),
        ([ROUND, LONG, {**UNCLEAR, "parent": "long"}], 3, "A special outcome is no kind of a class"),
        ([ROUND, {**LONG, "parent": "unclear"}, UNCLEAR], 2, "A special outcome is no kind of a class"),
        ([ROUND, {**LONG, "parent": 7}, UNCLEAR], 2, "The parent of class 2 does not hold: 7"),
    ],
)
def test_a_parent_that_can_not_be_is_refused_by_row_and_field(own_store, classes, row, said):
    study = planned.begin().study
    with pytest.raises(BadInput, match=said) as caught:
        setup.save_classes(study=study, classes=classes, guideline="")
    assert [(one["row"], one["field"]) for one in caught.value.details["problems"]] == [(row, "parent")]


def test_a_circle_of_parents_is_told_at_each_of_its_classes(own_store):
    study = planned.begin().study
    circle = [{**ROUND, "parent": "long"}, {**LONG, "parent": "round"}, UNCLEAR]
    with pytest.raises(BadInput) as caught:
        setup.save_classes(study=study, classes=circle, guideline="")
    assert [one["row"] for one in caught.value.details["problems"]] == [1, 2]
