import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from synthax.config import SynthConfig

from doppelgangers.synthesis.synth import ARCHITECTURES, CPU_CHUNK, parameters_of, render_batch, synthesizer

# The first three: paper, section 3.
DIMENSIONS = {"voice": 78, "voicefm": 130, "parametric": 340, "percussive": 34, "additive": 56}


def upstream(architecture, batch):
    synth_class, options = ARCHITECTURES[architecture]
    config = SynthConfig(batch_size=batch, sample_rate=16000, buffer_size_seconds=1.0, control_rate=480)
    return synth_class(config=config, **options)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_renderer_synthax_is_synthax_with_a_batch_of_one(architecture):
    ours, theirs = synthesizer(architecture, renderer="synthax"), upstream(architecture, 1)
    assert ours.dimension == DIMENSIONS[architecture]
    apply = jax.jit(theirs.apply)
    for seed in range(3):
        tree = theirs.init(jax.random.key(seed))
        theta = parameters_of(tree)
        np.testing.assert_array_equal(ours.draw(jax.random.key(seed)), theta)
        np.testing.assert_allclose(jax.jit(ours.render)(theta), apply(tree)[0], atol=1e-5)


def test_a_sound_does_not_depend_on_its_batch():
    synth = synthesizer("voice")
    theta = jax.vmap(synth.draw)(jax.random.split(jax.random.key(1), 64))
    whole = render_batch(synth, theta)
    np.testing.assert_allclose(render_batch(synth, theta[:7]), whole[:7], atol=2e-3)  # less than a chunk: other machine code
    np.testing.assert_array_equal(render_batch(synth, theta[CPU_CHUNK : 3 * CPU_CHUNK]), whole[CPU_CHUNK : 3 * CPU_CHUNK])
    # The peak is each sound's own: SynthAX's batched form lets about half of a batch exceed 1.
    assert float(jnp.abs(whole).max()) <= 1.0 + 1e-6


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sounds_are_audible_and_differ(architecture):
    synth = synthesizer(architecture)
    audio = np.asarray(render_batch(synth, jax.vmap(synth.draw)(jax.random.split(jax.random.key(2), CPU_CHUNK))))
    assert np.abs(audio).max(axis=1).min() > 0.01
    likeness = np.corrcoef(audio) - np.eye(CPU_CHUNK)
    assert np.median(np.abs(likeness)) < 0.3


@pytest.mark.parametrize(
    ("rate_hz", "duration_s", "control_rate_hz"),
    [(16000, 0.1, 480), (16000, 0.12345, 100), (16000, 2.5, 1), (16000, 0.1, 16000), (44100, 0.5, 441)],
)
def test_any_duration_and_rates(rate_hz, duration_s, control_rate_hz):
    fast, theirs = (synthesizer("voice", rate_hz, duration_s, control_rate_hz, renderer) for renderer in ("fast", "synthax"))
    theta = fast.draw(jax.random.key(0))
    audio = jax.jit(fast.render)(theta)
    assert audio.shape == (fast.samples,) == (math.ceil(rate_hz * duration_s),)
    np.testing.assert_allclose(audio, jax.jit(theirs.render)(theta), atol=0.02)


def test_parameters_are_uniform_in_the_human_range_and_not_in_0_to_1():
    synth = synthesizer("voice")
    theta = np.asarray(jax.vmap(synth.draw)(jax.random.split(jax.random.key(0), 500)))
    assert theta.min() >= 0
    assert theta.max() <= 1
    means = theta.mean(axis=0)
    assert (np.abs(means - 0.5) < 0.05).any()  # linear curves
    assert (np.abs(means - 0.5) > 0.1).any()  # bent curves


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
    tree = upstream(architecture, 1).init(jax.random.key(0))
    kinds = {module: re.sub(r"_\d+", "", module.removeprefix("modules_")) for module in tree["params"]}
    # A tree whose leaves say their group, flattened by JAX itself.
    named = {m: {name: [GROUP_OF[kinds[m], name]] * leaf.size for name, leaf in of.items()} for m, of in tree["params"].items()}
    groups = synthesizer(architecture).groups
    assert list(groups) == jax.tree_util.tree_leaves(named)
    assert len(groups) == DIMENSIONS[architecture]
