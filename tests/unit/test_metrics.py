import numpy as np

from doppelgangers.metrics import score


def average_precision(relevant, scores):
    """Mean of the precision at each relevant item, from the best score down."""
    hits, total = 0, []
    for rank, i in enumerate(np.argsort(-scores), start=1):
        if relevant[i]:
            hits += 1
            total.append(hits / rank)
    return np.mean(total)


def test_scores_equal_their_definitions():
    rng = np.random.default_rng(0)
    targets, scores = rng.integers(0, 4, 60), rng.random((60, 5))  # class 4 never occurs
    predicted = scores.argmax(axis=1)
    f1 = []
    for c in range(4):
        hit = np.sum((predicted == c) & (targets == c))
        f1.append(2 * hit / (np.sum(predicted == c) + np.sum(targets == c)))
    found = score(targets, scores)
    np.testing.assert_allclose(found["accuracy"], np.mean(predicted == targets))
    np.testing.assert_allclose(found["macro_f1"], np.mean(f1))
    np.testing.assert_allclose(found["mAP"], np.mean([average_precision(targets == c, scores[:, c]) for c in range(4)]))


def test_several_labels_a_clip():
    rng = np.random.default_rng(1)
    targets, scores = rng.integers(0, 2, (40, 6)), rng.random((40, 6))
    expected = np.mean([average_precision(targets[:, c], scores[:, c]) for c in range(6)])
    np.testing.assert_allclose(score(targets, scores)["mAP"], expected)
