import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from learning.models import HeadSettings, fit_head, heads
from tests.learning.models.blobs import draw_blobs


def predict_logits(head: heads.Head, features: np.ndarray) -> np.ndarray:
    return features.astype(np.float32) @ head.weights + head.bias


@pytest.mark.parametrize("dimensions", [16, 700], ids=["more rows than features", "fewer"])
def test_head_finds_the_optimum_that_scikit_learn_finds(dimensions: int) -> None:
    blobs = draw_blobs(count=400, dimensions=dimensions, gap=5.6 / dimensions**0.5)
    settings = HeadSettings(penalty=0.02, balance=1.0)
    head = fit_head(features=blobs.features, labels=blobs.labels, classes=4, settings=settings)
    rows = StandardScaler().fit_transform(blobs.features.astype(np.float64))
    oracle = LogisticRegression(C=1 / (0.02 * 400), class_weight="balanced", tol=1e-8, max_iter=2000)
    expected = oracle.fit(rows, blobs.labels).decision_function(rows)
    found = predict_logits(head, blobs.features)
    found -= found.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected - expected.mean(axis=1, keepdims=True), atol=0.03)


def test_head_copes_with_more_features_than_items_and_constant_features() -> None:
    blobs = draw_blobs(count=30, dimensions=200)
    features = blobs.features.copy()
    features[:, :20] = 7.0
    head = fit_head(features=features, labels=blobs.labels, classes=4)
    assert np.isfinite(head.weights).all()
    assert (predict_logits(head, features).argmax(axis=1) == blobs.labels).mean() > 0.95


def test_class_without_examples_is_never_predicted() -> None:
    blobs = draw_blobs(count=200, classes=3)
    head = fit_head(features=blobs.features, labels=blobs.labels, classes=5)
    assert (head.bias[3:] == heads.UNSEEN).all()
    assert predict_logits(head, blobs.features).argmax(axis=1).max() < 3


def test_single_class_gives_a_head_that_always_says_it() -> None:
    blobs = draw_blobs(count=20)
    head = fit_head(features=blobs.features, labels=np.full(20, 2), classes=4)
    assert (predict_logits(head, blobs.features).argmax(axis=1) == 2).all()


def test_balanced_weights_give_every_class_the_same_mass() -> None:
    target = np.array([0] * 90 + [1] * 10)
    weight = heads.weigh_classes(target, sample_weight=None, balance=1.0)
    assert weight[:90].sum() == pytest.approx(weight[90:].sum(), rel=1e-5)
    assert weight.mean() == pytest.approx(1.0)


def test_item_of_weight_three_counts_like_three_items() -> None:
    blobs = draw_blobs(count=120)
    settings = HeadSettings(balance=0.0)
    weight = np.concatenate([np.full(60, 3.0), np.full(60, 1.0)])
    plain = np.concatenate([np.repeat(np.arange(60), 3), np.arange(60, 120)])
    by_weight = fit_head(
        features=blobs.features, labels=blobs.labels, classes=4, sample_weight=weight, settings=settings
    )
    by_copy = fit_head(features=blobs.features[plain], labels=blobs.labels[plain], classes=4, settings=settings)
    agree = predict_logits(by_weight, blobs.features).argmax(axis=1) == predict_logits(by_copy, blobs.features).argmax(
        axis=1
    )
    assert agree.mean() > 0.95
