import numpy as np
import pytest

from doppelgangers.errors import UserError
from doppelgangers.synthesis.generate import PairGenerator


@pytest.fixture(scope="module")
def generator():
    return PairGenerator("voice", 0.25, seed=0)


def test_a_pair_is_addressed_by_its_index_whatever_is_rendered_with_it(generator):
    whole = np.asarray(generator.render(np.arange(64)))
    assert whole.shape == (64, 2, 16000)
    for indices in ([5], [63, 5, 0, 1, 2, 3, 4], list(range(40))):
        np.testing.assert_allclose(np.asarray(generator.render(np.array(indices))), whole[indices], atol=1e-6)


def test_views_and_seeds_differ(generator):
    theta = generator.parameters(np.arange(8))
    assert np.abs(theta[:, 0] - theta[:, 1]).max(axis=1).min() > 0.1
    other = PairGenerator("voice", 0.25, seed=1).parameters(np.arange(8))
    assert np.abs(theta - other).max(axis=(1, 2)).min() > 0.1


def test_noise_of_the_views_is_independent_with_deviation_delta():
    centre = PairGenerator("voice", 0.0, seed=0).parameters(np.arange(400))[:, 0]
    views = PairGenerator("voice", 0.01, seed=0).parameters(np.arange(400))
    inside = (centre > 0.1) & (centre < 0.9)
    noise = [(views[:, v] - centre)[inside] for v in (0, 1)]
    for view in noise:
        np.testing.assert_allclose(view.std(), 0.01, rtol=0.05)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.05


@pytest.mark.parametrize(("architecture", "delta"), [("voice", 0.01), ("parametric", 0.25)])
def test_anisotropic_with_all_factors_1_is_gaussian_to_the_last_bit(architecture, delta):
    factors = {"pitch": 1.0, "envelope": 1.0, "lfo": 1.0, "mixer": 1.0}
    gaussian = PairGenerator(architecture, delta, seed=0)
    anisotropic = PairGenerator(architecture, delta, 0, "anisotropic", factors=factors)
    np.testing.assert_array_equal(anisotropic.parameters(np.arange(64)), gaussian.parameters(np.arange(64)))


def test_a_factor_acts_on_its_group_only():
    gaussian, held = (PairGenerator("voice", 0.1, 0, *kind) for kind in ((), ("anisotropic", 16000, 1.0, 480, {"pitch": 0.0})))
    expected, found = gaussian.parameters(np.arange(8)), held.parameters(np.arange(8))
    pitch = np.array(held.synth.groups) == "pitch"
    np.testing.assert_array_equal(found[:, 0, pitch], found[:, 1, pitch])
    np.testing.assert_array_equal(found[:, :, ~pitch], expected[:, :, ~pitch])
    assert (expected[:, 0, pitch] != expected[:, 1, pitch]).any()


def test_a_sound_that_is_not_finite_is_named(generator, monkeypatch):
    monkeypatch.setattr(
        generator, "_render", lambda indices: np.where(indices[:, None, None] == 3, np.nan, np.zeros((1, 2, 4)))
    )
    with pytest.raises(UserError, match="index 3"):
        generator.render(np.arange(6))


def test_a_curriculum_is_the_gaussian_sequence_with_a_growing_delta():
    curriculum = PairGenerator("voice", 0.1, 0, "curriculum", ramp_pairs=100)
    for index, delta in ((0, 0.0), (50, 0.05), (100, 0.1), (1000, 0.1)):
        expected = PairGenerator("voice", delta, seed=0).parameters(np.array([index]))
        np.testing.assert_allclose(curriculum.parameters(np.array([index])), expected, atol=1e-6)
