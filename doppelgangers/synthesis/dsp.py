"""Blocks of fast sound synthesis: control signals to audio rate, phases, oscillators.

A signal is cut in blocks of `BLOCK` samples, (..., blocks, BLOCK): sample n is at [n // BLOCK, n % BLOCK]. Then a running
sum is a matrix product within blocks and a short running sum over blocks. A phase is in turns.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

BLOCK = 32

# sin(2 pi y) / y as a polynomial in y^2, highest power first, with the least relative error over |y| <= 1/4 (`sine_fit`).
SINE_TERMS = 6

# Control points that a block may touch. With more, at high control rates, samples fetch their two points one by one.
MOST_POINTS = 4


@dataclasses.dataclass(frozen=True)
class Grid:
    """Times of `samples` audio samples on a scale where control points lie at 0, 1, ..., controls - 1.

    Both grids begin and end together, as in SynthAX's `ControlRateUpsample`: sample n is at n (controls - 1) / (samples - 1).
    """

    samples: int
    controls: int

    @functools.cached_property
    def places(self) -> np.ndarray:
        """Place of each sample, (blocks, BLOCK) float64; what follows the last sample is at the last point."""
        numbers = np.arange(-(-self.samples // BLOCK) * BLOCK)
        places = numbers * ((self.controls - 1) / max(self.samples - 1, 1))
        return np.minimum(places, self.controls - 1).reshape(-1, BLOCK)

    def upsample(self, control: jax.Array) -> jax.Array:
        """Interpolate linearly: (..., controls) -> (..., blocks, BLOCK)."""
        places, points = self.places, touched(self.places)
        if points > MOST_POINTS:
            places, points = places.reshape(-1, 1), 2
        first = np.floor(places[:, 0]).astype(int)
        total = 0
        for point in (first + i for i in range(points)):
            weight = np.maximum(1 - np.abs(places - point[:, None]), 0).astype(np.float32)
            # Fetched once for a block: an index of shape (blocks, 1) would make XLA fetch it again for each sample.
            total += control[..., np.minimum(point, self.controls - 1)][..., None] * weight
        return total.reshape(*control.shape[:-1], -1, BLOCK)


def touched(places: np.ndarray) -> int:
    """The most control points that one row of places lies between."""
    return int((np.ceil(places[:, -1]) - np.floor(places[:, 0])).max()) + 1


def to_blocks(signal: jax.Array) -> jax.Array:
    """(..., samples) -> (..., blocks, BLOCK), filled up with zeros."""
    fill = [(0, 0)] * (signal.ndim - 1) + [(0, -signal.shape[-1] % BLOCK)]
    return jnp.pad(signal, fill).reshape(*signal.shape[:-1], -1, BLOCK)


def to_signal(blocks: jax.Array, samples: int) -> jax.Array:
    """(..., blocks, BLOCK) -> (..., samples)."""
    return blocks.reshape(*blocks.shape[:-2], -1)[..., :samples]


def wrap(turns: jax.Array) -> jax.Array:
    """The same phase in [-1/2, 1/2]."""
    return turns - jnp.round(turns)


def accumulate(steps: jax.Array) -> jax.Array:
    """Phase after each step, step_0 + ... + step_n: (..., blocks, BLOCK) -> (..., blocks, BLOCK), right up to whole turns.

    A block adds to a phase in [-1/2, 1/2], so that float32 rounds late phases no worse than early ones. The error is at most
    4e-7 of all turns made, where every step is rounded the same way, and 100 times less where rounding is by chance.
    """
    # On a GPU, lower precision would round the steps to 10 bits.
    within = jnp.matmul(steps, np.triu(np.ones((BLOCK, BLOCK), np.float32)), precision="highest")
    if steps.shape[-2] == 1:
        return within
    totals = wrap(within[..., -1])
    before = to_signal(accumulate(to_blocks(totals)), totals.shape[-1]) - totals
    return within + wrap(before)[..., None]


@functools.cache
def sine_fit() -> tuple[float, ...]:
    """Coefficients of sin(2 pi y) / y in powers of y^2, highest first: interpolation at Chebyshev nodes of [0, 1/16]."""
    nodes = (1 - np.cos(math.pi * (np.arange(SINE_TERMS) + 0.5) / SINE_TERMS)) / 32
    y = np.sqrt(nodes)
    return tuple(np.linalg.solve(np.vander(nodes), np.sin(2 * math.pi * y) / y).tolist())


def cosine(turns: jax.Array) -> jax.Array:
    """cos(2 pi turns), within 4e-7: with y = 1/4 - |turns| in [-1/4, 1/4] this is sin(2 pi y), a polynomial."""
    y = 0.25 - jnp.abs(wrap(turns))
    square, value = y * y, jnp.zeros_like(y)
    for coefficient in sine_fit():
        value = value * square + coefficient
    return value * y


def sine(turns: jax.Array) -> jax.Array:
    """sin(2 pi turns): the cosine a quarter of a turn before."""
    return cosine(turns - 0.25)
