"""The blocks of synthesis against float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from doppelgangers.dsp import BLOCK, Grid, accumulate, cosine, running_sum, sine, to_phase, to_turns

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("samples", "controls"), [(16000, 480), (44100, 441), (1001, 70), (500, 500), (64, 2)])
def test_upsampling_is_linear_interpolation_between_common_ends(samples, controls):
    grid, control = Grid(samples, controls), RNG.normal(size=(3, controls)).astype(np.float32)
    places = np.linspace(0, controls - 1, samples)
    expected = [np.interp(places, np.arange(controls), row.astype(float)) for row in control]
    np.testing.assert_allclose(grid.to_audio(grid.upsample(jnp.asarray(control))), expected, atol=2e-6)


def test_blocks_are_audio_in_another_order():
    grid, audio = Grid(1001, 70), RNG.normal(size=(2, 1001)).astype(np.float32)
    blocks = np.asarray(grid.to_blocks(audio))
    assert blocks.shape == (2, BLOCK, 32)
    np.testing.assert_array_equal(blocks[:, 5, 3], audio[:, 3 * BLOCK + 5])
    np.testing.assert_array_equal(grid.to_audio(blocks), audio)


def test_phases_keep_an_angle_modulo_a_turn():
    turns = np.array([0, 0.25, 0.5, -0.5, 1.5, 2.125, -3.25], np.float32)
    expected = [0, 0.25, -0.5, -0.5, -0.5, 0.125, -0.25]
    np.testing.assert_array_equal(to_turns(to_phase(turns)), expected)


def test_a_running_sum_of_phases_is_exact_over_thousands_of_turns():
    steps = np.asarray(to_phase(RNG.uniform(0, 0.8, (2, 16000)).astype(np.float32)))
    initial = np.array([5, -(2**31)], np.int32)
    expected = (steps.astype(np.int64).cumsum(axis=1) + initial[:, None]).astype(np.int32)
    grid = Grid(16000, 480)
    np.testing.assert_array_equal(grid.to_audio(accumulate(grid.to_blocks(steps), initial)), expected)
    np.testing.assert_array_equal(running_sum(jnp.asarray(steps)) + initial[:, None], expected)


def test_sine_and_cosine():
    phase = RNG.integers(-(2**31), 2**31, 100_000, dtype=np.int64).astype(np.int32)
    phase[:5] = -(2**31), -(2**30), 0, 2**30, 2**31 - 1
    angle = 2 * np.pi * phase.astype(float) / 2**32
    np.testing.assert_allclose(jax.jit(cosine)(phase), np.cos(angle), atol=4e-7)
    np.testing.assert_allclose(jax.jit(sine)(phase), np.sin(angle), atol=4e-7)
