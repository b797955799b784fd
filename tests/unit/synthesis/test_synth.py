import functools
import math
import re

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest

from doppelgangers.synthesis.synth import ARCHITECTURES, CPU_CHUNK, render_batch, synthesizer
from tests.unit.synthesis.shared import bend, curves, empty_tree, some_parameters, some_sounds, upstream

# The first three: paper, section 3.
DIMENSIONS = {"voice": 78, "voicefm": 130, "parametric": 340, "percussive": 34, "additive": 56}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_renderer_synthax_is_synthax_with_a_batch_of_one(architecture):
    ours, theirs = synthesizer(architecture, renderer="synthax"), upstream(architecture)
    assert ours.dimension == DIMENSIONS[architecture]
    render, apply = jax.jit(ours.render), jax.jit(theirs.apply)
    for seed in range(3):
        tree = theirs.init(jax.random.key(seed))
        theta = jax.flatten_util.ravel_pytree(tree)[0]
        np.testing.assert_array_equal(ours.draw(jax.random.key(seed)), theta)
        np.testing.assert_allclose(render(theta), apply(tree)[0], atol=1e-5)


def test_a_sound_does_not_depend_on_its_batch():
    theta = some_parameters("voice")
    assert len(theta) == 2 * CPU_CHUNK
    render = jax.jit(functools.partial(render_batch, synthesizer("voice")))
    whole = render(theta)
    np.testing.assert_allclose(render(theta[:7]), whole[:7], atol=2e-3)  # less than a chunk: other machine code
    np.testing.assert_array_equal(render(theta[CPU_CHUNK:]), whole[CPU_CHUNK:])
    # The peak is each sound's own: SynthAX's batched form lets about half of a batch exceed 1.
    assert float(jnp.abs(whole).max()) <= 1.0 + 1e-6


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sounds_are_audible_and_differ(architecture):
    audio = some_sounds(architecture, "fast")
    assert np.abs(audio).max(axis=1).min() > 0.01
    likeness = np.corrcoef(audio) - np.eye(len(audio))
    assert np.median(np.abs(likeness)) < 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate_hz", "duration_s", "control_rate_hz"),
    [(16000, 0.1, 480), (16000, 0.12345, 100), (16000, 2.5, 1), (16000, 0.1, 16000), (44100, 0.5, 441)],
)
def test_any_duration_and_rates(rate_hz, duration_s, control_rate_hz):
    times = dict(rate_hz=rate_hz, duration_s=duration_s, control_rate_hz=control_rate_hz)
    fast, theirs = (synthesizer("voice", renderer=renderer, **times) for renderer in ("fast", "synthax"))
    theta = synthesizer("voice").draw(jax.random.key(0))
    audio = jax.jit(fast.render)(theta)
    assert audio.shape == (fast.samples,) == (math.ceil(rate_hz * duration_s),)
    np.testing.assert_allclose(audio, jax.jit(theirs.render)(theta), atol=0.02)


def test_parameters_are_uniform_in_the_human_range_and_not_in_0_to_1():
    draw = jax.jit(jax.vmap(synthesizer("voice").draw))
    theta = np.asarray(draw(jax.random.split(jax.random.key(0), 1000)), float)
    exponents, symmetric = curves("voice")
    assert theta.shape == (1000, 78) == (1000, len(exponents))
    shares = bend(theta, 1 / exponents, symmetric)  # of the human-readable range
    for parameter in range(78):
        assert kstest(shares[:, parameter], "uniform").pvalue > 1e-4
    bent = np.flatnonzero(exponents != 1)
    assert len(bent) == 45  # 18 times of envelopes and the note's, 4 of LFOs, 2 depths of oscillators, 20 of the matrix
    for parameter in bent:
        assert kstest(theta[:, parameter], "uniform").pvalue < 1e-9


# Each parameter of the architectures: (kind of module, parameter) -> group.
GROUP_OF = {
    ("keyboard", "midi_f0"): "pitch",
    ("keyboard", "duration"): "envelope",
    **{("vco", name): "pitch" for name in ("tuning", "mod_depth")},
    **{("vco", name): "mixer" for name in ("initial_phase", "shape")},
    **{("adsr", name): "envelope" for name in ("alpha", "attack", "decay", "sustain", "release")},
    **{("lfo", name): "lfo" for name in ("frequency", "initial_phase", "mod_depth", "rsaw", "saw", "sin", "sqr", "tri")},
    **{("lfo_amp_adsr", name): "lfo" for name in ("alpha", "attack", "decay", "sustain", "release")},
    **{("lfo_rate_adsr", name): "lfo" for name in ("alpha", "attack", "decay", "sustain", "release")},
    ("mixer", "level"): "mixer",
    ("mod_matrix", "mod"): "mixer",
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_parameter_is_in_its_group(architecture):
    tree = empty_tree(architecture)
    kinds = {module: re.sub(r"_\d+", "", module.removeprefix("modules_")) for module in tree["params"]}
    # A tree whose leaves say their group, flattened by JAX itself.
    named = {m: {name: [GROUP_OF[kinds[m], name]] * leaf.size for name, leaf in of.items()} for m, of in tree["params"].items()}
    groups = synthesizer(architecture).groups
    assert list(groups) == jax.tree_util.tree_leaves(named)
    assert len(groups) == DIMENSIONS[architecture]
