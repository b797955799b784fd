"""Perturbations of a parameter vector: (key, theta, delta) -> theta, chosen by name."""

import jax
import jax.numpy as jnp

EPS = 1e-6  # SynthAX's curves take a logarithm of the parameter, so 0 itself is outside their domain


def gaussian(key: jax.Array, theta: jax.Array, delta: float) -> jax.Array:
    """Isotropic Gaussian noise, the paper's (section 3): clip(theta + delta N(0, I), eps, 1).

    Args:
        key: JAX random key.
        theta: parameters (D,) in [0, 1].
        delta: standard deviation, >= 0; 0 returns theta itself (clipped).
    """
    return jnp.clip(theta + delta * jax.random.normal(key, theta.shape, theta.dtype), EPS, 1.0)


PERTURBATIONS = {"gaussian": gaussian}
