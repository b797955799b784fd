import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np

from doppelgangers import fast_synthax
from tests.unit.test_synth import upstream


def test_voice_sounds_as_synthax_makes_it():
    synth = upstream("voice", 1)
    trees = jax.vmap(synth.init)(jax.random.split(jax.random.key(0), 8))
    fast = jax.jit(jax.vmap(lambda tree: fast_synthax.apply(synth, tree)[0]))(trees)
    theirs = jax.jit(jax.vmap(lambda tree: synth.apply(tree)[0]))(trees)
    # Both round the pitch to float32; after thousands of turns their phases differ by about a hundredth of a radian.
    np.testing.assert_allclose(fast, theirs, atol=0.05)
    error = jnp.linalg.norm(fast - theirs, axis=1) / jnp.linalg.norm(theirs, axis=1)
    assert float(jnp.median(error)) < 0.002
