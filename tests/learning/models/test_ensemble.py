import numpy as np
import pytest

from learning.models import Ensemble, calibration, fill_unknown, folds, train_ensemble
from tests.learning.models.blobs import Blobs, draw_blobs


def train(blobs: Blobs, *, classes: int = 4, seed: int = 0) -> Ensemble:
    return train_ensemble(features=blobs.features, labels=blobs.labels, groups=blobs.groups, classes=classes, seed=seed)


def test_ensemble_predicts_unseen_cases_well() -> None:
    ensemble = train(draw_blobs(count=500, gap=2.0))
    fresh = draw_blobs(count=500, seed=1, gap=2.0)
    proba = ensemble.mean_proba(fresh.features)
    assert proba.shape == (500, 4)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-5)
    assert (proba.argmax(axis=1) == fresh.labels).mean() > 0.9
    assert ensemble.predict_proba(fresh.features).shape == (5, 500, 4)


def test_same_input_and_seed_give_the_same_bytes() -> None:
    blobs = draw_blobs(count=300)
    first, second = train(blobs), train(blobs)
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.oof_proba.tobytes() == second.oof_proba.tobytes()
    assert first.temperature == second.temperature


def test_member_never_sees_the_fold_it_answers_for() -> None:
    """Everything in one fold is spoilt: the member that holds it out must not change."""
    blobs = draw_blobs(count=300)
    ensemble = train(blobs)
    fold = ensemble.out_of_fold.folds
    held = fold == 2
    member = ensemble.predict_proba(blobs.features[held])[2]
    np.testing.assert_allclose(ensemble.oof_proba[held], member, atol=1e-5)
    changed = train_ensemble(
        features=np.where(held[:, None], np.float16(5), blobs.features),
        labels=blobs.labels,
        groups=blobs.groups,
        classes=4,
        seed=0,
    )
    np.testing.assert_array_equal(changed.weights[2], ensemble.weights[2])


def test_no_case_is_on_both_sides_and_every_fold_is_used() -> None:
    blobs = draw_blobs(count=400, cases=23)
    fold = folds.assign_folds(labels=blobs.labels, groups=blobs.groups, classes=4, folds=5, seed=3)
    assert set(fold) == {0, 1, 2, 3, 4}
    for case in np.unique(blobs.groups):
        assert len(set(fold[blobs.groups == case])) == 1


def test_folds_hold_alike_shares_of_every_class() -> None:
    blobs = draw_blobs(count=3000, cases=60)
    fold = folds.assign_folds(labels=blobs.labels, groups=blobs.groups, classes=4, folds=5, seed=3)
    share = np.array([np.bincount(blobs.labels[fold == f], minlength=4) for f in range(5)]) / np.bincount(blobs.labels)
    assert share.min() > 0.14
    assert share.max() < 0.26


def test_rare_class_in_one_case_is_known_to_all_members_but_one() -> None:
    blobs = draw_blobs(count=300)
    features = np.concatenate([blobs.features, np.full((8, 16), 4.0, dtype=np.float16)])
    labels = np.concatenate([blobs.labels, np.full(8, 4)])
    groups = np.concatenate([blobs.groups, np.full(8, 77)])
    ensemble = train_ensemble(features=features, labels=labels, groups=groups, classes=5, seed=0)
    assert ensemble.known[:, 4].sum() == 4
    assert not ensemble.out_of_fold.is_known[-8:].any()
    assert ensemble.out_of_fold.is_known[:-8].all()
    assert 0.2 < ensemble.temperature < 10
    assert (ensemble.mean_proba(features[-8:])[:, 4] > 0.9).all()


@pytest.mark.parametrize(("cases", "members"), [(2, 2), (3, 3), (5, 5), (1, 5)])
def test_few_cases_give_as_many_members_as_can_be_held_out(cases: int, members: int) -> None:
    ensemble = train(draw_blobs(count=120, cases=cases))
    assert len(ensemble.biases) == members
    assert np.isfinite(ensemble.oof_proba).all()


def test_one_item_alone_still_makes_a_model() -> None:
    ensemble = train_ensemble(
        features=np.ones((1, 3), dtype=np.float32), labels=np.array([1]), groups=np.array([0]), classes=2, seed=0
    )
    np.testing.assert_allclose(ensemble.mean_proba(np.zeros((1, 3))), [[0.0, 1.0]])


def test_temperature_repairs_logits_that_are_three_times_too_sure() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4000, 5)) * 1.5
    proba = calibration.apply_temperature(logits, temperature=1.0).astype(np.float64)
    labels = (proba.cumsum(axis=1) < generator.random((4000, 1))).sum(axis=1).clip(max=4)
    assert calibration.fit_temperature(logits=3 * logits, labels=labels) == pytest.approx(3.0, rel=0.1)
    assert calibration.fit_temperature(logits=logits, labels=labels) == pytest.approx(1.0, rel=0.1)


def test_member_that_does_not_know_a_class_borrows_the_opinion_of_the_others() -> None:
    proba = np.array([[[0.2, 0.2, 0.6]], [[0.75, 0.25, 0.0]]], dtype=np.float32)
    known = np.array([[True, True, True], [True, True, False]])
    filled = fill_unknown(proba.copy(), known=known)
    np.testing.assert_allclose(filled[0], proba[0])
    np.testing.assert_allclose(filled[1], [[0.3, 0.1, 0.6]], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.array([0, 9])}, "there are 2 classes"),
        ({"groups": np.array([0])}, "do not belong together"),
        ({"features": np.array([[np.nan], [0.0]])}, "not finite"),
        ({"sample_weight": np.array([1.0, 0.0])}, "positive"),
        (
            {"features": np.empty((0, 1)), "labels": np.empty(0, dtype=int), "groups": np.empty(0, dtype=int)},
            "nothing to train on",
        ),
    ],
)
def test_rows_that_cannot_be_trained_on_are_refused(change: dict[str, np.ndarray], message: str) -> None:
    rows: dict[str, np.ndarray] = {
        "features": np.array([[0.0], [1.0]]),
        "labels": np.array([0, 1]),
        "groups": np.array([0, 1]),
    }
    with pytest.raises(ValueError, match=message):
        train_ensemble(**(rows | change), classes=2, seed=0)  # type: ignore[arg-type]
