"""What tests of synthesis share, so that each synthesizer is compiled as few times as possible."""

import functools

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
from synthax.config import SynthConfig

from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from doppelgangers.synthesis.synth import ARCHITECTURES, synthesizer

RECIPE = PairRecipe("voice", 0.25)
CHUNK_PAIRS = 8  # a number of pairs for which the generator of `RECIPE` is compiled anyway
PAIRS = 400  # as many parameters as the statistics need; one number for all, because each is compiled by itself


@functools.cache
def voice_generator():
    """The generator of `RECIPE`."""
    return PairGenerator(RECIPE)


def upstream(architecture, batch=1):
    """SynthAX's own synthesizer."""
    synth_class, options = ARCHITECTURES[architecture]
    config = SynthConfig(batch_size=batch, sample_rate=16000, buffer_size_seconds=1.0, control_rate=480)
    return synth_class(config=config, **options)


def empty_tree(architecture):
    """SynthAX's parameters of a synthesizer of batch size one, all 0."""
    return jax.tree.map(jnp.zeros_like, jax.eval_shape(upstream(architecture).init, jax.random.key(0)))


@functools.cache
def curves(architecture):
    """Exponent of the curve of each parameter, and whether the curve is symmetric: (D,) each."""
    tree = empty_tree(architecture)
    synth = upstream(architecture).bind(tree)
    exponents, symmetric = [], []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        module, name = synth.modules[path[-2].key.removeprefix("modules_")], path[-1].key
        assert getattr(module, f"_{name}").shape == leaf.shape  # this makes Flax set up the module, with its ranges
        of = getattr(module, f"_{name}_range")
        # Of several exponents, SynthAX 0.2.2 ignores all as soon as one is 1.
        exponents.append(np.broadcast_to(of.curve if np.all(of.curve != 1) else 1.0, leaf.shape).ravel())
        symmetric.append(np.full(leaf.size, of.symmetric))
    return np.concatenate(exponents), np.concatenate(symmetric)


def bend(share, exponents, symmetric):
    """Shares of the human-readable range (N, D) -> parameters (N, D) in [0, 1]; with 1 / exponents, the inverse."""
    distance = 2 * share - 1
    return np.where(symmetric, (1 + np.sign(distance) * np.abs(distance) ** exponents) / 2, share**exponents)


@functools.cache
def gaussian(architecture, delta=0.25, seed=0):
    """Parameters of pairs of the perturbation gaussian, (PAIRS, 2, D)."""
    return PairGenerator(PairRecipe(architecture, delta, seed)).parameters(np.arange(PAIRS))


def some_parameters(architecture):
    """Parameters of 16 pairs, (32, D)."""
    return jnp.asarray(gaussian(architecture)[:16].reshape(32, -1))


@functools.cache
def some_sounds(architecture, renderer):
    """The sounds of `some_parameters`, (32, T)."""
    render = synthesizer(architecture, renderer=renderer).render
    return np.asarray(jax.jit(jax.vmap(render))(some_parameters(architecture)))
