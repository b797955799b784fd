import dataclasses

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest

from doppelgangers.errors import UserError
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from tests.unit.synthesis.shared import PAIRS, empty_tree, gaussian, upstream, voice_generator

STROKES = PairRecipe("percussive", 0.25)  # the architecture with the fewest parameters, which is the fastest to compile


def parameters(recipe):
    return PairGenerator(recipe).parameters(np.arange(PAIRS))


def test_a_pair_is_addressed_by_its_index_whatever_is_rendered_with_it():
    generator = voice_generator()
    whole = np.asarray(generator.render(np.arange(24)))
    assert whole.shape == (24, 2, 16000)
    for indices in ([5], [23, 5, 0, 1, 2, 3, 4], list(range(20))):
        np.testing.assert_allclose(np.asarray(generator.render(np.array(indices))), whole[indices], atol=1e-6)


def test_views_and_seeds_differ():
    theta, other = gaussian("percussive"), gaussian("percussive", seed=1)
    assert np.abs(theta[:, 0] - theta[:, 1]).max(axis=1).min() > 0.1
    assert np.abs(theta - other).max(axis=(1, 2)).min() > 0.1


def test_the_address_of_a_pair_is_the_key_of_the_seed_folded_with_its_index():
    generator = PairGenerator(dataclasses.replace(STROKES, delta=0.0, seed=5))
    keys = [jax.random.split(jax.random.fold_in(jax.random.key(5), index), 3)[0] for index in range(3)]
    expected = np.clip([generator.synth.draw(key) for key in keys], 1e-6, 1)
    np.testing.assert_allclose(generator.parameters(np.arange(3)), np.stack([expected, expected], axis=1), rtol=1e-6)


def test_sequences_of_a_recipe_share_no_pair():
    another = PairGenerator(STROKES, sequence=1).parameters(np.arange(PAIRS))
    sequences = [gaussian("percussive"), gaussian("percussive", seed=1), another]
    assert len(np.unique(np.concatenate(sequences)[:, 0].round(5), axis=0)) == 3 * PAIRS


@pytest.mark.slow
@pytest.mark.parametrize(("renderer", "error"), [("synthax", 1e-3), ("fast", 0.02)])
def test_the_peak_first_of_batch_is_that_of_synthax(renderer, error):
    """SynthAX itself renders each view as one batch, and scales it by the peak of its first sound."""
    own = PairGenerator(dataclasses.replace(STROKES, renderer=renderer))
    coupled = PairGenerator(dataclasses.replace(STROKES, renderer=renderer, peak="first_of_batch"))
    peaks = np.abs(np.asarray(own.render(np.arange(48)))).max(axis=2)
    clipping = int(np.flatnonzero((peaks > 0.999).all(axis=1))[0])  # a first pair whose peaks matter
    indices = np.arange(clipping, clipping + 8)
    tree = empty_tree("percussive")
    unravel = jax.flatten_util.ravel_pytree(tree)[1]
    sounds = np.asarray(coupled.render(indices))
    for view in (0, 1):
        trees = [unravel(theta) for theta in coupled.parameters(indices)[:, view]]
        batch = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *trees)
        expected = np.asarray(upstream("percussive", batch=8).apply(batch))
        np.testing.assert_allclose(sounds[:, view], expected, atol=error * max(1, np.abs(expected).max()))
        assert np.abs(sounds[0, view]).max() == pytest.approx(1, abs=1e-3)
    assert not np.allclose(sounds, np.asarray(own.render(indices)), atol=0.1)


def test_noise_of_the_views_is_independent_with_deviation_delta():
    centre, views = gaussian("percussive", 0.0)[:, 0], gaussian("percussive", 0.01)
    inside = (centre > 0.1) & (centre < 0.9)
    noise = [(views[:, v] - centre)[inside] for v in (0, 1)]
    for view in noise:
        np.testing.assert_allclose(view.std(), 0.01, rtol=0.05)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.05


@pytest.mark.parametrize(("architecture", "delta"), [("voice", 0.25), ("percussive", 0.01)])
def test_anisotropic_with_all_factors_1_is_gaussian_to_the_last_bit(architecture, delta):
    factors = {"pitch": 1.0, "envelope": 1.0, "lfo": 1.0, "mixer": 1.0}
    recipe = PairRecipe(architecture, delta, perturbation="anisotropic", factors=factors)
    np.testing.assert_array_equal(parameters(recipe), gaussian(architecture, delta))


def test_a_factor_acts_on_its_group_only():
    held = PairGenerator(dataclasses.replace(STROKES, perturbation="anisotropic", factors={"pitch": 0.0}))
    expected, found = gaussian("percussive"), held.parameters(np.arange(PAIRS))
    pitch = np.array(held.synth.groups) == "pitch"
    assert pitch.any()
    np.testing.assert_array_equal(found[:, 0, pitch], found[:, 1, pitch])
    np.testing.assert_array_equal(found[:, :, ~pitch], expected[:, :, ~pitch])
    assert (expected[:, 0, pitch] != expected[:, 1, pitch]).any(axis=0).all()


def test_a_sound_that_is_not_finite_is_named(monkeypatch):
    generator = voice_generator()
    monkeypatch.setattr(
        generator, "_render", lambda indices: np.where(indices[:, None, None] == 3, np.nan, np.zeros((1, 2, 4)))
    )
    with pytest.raises(UserError, match="index 3"):
        generator.render(np.arange(6))


def test_a_curriculum_is_the_gaussian_sequence_with_a_growing_delta():
    found = parameters(dataclasses.replace(STROKES, perturbation="curriculum", ramp_pairs=100))
    centre, full = gaussian("percussive", 0.0), gaussian("percussive")
    for index, share in ((0, 0.0), (50, 0.5), (100, 1.0), (PAIRS - 1, 1.0)):
        inside = (full[index] > 1e-6) & (full[index] < 1)  # not clipped
        assert inside.mean() > 0.5
        expected = centre[index] + share * (full[index] - centre[index])
        np.testing.assert_allclose(found[index][inside], expected[inside], atol=1e-6)
