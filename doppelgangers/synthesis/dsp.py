"""Signal processing for fast synthesis: upsampling of control signals, phases, oscillators.

A signal is cut into blocks of `BLOCK` samples, (..., blocks, BLOCK): sample n is at [n // BLOCK, n % BLOCK]. A cumulative sum
is then a matrix product within the blocks and a short cumulative sum over the blocks. Phases are in turns (1 is a full circle).
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

BLOCK = 32

SINE_TERMS = 6  # terms of the polynomial in `sine_fit`

# If a block lies between more control points than this (at high control rates), each sample fetches its own two points.
MOST_POINTS = 4


@dataclasses.dataclass(frozen=True)
class Grid:
    """Positions of `samples` audio samples among `controls` control points, which are at 0, 1, ..., controls - 1.

    The first sample is at the first point and the last at the last, as in SynthAX's `ControlRateUpsample`: sample n is at
    n (controls - 1) / (samples - 1).
    """

    samples: int
    controls: int

    @functools.cached_property
    def places(self) -> np.ndarray:
        """Position of each sample, (blocks, BLOCK) float64; the filling after the last sample is at the last point."""
        numbers = np.arange(-(-self.samples // BLOCK) * BLOCK)
        places = numbers * ((self.controls - 1) / max(self.samples - 1, 1))
        return np.minimum(places, self.controls - 1).reshape(-1, BLOCK)

    def upsample(self, control: jax.Array) -> jax.Array:
        """Interpolate linearly: (..., controls) -> (..., blocks, BLOCK)."""
        places, points = self.places, touched(self.places)
        if points > MOST_POINTS:
            places, points = places.reshape(-1, 1), 2
        first = np.floor(places[:, 0]).astype(int)
        total = jnp.zeros((), control.dtype)
        for point in (first + i for i in range(points)):
            weight = np.maximum(1 - np.abs(places - point[:, None]), 0).astype(np.float32)
            # One fetch per block: with an index of shape (blocks, 1), XLA would fetch the point again for each sample.
            total += control[..., np.minimum(point, self.controls - 1)][..., None] * weight
        return total.reshape(*control.shape[:-1], -1, BLOCK)


def touched(places: np.ndarray) -> int:
    """The largest number of control points that a row of places lies between."""
    return int((np.ceil(places[:, -1]) - np.floor(places[:, 0])).max()) + 1


def to_blocks(signal: jax.Array) -> jax.Array:
    """Cut a signal into blocks, the last filled up with zeros: (..., samples) -> (..., blocks, BLOCK)."""
    fill = [(0, 0)] * (signal.ndim - 1) + [(0, -signal.shape[-1] % BLOCK)]
    return jnp.pad(signal, fill).reshape(*signal.shape[:-1], -1, BLOCK)


def to_signal(blocks: jax.Array, samples: int) -> jax.Array:
    """Join blocks to a signal, without the filling: (..., blocks, BLOCK) -> (..., samples)."""
    return blocks.reshape(*blocks.shape[:-2], -1)[..., :samples]


def wrap(turns: jax.Array) -> jax.Array:
    """The phase modulo one turn, in [-1/2, 1/2]."""
    return turns - jnp.round(turns)


def accumulate(steps: jax.Array) -> jax.Array:
    """Phase after each step, step_0 + ... + step_n, modulo one turn: (..., blocks, BLOCK) -> (..., blocks, BLOCK).

    Each block starts from a phase in [-1/2, 1/2], so that float32 rounds late phases no worse than early ones. The error is at
    most 4e-7 of the total number of turns, if every step is rounded in the same direction; with random rounding it is 100
    times smaller.
    """
    # Without "highest", a GPU would round the steps to 10 bits.
    within = jnp.matmul(steps, np.triu(np.ones((BLOCK, BLOCK), np.float32)), precision="highest")
    if steps.shape[-2] == 1:
        return within
    totals = wrap(within[..., -1])
    before = to_signal(accumulate(to_blocks(totals)), totals.shape[-1]) - totals
    return within + wrap(before)[..., None]


@functools.cache
def sine_fit() -> tuple[float, ...]:
    """Coefficients of sin(2 pi y) / y for |y| <= 1/4, a polynomial in y^2, highest power first; fit at Chebyshev nodes."""
    nodes = (1 - np.cos(math.pi * (np.arange(SINE_TERMS) + 0.5) / SINE_TERMS)) / 32
    y = np.sqrt(nodes)
    return tuple(np.linalg.solve(np.vander(nodes), np.sin(2 * math.pi * y) / y).tolist())


def cosine(turns: jax.Array) -> jax.Array:
    """cos(2 pi turns), with an error of at most 4e-7, as sin(2 pi y) with y = 1/4 - |turns|, which is in [-1/4, 1/4]."""
    y = 0.25 - jnp.abs(wrap(turns))
    square, value = y * y, jnp.zeros_like(y)
    for coefficient in sine_fit():
        value = value * square + coefficient
    return value * y


def sine(turns: jax.Array) -> jax.Array:
    """sin(2 pi turns), the cosine of the phase minus a quarter turn."""
    return cosine(turns - 0.25)
