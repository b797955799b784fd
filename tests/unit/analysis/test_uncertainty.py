"""Definitions of causal uncertainty against scipy, closed forms and a slow loop."""

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats

from doppelgangers.analysis.settings import Uncertainty
from doppelgangers.analysis.uncertainty import DEFINITIONS, uncertainty

RNG = np.random.default_rng(0)
HEADS = [RNG.normal(0, 4, (20, count)).astype(np.float32) for count in (7, 30)]


def h(*p):
    """Entropy in nats."""
    return float(scipy.stats.entropy(p))


def expected(definition, outputs, row):
    """One sound and head, as the documentation has it."""
    row = row.astype(np.float64)
    own = scipy.special.softmax(row) if outputs == "softmax" else scipy.special.expit(row)
    if definition == "entropy":
        return h(*own) / math.log(len(row))  # scipy makes them sum to 1
    if definition == "softmax_entropy":
        return h(*scipy.special.softmax(row)) / math.log(len(row))
    if definition == "binary_entropy":
        return float(np.mean([scipy.stats.entropy([p, 1 - p], base=2) for p in own]))
    return 1 - max(own)


def test_the_settings_name_these_definitions():
    assert list(Uncertainty.__args__) == list(DEFINITIONS)


@pytest.mark.parametrize("outputs", ["softmax", "sigmoid"])
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_values_are_those_of_a_slow_loop(definition, outputs):
    ours = uncertainty(definition, HEADS, outputs)
    theirs = [np.mean([expected(definition, outputs, head[row]) for head in HEADS]) for row in range(20)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


# Ten classes with the same logit x: the most uncertain there is by each entropy of a distribution.
@pytest.mark.parametrize("x", [-9.0, 0.0, 9.0])
@pytest.mark.parametrize("outputs", ["softmax", "sigmoid"])
def test_equal_classes_have_closed_forms(x, outputs):
    head = np.full((1, 10), x)
    p = 0.1 if outputs == "softmax" else 1 / (1 + math.exp(-x))
    values = {name: uncertainty(name, [head], outputs)[0] for name in DEFINITIONS}
    assert values["entropy"] == pytest.approx(1)
    assert values["softmax_entropy"] == pytest.approx(1)
    assert values["binary_entropy"] == pytest.approx(-(p * math.log2(p) + (1 - p) * math.log2(1 - p)))
    assert values["top"] == pytest.approx(1 - p)


@pytest.mark.parametrize("outputs", ["softmax", "sigmoid"])
def test_one_class_alone_is_certain_and_huge_logits_are_no_trouble(outputs):
    head = np.full((1, 10), -1000.0)
    head[0, 3] = 1000.0
    for definition in DEFINITIONS:
        assert uncertainty(definition, [head], outputs)[0] == pytest.approx(0, abs=1e-12), definition


def test_the_definitions_disagree_about_a_tagger_that_hears_nothing():
    """A sigmoid for each class: where all are near 0, nothing stands out, and every single answer is a sure no."""
    nothing, something = np.full((1, 527), -8.0), np.full((1, 527), -8.0)
    something[0, 0] = 0.0

    def gap(definition):
        return uncertainty(definition, [nothing], "sigmoid")[0] - uncertainty(definition, [something], "sigmoid")[0]

    assert gap("entropy") > 0
    assert gap("top") > 0
    assert gap("binary_entropy") < 0
