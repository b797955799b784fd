import math
import statistics
from typing import get_args

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from doppelgangers.datasets.catalogue import OF_ONE_LABEL, Metric
from doppelgangers.errors import UserError
from doppelgangers.evaluation.metrics import METRICS, OF_PREDICTION, OF_RANKING, score

RANKING = ["mAP", "weighted_mAP", "d_prime", "auroc"]


def test_accuracy_and_f1_equal_their_definitions():
    rng = np.random.default_rng(0)
    targets, scores = rng.integers(0, 4, 60), rng.random((60, 5))  # class 4 never occurs
    predicted = scores.argmax(axis=1)
    f1 = []
    for c in range(4):
        hit = np.sum((predicted == c) & (targets == c))
        f1.append(2 * hit / (np.sum(predicted == c) + np.sum(targets == c)))
    found = score(targets, scores, ["macro_f1", "accuracy", "pitch_acc"])
    assert list(found) == ["macro_f1", "accuracy", "pitch_acc"]
    np.testing.assert_allclose(found["accuracy"], np.mean(predicted == targets))
    np.testing.assert_allclose(found["macro_f1"], np.mean(f1))
    assert found["pitch_acc"] == found["accuracy"]


def by_scikit_learn(targets, scores):
    """The metrics of ranking over the 0/1 columns (N, C), all of which have both values."""
    areas = roc_auc_score(targets, scores, average=None)
    return {
        "mAP": average_precision_score(targets, scores, average="macro"),
        "weighted_mAP": average_precision_score(targets, scores, average="weighted"),
        "d_prime": np.mean([math.sqrt(2) * statistics.NormalDist().inv_cdf(area) for area in areas]),
        "auroc": np.mean(areas),
    }


@pytest.mark.parametrize("decimals", [0, 1, 8])  # 0 and 1: most scores are tied
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rankings_equal_scikit_learn(decimals, dtype):
    rng = np.random.default_rng(1)
    targets = (rng.random((90, 7)) < rng.uniform(0.1, 0.6, 7)).astype(int)
    scores = np.round(rng.random((90, 7)) + 0.2 * targets, decimals).astype(dtype)
    expected = by_scikit_learn(targets, scores)
    found = score(targets, scores, RANKING)
    assert list(found) == RANKING
    np.testing.assert_allclose(list(found.values()), [expected[metric] for metric in RANKING], rtol=1e-12)


def test_one_label_a_clip_is_ranked_class_against_the_others():
    rng = np.random.default_rng(2)
    targets, scores = rng.integers(0, 4, 80), np.round(rng.random((80, 6)), 2)  # classes 4 and 5 never occur
    expected = by_scikit_learn(np.eye(4, dtype=int)[targets], scores[:, :4])
    found = score(targets, scores, RANKING)
    np.testing.assert_allclose(list(found.values()), [expected[metric] for metric in RANKING], rtol=1e-12)


def test_a_class_without_a_positive_or_without_a_negative():
    targets = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1]])
    scores = np.array([[0.9, 0.1, 0.3], [0.5, 0.2, 0.2], [0.1, 0.3, 0.1]])
    found = score(targets, scores, RANKING)
    first = (1 / 1 + 2 / 3) / 2  # average precision of the first class; that of the last is 1
    assert found["mAP"] == pytest.approx((first + 1) / 2)
    assert found["weighted_mAP"] == pytest.approx((2 * first + 3 * 1) / 5)
    assert found["auroc"] == 0.5  # the first class only
    assert found["d_prime"] == pytest.approx(0)
    assert np.isnan(list(score(np.zeros((3, 2)), scores[:, :2], RANKING).values())).all()


def test_a_perfect_ranking_has_an_infinite_d_prime():
    assert score(np.array([0, 1]), np.eye(2), ["d_prime"]) == {"d_prime": math.inf}


def test_chroma_ignores_octaves():
    names = [59, 60, 72, 73]  # B, C, C, C sharp
    scores = np.eye(4)[[2, 1, 0, 3, 2]]
    targets = np.array([1, 1, 2, 3, 3])
    assert score(targets, scores, ["chroma_acc", "pitch_acc"], names) == {"chroma_acc": 3 / 5, "pitch_acc": 2 / 5}


def test_metrics_that_do_not_fit_the_labels_are_named():
    with pytest.raises(UserError, match="chroma_acc needs"):
        score(np.array([0, 1]), np.eye(2), ["chroma_acc"], ["dog", "rain"])
    with pytest.raises(UserError, match="metric accuracy is for tasks of one label"):
        score(np.eye(2), np.eye(2), ["mAP", "accuracy"])


def test_every_metric_of_the_catalogue_is_known():
    assert set(METRICS) == set(get_args(Metric))
    assert (set(OF_PREDICTION), set(OF_RANKING)) == (OF_ONE_LABEL, set(METRICS) - OF_ONE_LABEL)
    found = score(np.array([0, 1, 1]), np.array([[0.6, 0.4], [0.7, 0.3], [0.2, 0.8]]), METRICS, [60, 61])
    assert list(found) == list(METRICS)
