"""The paper's three synthesizers, and two more, as pure functions of one parameter vector.

SynthAX 0.2.2 scales every clip of a batch by the peak of the batch's FIRST clip, so that a sound depends on its
neighbours. Here each sound is a SynthAX batch of one under `jax.vmap`: it has its own peak, and is the same sound in
any batch.
"""

import dataclasses
import functools
import re
from collections.abc import Callable

import jax
import jax.flatten_util
import jax.numpy as jnp
from synthax.config import SynthConfig
from synthax.synth import ParametricSynth, Voice, VoiceExpanded

from doppelgangers.synthesis import fast_synthax
from doppelgangers.synthesis.architectures import Additive, Percussive

# The first three are the paper's (section 3), with its names and 78, 130 and 340 parameters.
ARCHITECTURES = {
    "voice": (Voice, {}),
    "voicefm": (VoiceExpanded, {}),
    "parametric": (ParametricSynth, {"sine": 2, "square_saw": 2, "fm_sine": 1, "fm_square_saw": 1}),
    "percussive": (Percussive, {}),
    "additive": (Additive, {}),
}

# How a SynthAX synthesizer of batch size one and its parameters become audio (1, T).
RENDERERS = {
    "fast": fast_synthax.apply,
    "synthax": lambda synth, parameters: synth.apply(parameters),
}

# Groups of parameters, as SynthAX names them in "module/parameter"; the first pattern that fits, "mixer" for all the rest
# (levels, modulation matrix, shapes and phases of the oscillators).
GROUPS = {
    "pitch": r"keyboard.*/midi_f0|vco.*/(tuning|mod_depth)",
    "envelope": r"adsr.*/|keyboard.*/duration",
    "lfo": r"lfo.*/",  # its own two envelopes too: they move its rate and depth
    "mixer": "",
}

# Sounds rendered at once on a CPU: 16 clips of one second stay in its cache, which makes it faster than any larger
# batch. An accelerator wants many at once, as far as its memory goes.
CPU_CHUNK = 16
GPU_CHUNK = 2048


@dataclasses.dataclass(frozen=True)
class Synthesizer:
    """One architecture: `draw` makes parameters, `render` makes sound of them.

    Attributes:
        dimension: number of parameters, D.
        samples: length of a sound, T.
        groups: for each of the D parameters its group, a name of `GROUPS`.
        draw: key -> theta (D,) in [0, 1], drawn as SynthAX's own `init` draws it: uniform in the human-readable range
            of each parameter, then mapped by the parameter's curve (so not uniform in [0, 1]).
        render: theta (D,) -> mono audio (T,) float32 in [-1, 1].
    """

    dimension: int
    samples: int
    groups: tuple[str, ...]
    draw: Callable[[jax.Array], jax.Array]
    render: Callable[[jax.Array], jax.Array]


@functools.cache
def synthesizer(
    architecture: str,
    rate_hz: int = 16000,
    duration_s: float = 1.0,
    control_rate_hz: int = 480,
    renderer: str = "fast",
) -> Synthesizer:
    """Build a named architecture.

    Args:
        architecture: one of `ARCHITECTURES`.
        rate_hz: sample rate of the sound.
        duration_s: length of the sound.
        control_rate_hz: sample rate of envelopes and LFOs.
        renderer: one of `RENDERERS`; "synthax" is for comparison.

    Raises:
        KeyError: for an unknown architecture or renderer.
    """
    synth_class, options = ARCHITECTURES[architecture]
    apply = RENDERERS[renderer]
    synth = synth_class(
        config=SynthConfig(batch_size=1, sample_rate=rate_hz, buffer_size_seconds=duration_s, control_rate=control_rate_hz),
        **options,
    )
    tree = synth.init(jax.random.key(0))
    theta, unravel = jax.flatten_util.ravel_pytree(tree)
    return Synthesizer(
        dimension=theta.size,
        samples=int(synth.config.buffer_size),
        groups=groups_of(tree),
        draw=lambda key: jax.flatten_util.ravel_pytree(synth.init(key))[0],
        render=lambda theta: apply(synth, unravel(theta))[0],
    )


def render_batch(synth: Synthesizer, theta: jax.Array) -> jax.Array:
    """Render many sounds: theta (N, D) -> audio (N, T). Each is independent of the others."""
    chunk = CPU_CHUNK if jax.default_backend() == "cpu" else GPU_CHUNK
    return jax.lax.map(synth.render, theta, batch_size=min(chunk, len(theta)))


def groups_of(tree: dict) -> tuple[str, ...]:
    """The group of each parameter, in the order of the flattened vector (D,)."""
    groups = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        module, name = (part.key for part in path[-2:])
        name = f"{module.removeprefix('modules_')}/{name}"
        groups += [next(group for group, pattern in GROUPS.items() if re.match(pattern, name))] * leaf.size
    return tuple(groups)


def parameters_of(tree: dict) -> jax.Array:
    """Flatten SynthAX parameters of batch size one into the vector that `render` takes."""
    return jnp.asarray(jax.flatten_util.ravel_pytree(tree)[0])
