"""Signal processing of the fast renderer against float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doppelgangers.synthesis.dsp import BLOCK, Grid, accumulate, cosine, sine, to_blocks, to_signal, wrap

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("samples", "controls"),
    [(16000, 480), (44100, 441), (1001, 70), (500, 500), (64, 2), (1600, 1), (1600, 1600), (500, 1500), (1, 1)],
)
def test_upsampling_is_linear_interpolation_between_common_ends(samples, controls):
    control = RNG.normal(size=(3, controls)).astype(np.float32)
    places = np.linspace(0, controls - 1, samples)
    expected = [np.interp(places, np.arange(controls), row.astype(float)) for row in control]
    found = to_signal(Grid(samples, controls).upsample(jnp.asarray(control)), samples)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_blocks_are_the_signal_cut():
    signal = RNG.normal(size=(2, 1001)).astype(np.float32)
    blocks = np.asarray(to_blocks(signal))
    assert blocks.shape == (2, 32, BLOCK)
    assert blocks[1, 3, 5] == signal[1, 3 * BLOCK + 5]
    np.testing.assert_array_equal(to_signal(blocks, 1001), signal)


@pytest.mark.parametrize("samples", [1, 31, 33, 1025, 16000, 300_000])
@pytest.mark.parametrize("most", [0.001, 0.8])
def test_phases_are_right_after_thousands_of_turns(samples, most):
    steps = RNG.uniform(0, most, (2, samples)).astype(np.float32)
    steps[1] = most  # always rounded the same way
    found = np.asarray(to_signal(accumulate(to_blocks(steps)), samples), float)
    error = found - steps.astype(float).cumsum(axis=1)
    assert np.abs(error - np.round(error)).max() < 4e-7 * max(samples * most, 8)


def test_wrapping_keeps_a_phase_modulo_a_turn():
    turns = np.array([0, 0.25, -0.5, 0.75, 1.5, 2.125, -3.25], np.float32)
    np.testing.assert_array_equal(np.abs(wrap(turns)), [0, 0.25, 0.5, 0.25, 0.5, 0.125, 0.25])
    np.testing.assert_array_equal((wrap(turns) - turns) % 1, 0)


def test_sine_and_cosine():
    turns = np.concatenate([RNG.uniform(-26, 26, 100_000), np.arange(-8, 9) / 4]).astype(np.float32)
    angle = 2 * np.pi * turns.astype(float)
    np.testing.assert_allclose(jax.jit(cosine)(turns), np.cos(angle), atol=4e-7)
    # float32 rounds the phase minus a quarter turn: to 2^-20 turns at 26 turns.
    np.testing.assert_allclose(jax.jit(sine)(turns), np.sin(angle), atol=8e-6)
