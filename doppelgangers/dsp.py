"""Blocks of fast sound synthesis: control signals to audio rate, phases, oscillators.

Audio is held in blocks of `BLOCK` samples as (..., BLOCK, blocks): sample n is at [n % BLOCK, n // BLOCK]. Neighbours in memory
are then BLOCK samples apart, so that a running sum adds whole rows. A phase is an int32 that counts 2^-32 turns, so that
sums wrap around at a whole turn by themselves, are exact, and do not depend on their order.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

BLOCK = 32
TURN = 2.0**32

# sin(2 pi y) / y as a polynomial in y^2, highest power first, with the least relative error over |y| <= 1/4 (`sine_fit`).
SINE_TERMS = 6


@dataclasses.dataclass(frozen=True)
class Grid:
    """Times of `samples` audio samples on a scale where control points lie at 0, 1, ..., controls - 1.

    Both grids begin and end together, as in SynthAX's `ControlRateUpsample`: sample n is at n (controls - 1) / (samples - 1).
    """

    samples: int
    controls: int

    @property
    def blocks(self) -> int:
        """Number of blocks; the last may be longer than the audio."""
        return -(-self.samples // BLOCK)

    @functools.cached_property
    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """First control point of each block (blocks,), and weights of the points from there on (points, BLOCK, blocks)."""
        places = np.arange(self.blocks * BLOCK) * ((self.controls - 1) / (self.samples - 1))
        places = np.minimum(places, self.controls - 1).reshape(self.blocks, BLOCK).T
        first = places[0].astype(int)
        points = int((np.ceil(places[-1]) - first).max()) + 1
        distance = np.abs(places - first - np.arange(points)[:, None, None])
        return first, np.maximum(1 - distance, 0).astype(np.float32)

    def upsample(self, control: jax.Array) -> jax.Array:
        """Interpolate linearly: (..., controls) -> (..., BLOCK, blocks)."""
        first, weights = self.weights
        points = np.minimum(first + np.arange(len(weights))[:, None], self.controls - 1)
        # The barrier: XLA would otherwise fetch the control points again for each sample.
        values = jax.lax.optimization_barrier(control[..., points])
        return sum(values[..., i, None, :] * weight for i, weight in enumerate(weights))

    def to_blocks(self, audio: jax.Array) -> jax.Array:
        """(..., samples) -> (..., BLOCK, blocks), filled up with zeros."""
        fill = [(0, 0)] * (audio.ndim - 1) + [(0, self.blocks * BLOCK - self.samples)]
        return jnp.pad(audio, fill).reshape(*audio.shape[:-1], self.blocks, BLOCK).swapaxes(-1, -2)

    def to_audio(self, blocks: jax.Array) -> jax.Array:
        """(..., BLOCK, blocks) -> (..., samples)."""
        return blocks.swapaxes(-1, -2).reshape(*blocks.shape[:-2], -1)[..., : self.samples]


def to_phase(turns: jax.Array) -> jax.Array:
    """Phase of an angle in turns: round(2^32 t) modulo 2^32, int32."""
    return jnp.round((turns - jnp.floor(turns + 0.5)) * TURN).astype(jnp.int32)


def to_turns(phase: jax.Array) -> jax.Array:
    """Angle of a phase, in turns in [-1/2, 1/2]."""
    return phase.astype(jnp.float32) / TURN


def running_sum(phase: jax.Array) -> jax.Array:
    """Sums of the first n + 1 phases along the last axis, by adding neighbours 1, 2, 4, ... apart."""
    apart = 1
    while apart < phase.shape[-1]:
        phase = jnp.concatenate([phase[..., :apart], phase[..., apart:] + phase[..., :-apart]], axis=-1)
        phase = jax.lax.optimization_barrier(phase)  # else XLA would fuse the steps and repeat each in the next
        apart *= 2
    return phase


def accumulate(steps: jax.Array, initial: jax.Array) -> jax.Array:
    """Phase after each step: initial + step_0 + ... + step_n.

    Args:
        steps: phases (..., BLOCK, blocks), int32.
        initial: phase (...), int32.
    """
    zero = jnp.zeros_like(steps[..., 0, :])
    total, within = jax.lax.scan(lambda so_far, row: (so_far + row,) * 2, zero, jnp.moveaxis(steps, -2, 0))
    before = running_sum(total) - total + initial[..., None]
    return jnp.moveaxis(within, 0, -2) + before[..., None, :]


@functools.cache
def sine_fit() -> tuple[float, ...]:
    """Coefficients of sin(2 pi y) / y in powers of y^2, highest first: interpolation at Chebyshev nodes of [0, 1/16]."""
    nodes = (1 - np.cos(math.pi * (np.arange(SINE_TERMS) + 0.5) / SINE_TERMS)) / 32
    y = np.sqrt(nodes)
    return tuple(np.linalg.solve(np.vander(nodes), np.sin(2 * math.pi * y) / y).tolist())


def cosine(phase: jax.Array) -> jax.Array:
    """cos(2 pi phase / 2^32): with y = 1/4 - |turns| in [-1/4, 1/4] this is sin(2 pi y), a polynomial."""
    y = 0.25 - jnp.abs(to_turns(phase))
    square, value = y * y, jnp.zeros_like(y)
    for coefficient in sine_fit():
        value = value * square + coefficient
    return value * y


def sine(phase: jax.Array) -> jax.Array:
    """sin(2 pi phase / 2^32): the cosine a quarter of a turn before."""
    return cosine(phase - 2**30)
