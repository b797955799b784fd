"""The fast renderer against exact arithmetic: SynthAX itself in float64."""

import flax.linen as nn
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from synthax.modules.oscillators import Noise

from doppelgangers.encoders.frontend import LogMel
from doppelgangers.synthesis.synth import ARCHITECTURES
from tests.unit.synthesis.shared import empty_tree, some_parameters, some_sounds, upstream


def exact(architecture, theta):
    """SynthAX's own sounds in float64: theta (N, D) -> (N, T)."""
    trees = jax.device_get(jax.vmap(jax.flatten_util.ravel_pytree(empty_tree(architecture))[1])(theta))
    noise = np.asarray(jax.random.uniform(jax.random.key(Noise.seed), (1, 16000), minval=-1.0, maxval=1.0))

    def same_noise(method, args, kwargs, context):  # in float64, other noise would be drawn
        if isinstance(context.module, Noise) and context.method_name == "__call__":
            return jnp.asarray(noise)
        return method(*args, **kwargs)

    with jax.enable_x64(True), nn.intercept_methods(same_noise):
        synth = upstream(architecture)
        trees = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), trees)
        return jax.device_get(jax.jit(jax.vmap(lambda tree: synth.apply(tree)[0]))(trees))


def distances(audio, reference):
    """For each sound: relative difference, and mean difference of the log-mel patch in nepers, (N,) each."""
    difference = np.linalg.norm(audio - reference, axis=1) / np.linalg.norm(reference, axis=1)
    log_mel = [LogMel()(torch.tensor(np.asarray(sounds, np.float32))) for sounds in (audio, reference)]
    return difference, (log_mel[0] - log_mel[1]).abs().mean(dim=(1, 2, 3)).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_further_from_exact_arithmetic_than_synthax(architecture):
    reference = exact(architecture, some_parameters(architecture))
    assert reference.dtype == np.float64
    # In float32, sounds with deep frequency modulation become quite different ones, so SynthAX's own error is the measure.
    ours, theirs = (distances(some_sounds(architecture, renderer), reference) for renderer in ("fast", "synthax"))
    for error, allowed in zip(ours, theirs, strict=True):
        for share in (0.5, 0.75, 0.9):
            assert np.quantile(error, share) <= 1.2 * np.quantile(allowed, share) + 1e-4
    assert np.median(ours[0]) < 0.01
    assert np.median(ours[1]) < 0.003
