"""The canonical fit over rows: which answers enter, that order is nothing, that columns mean what rows do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import Annotation, ConfusionMatrix, ReliabilitySnapshot
from annotation.selectors import opinions
from annotation.services import consensus, queue, truth
from annotation.states import AnswerKind, AssignmentKind, PickState
from tests import factories
from tests.annotation.answering import submit

CODES = ("neutrophil", "lymphocyte", "monocyte")

rows = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 2),
        st.sampled_from([AnswerKind.CLASS, AnswerKind.CLASS, AnswerKind.WITHDRAWN]),
        st.sampled_from([AssignmentKind.LABEL, AssignmentKind.ADJUDICATE, AssignmentKind.REPEAT, AssignmentKind.GOLD]),
    ),
    max_size=30,
)


@given(rows)
def test_columns_hold_the_same_opinions_as_rows(history):
    written = [
        Annotation(id=place, region_id=region, annotator_id=person, kind=kind, assignment_kind=asked_as)
        for place, (region, person, kind, asked_as) in enumerate(history)
    ]
    evidence = [row for row in written if row.assignment_kind in truth.EVIDENCE_KINDS]
    columns = [
        np.array([getattr(row, name) for row in evidence], dtype=np.int64) for name in ("region_id", "annotator_id")
    ]
    newest = [evidence[place] for place in opinions.find_newest(*columns)]
    kept = {row.id for row in newest if row.kind != AnswerKind.WITHDRAWN}
    assert kept == {row.id for row in truth.effective(written)}


def answer_in(order, *, votes):
    """A study whose `votes` (region place, person place) -> label are given in this order of persons."""
    study = factories.study(policy={"min_overlap": 3, "max_overlap": 3, "planted_check_rate": 0.0})
    slide = factories.slide(study)
    regions = [factories.region(slide) for _ in range(6)]
    for region in regions:
        factories.pick(region, slots=3)
    people = [factories.member(study) for _ in range(3)]
    place = {region.pk: number for number, region in enumerate(regions)}
    for person in order:
        while (lease := queue.claim(member=people[person])) is not None:
            said = {"kind": "class", "label": votes[place[lease.region_id], person]}
            queue.submit(member=people[person], token=lease.token, answer=said, idempotency_key=str(lease.pk))
    return study, [region.public_id for region in regions]


@pytest.mark.django_db
def test_the_canonical_fit_is_the_same_for_any_order_of_arrival():
    rng = np.random.default_rng(0)
    votes = {(region, person): CODES[rng.integers(0, 3)] for region in range(6) for person in range(3)}
    found = []
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        study, names = answer_in(order, votes=votes)
        fitted = consensus.canonical_fit(study)
        assert len(fitted.answers) == 18
        row = {name: place for place, name in enumerate(fitted.regions)}
        found.append((fitted.fitted.posterior[[row[name] for name in names]], fitted.fitted.confusion))
    for posterior, confusion in found[1:]:
        # Public ids differ from study to study, and with them the order of the sums: equal but for their last bit.
        np.testing.assert_allclose(posterior, found[0][0], atol=1e-12)
        np.testing.assert_allclose(confusion, found[0][1], atol=1e-12)


@pytest.mark.django_db
def test_rows_that_arrived_in_another_order_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(1)
    votes = {(region, person): CODES[rng.integers(0, 3)] for region in range(6) for person in range(3)}
    study, _ = answer_in([0, 1, 2], votes=votes)
    first = consensus.canonical_fit(study)
    written = list(opinions._rows(study))
    for _ in range(20):
        arrived = [written[place] for place in rng.permutation(len(written))]
        monkeypatch.setattr(opinions, "_rows", lambda study, arrived=arrived: iter(arrived))
        again = consensus.canonical_fit(study)
        assert (again.regions, again.pseudonyms) == (first.regions, first.pseudonyms)
        assert again.fitted.posterior.tobytes() == first.fitted.posterior.tobytes()
        assert again.fitted.confusion.tobytes() == first.fitted.confusion.tobytes()


@pytest.fixture
def fitted():
    study = factories.study()
    factories.pick(factories.region(factories.slide(study)))
    for _ in range(2):
        submit(factories.member(study))
    return study, consensus.refit(study=study)


@pytest.mark.django_db
def test_a_snapshot_has_an_interval_for_every_cell(fitted):
    _, snapshot = fitted
    for row in snapshot.reliability.values():
        low, mean, high = (np.array(row["cells"][key]) for key in ("low", "mean", "high"))
        assert low.shape == (3, 3) and (low <= mean).all() and (mean <= high).all()
        np.testing.assert_allclose(np.diagonal(mean), row["mean"], atol=1e-4)


@pytest.mark.django_db
def test_only_the_newest_snapshot_has_its_matrices_in_rows_of_their_own(fitted):
    study, first = fitted
    assert set(first.matrices.values_list("pseudonym", flat=True)) == {"A1", "A2"}
    second = consensus.refit(study=study)
    assert set(ConfusionMatrix.objects.values_list("snapshot", flat=True)) == {second.pk}
    assert second.matrices.get(pseudonym="A1").rows == second.confusion["A1"]


@pytest.mark.django_db
def test_a_posterior_rests_on_the_matrices_of_those_who_answered(fitted, django_assert_num_queries):
    study, snapshot = fitted
    region = study.regions.get()
    belief = truth.believe(region, study=study)
    assert belief.snapshot == snapshot and set(belief.matrices) == {"A1", "A2"}
    known = {name: np.asarray(rows) for name, rows in snapshot.confusion.items()}
    place = belief.codes.index("neutrophil")
    expected = np.asarray(snapshot.prior) * known["A1"][:, place] * known["A2"][:, place]
    np.testing.assert_allclose(belief.posterior, expected / expected.sum(), rtol=1e-6)
    with django_assert_num_queries(2):
        truth.believe(region, study=study)


@pytest.mark.django_db
def test_a_snapshot_of_other_classes_tells_nothing(fitted):
    study, snapshot = fitted
    ReliabilitySnapshot.objects.create(
        study=study,
        number=snapshot.number + 1,
        protocol=study.protocol,
        class_codes=["a", "b", "c"],
        prior=[0.2, 0.3, 0.5],
        confusion={"A1": np.eye(3).tolist()},
        answers=2,
        created_at=snapshot.created_at,
    )
    belief = truth.believe(study.regions.get(), study=study)
    assert belief.snapshot is None and not belief.matrices and belief.prior is None


@pytest.mark.django_db
def test_a_large_study_is_refitted_from_where_it_was(fitted, monkeypatch):
    study, snapshot = fitted
    cold = consensus.canonical_fit(study).fitted
    monkeypatch.setattr(consensus, "WARM_ANSWERS", snapshot.answers)
    warm = consensus.refit(study=study)
    np.testing.assert_allclose(warm.prior, cold.prior, atol=0.05)
    assert warm.number == snapshot.number + 1
    assert study.regions.get().picks.get().state == PickState.SETTLED
