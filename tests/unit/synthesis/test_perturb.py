import jax
import jax.numpy as jnp
import numpy as np

from doppelgangers.synthesis.perturb import EPS, anisotropic, curriculum, gaussian


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


def test_anisotropic_noise_is_the_gaussian_noise_times_the_factor_of_each_parameter():
    key, theta, factors = jax.random.key(0), jnp.full(9, 0.5), jnp.array([0.0, 0.5, 2.0] * 3)
    noise = np.asarray(gaussian(key, theta, 0.01)) - 0.5
    np.testing.assert_allclose(np.asarray(anisotropic(key, theta, 0.01, factors)) - 0.5, noise * factors, atol=1e-7)
    np.testing.assert_array_equal(anisotropic(key, theta, 0.01, jnp.ones(9)), gaussian(key, theta, 0.01))


def test_a_curriculum_starts_at_no_noise_and_ends_at_that_of_its_delta():
    key, theta = jax.random.key(0), jnp.full(9, 0.5)
    noise = np.asarray(gaussian(key, theta, 0.01)) - 0.5
    for progress, share in ((0.0, 0.0), (0.25, 0.25), (1.0, 1.0), (7.0, 1.0)):
        perturbed = np.asarray(curriculum(key, theta, 0.01, jnp.ones(9), progress))
        np.testing.assert_allclose(perturbed - 0.5, share * noise, atol=1e-7)
