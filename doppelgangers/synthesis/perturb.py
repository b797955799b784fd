"""Perturbations of a parameter vector, chosen by name: (key, theta, delta, factors, progress) -> theta."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

EPS = 1e-6  # smallest parameter: SynthAX takes the logarithm of parameters, so they cannot be 0


def gaussian(key: jax.Array, theta: jax.Array, delta: float | jax.Array, *_: jax.Array) -> jax.Array:
    """Add isotropic Gaussian noise, as the paper does (section 3): clip(theta + delta N(0, I), eps, 1).

    Args:
        key: JAX random key.
        theta: parameters (D,) in [0, 1].
        delta: standard deviation, >= 0; one number, or one for each parameter (D,).
    """
    return jnp.clip(theta + delta * jax.random.normal(key, theta.shape, theta.dtype), EPS, 1.0)


def anisotropic(key: jax.Array, theta: jax.Array, delta: float, factors: jax.Array, *_: jax.Array) -> jax.Array:
    """Add Gaussian noise whose deviation differs between parameters: clip(theta + delta factors * N(0, I), eps, 1).

    Args:
        key: JAX random key; the noise is that of `gaussian`, scaled.
        theta: parameters (D,) in [0, 1].
        delta: standard deviation of a parameter with the factor 1, >= 0.
        factors: factor of delta for each parameter, (D,), >= 0; with 0, a parameter is the same in both views.
    """
    return gaussian(key, theta, delta * factors)


def curriculum(key: jax.Array, theta: jax.Array, delta: float, factors: jax.Array, progress: jax.Array) -> jax.Array:
    """Add Gaussian noise that grows during training: clip(theta + delta min(progress, 1) N(0, I), eps, 1).

    Training learns small deltas fast and large deltas slowly. Question: do small deltas at first help it to learn large ones?

    Args:
        key: JAX random key; the noise is that of `gaussian`, scaled.
        theta: parameters (D,) in [0, 1].
        delta: standard deviation at the end of the ramp, >= 0.
        factors: not used.
        progress: index of the pair divided by the length of the ramp, >= 0.
    """
    return gaussian(key, theta, delta * jnp.minimum(progress, 1.0))


PERTURBATIONS: dict[str, Callable[[jax.Array, jax.Array, float, jax.Array, jax.Array], jax.Array]] = {
    "gaussian": gaussian,
    "anisotropic": anisotropic,
    "curriculum": curriculum,
}
