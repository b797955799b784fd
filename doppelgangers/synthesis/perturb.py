"""Perturbations of a parameter vector: (key, theta, delta, factors, progress) -> theta, chosen by name."""

import jax
import jax.numpy as jnp

EPS = 1e-6  # SynthAX's curves take a logarithm of the parameter, so 0 itself is outside their domain


def gaussian(key: jax.Array, theta: jax.Array, delta: float | jax.Array, *_) -> jax.Array:
    """Isotropic Gaussian noise, the paper's (section 3): clip(theta + delta N(0, I), eps, 1).

    Args:
        key: JAX random key.
        theta: parameters (D,) in [0, 1].
        delta: standard deviation, >= 0; 0 returns theta itself (clipped).
    """
    return jnp.clip(theta + delta * jax.random.normal(key, theta.shape, theta.dtype), EPS, 1.0)


def anisotropic(key: jax.Array, theta: jax.Array, delta: float, factors: jax.Array, *_) -> jax.Array:
    """Gaussian noise with a deviation of its own for each parameter: clip(theta + delta factors * N(0, I), eps, 1).

    Args:
        key: JAX random key; the noise is that of `gaussian`, scaled.
        theta: parameters (D,) in [0, 1].
        delta: standard deviation where the factor is 1, >= 0.
        factors: of delta, (D,), >= 0; a parameter with the factor 0 is the same in both views.
    """
    return gaussian(key, theta, delta * factors)


def curriculum(key: jax.Array, theta: jax.Array, delta: float, factors: jax.Array, progress: jax.Array) -> jax.Array:
    """Gaussian noise that grows while training goes on: clip(theta + delta min(progress, 1) N(0, I), eps, 1).

    Small deltas are learnt fast and large ones slowly; whether the first help to get to the second is the question.

    Args:
        key: JAX random key; the noise is that of `gaussian`, scaled.
        theta: parameters (D,) in [0, 1].
        delta: standard deviation at the end, >= 0.
        factors: not used.
        progress: share of the ramp that is done, >= 0.
    """
    return gaussian(key, theta, delta * jnp.minimum(progress, 1.0))


PERTURBATIONS = {"gaussian": gaussian, "anisotropic": anisotropic, "curriculum": curriculum}
