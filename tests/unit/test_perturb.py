import jax
import jax.numpy as jnp
import numpy as np

from doppelgangers.perturb import EPS, gaussian


def test_delta_zero_returns_theta():
    theta = jnp.linspace(EPS, 1, 100)
    np.testing.assert_array_equal(gaussian(jax.random.key(0), theta, 0.0), theta)


def test_noise_has_deviation_delta_and_stays_in_range():
    theta = jnp.full(20_000, 0.5)
    perturbed = np.asarray(gaussian(jax.random.key(0), theta, 0.1))
    np.testing.assert_allclose(perturbed.std(), 0.1, rtol=0.03)
    np.testing.assert_allclose(perturbed.mean(), 0.5, atol=0.003)
    wide = np.asarray(gaussian(jax.random.key(0), theta, 5.0))
    assert wide.min() == np.float32(EPS)
    assert wide.max() == 1.0
