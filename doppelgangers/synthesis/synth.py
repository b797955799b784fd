"""The paper's three synthesizers, and two more, as pure functions of one parameter vector.

SynthAX 0.2.2 scales every sound of a batch by the peak of the batch's FIRST sound, so that a sound depends on its batch. Here
each sound is a SynthAX batch of one under `jax.vmap`: it is scaled by its own peak, and is the same sound in any batch.
"""

import contextlib
import dataclasses
import functools
import re
from collections.abc import Callable

import flax
import jax
import jax.flatten_util
import jax.numpy as jnp
from synthax.config import SynthConfig
from synthax.synth import ParametricSynth, Voice, VoiceExpanded

from doppelgangers.synthesis import fast_synthax
from doppelgangers.synthesis.architectures import Additive, Percussive

# Options of JAX and Flax that change sounds, or with which SynthAX's code is refused. Both take them from the environment
# (JAX_ENABLE_X64, FLAX_FIX_RNG_SEPARATOR, ...), which must not change what a pair sounds like. Of XLA_FLAGS, `generate` sets
# what counts; the others can change how a sound is rounded, as another processor can, and are recorded with the pairs.
OPTIONS = {
    "jax_default_prng_impl": "threefry2x32",
    "jax_threefry_partitionable": True,
    "jax_random_seed_offset": 0,
    "jax_enable_x64": False,
    "jax_default_matmul_precision": None,
    "jax_disable_jit": False,
    "jax_disable_most_optimizations": False,
    "flax_fix_rng_separator": False,
    # Refusals: of types and keys that SynthAX mixes, and of what may become of numbers (`generate` finds what is not finite).
    "jax_numpy_dtype_promotion": "standard",
    "jax_numpy_rank_promotion": "allow",
    "jax_legacy_prng_key": "allow",
    "jax_transfer_guard": "allow",
    "jax_error_checking_behavior_nan": "ignore",
    "jax_error_checking_behavior_divide": "ignore",
    "jax_error_checking_behavior_oob": "ignore",
    "jax_scan3": False,
}
for name, setting in OPTIONS.items():
    with contextlib.suppress(AttributeError, LookupError):  # other versions do not have all of them
        (jax if name.startswith("jax_") else flax).config.update(name, setting)

# The first three are the paper's (section 3), with its names and 78, 130 and 340 parameters.
ARCHITECTURES = {
    "voice": (Voice, {}),
    "voicefm": (VoiceExpanded, {}),
    "parametric": (ParametricSynth, {"sine": 2, "square_saw": 2, "fm_sine": 1, "fm_square_saw": 1}),
    "percussive": (Percussive, {}),
    "additive": (Additive, {}),
}

# Name -> function of a SynthAX synthesizer of batch size one, its parameters, and whether a sound is divided by its peak if
# that is above 1; it returns audio (1, T).
RENDERERS = {"fast": fast_synthax.apply, "synthax": fast_synthax.apply_plainly}

# Group of parameters -> pattern of their names in SynthAX, "module/parameter". A parameter is in the first group that matches;
# "mixer" takes the rest (levels, modulation matrix, shapes and phases of the oscillators).
GROUPS = {
    "pitch": r"keyboard.*/midi_f0|vco.*/(tuning|mod_depth)",
    "envelope": r"adsr.*/|keyboard.*/duration",
    "lfo": r"lfo.*/",  # and the two envelopes of each LFO, which control its rate and its depth
    "mixer": "",
}

# Sounds rendered at once. On a CPU, 16 sounds of one second stay in its cache, which is faster than any larger number. A GPU
# needs many to be fast, but they must fit in its memory.
CPU_CHUNK = 16
GPU_CHUNK = 2048


@dataclasses.dataclass(frozen=True)
class Synthesizer:
    """A synthesizer: `draw` makes random parameters, `render` makes a sound from parameters.

    Attributes:
        dimension: number of parameters, D.
        samples: length of a sound in samples, T.
        groups: group of each of the D parameters, a name of `GROUPS`.
        draw: key -> theta (D,) in [0, 1], as SynthAX's own `init` draws it: uniform in the human-readable range of each
            parameter, then mapped to [0, 1] by the parameter's curve (so not uniform in [0, 1]).
        render: theta (D,) -> mono audio (T,) float32; in [-1, 1] if it is scaled.
    """

    dimension: int
    samples: int
    groups: tuple[str, ...]
    draw: Callable[[jax.Array], jax.Array]
    render: Callable[[jax.Array], jax.Array]


@functools.cache
def synthesizer(
    architecture: str,
    *,
    rate_hz: int = 16000,
    duration_s: float = 1.0,
    control_rate_hz: int = 480,
    renderer: str = "fast",
    scaled: bool = True,
) -> Synthesizer:
    """Build a named architecture.

    Args:
        architecture: one of `ARCHITECTURES`.
        rate_hz: sample rate of the sound in Hz.
        duration_s: length of the sound in seconds.
        control_rate_hz: rate of envelopes and LFOs in Hz.
        renderer: one of `RENDERERS`; "synthax" is for comparison.
        scaled: whether a sound is divided by its peak if that is above 1.

    Raises:
        KeyError: for an unknown architecture or renderer.
    """
    synth_class, options = ARCHITECTURES[architecture]
    apply = RENDERERS[renderer]
    synth = synth_class(
        config=SynthConfig(batch_size=1, sample_rate=rate_hz, buffer_size_seconds=duration_s, control_rate=control_rate_hz),
        **options,
    )
    shapes = jax.eval_shape(synth.init, jax.random.key(0))
    theta, unravel = jax.flatten_util.ravel_pytree(jax.tree.map(jnp.zeros_like, shapes))
    return Synthesizer(
        dimension=theta.size,
        samples=int(synth.config.buffer_size),
        groups=groups_of(shapes),
        draw=lambda key: jax.flatten_util.ravel_pytree(synth.init(key))[0],
        render=lambda theta: apply(synth, unravel(theta), scaled)[0],
    )


def render_batch(synth: Synthesizer, theta: jax.Array) -> jax.Array:
    """Render many sounds, each independent of the others: theta (N, D) -> audio (N, T)."""
    chunk = CPU_CHUNK if jax.default_backend() == "cpu" else GPU_CHUNK
    return jax.lax.map(synth.render, theta, batch_size=min(chunk, len(theta)))


def groups_of(shapes: dict) -> tuple[str, ...]:
    """The group of each parameter of a SynthAX synthesizer, in the order of the flattened vector (D,)."""
    groups: list[str] = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(shapes):
        module, name = (part.key for part in path[-2:])
        name = f"{module.removeprefix('modules_')}/{name}"
        groups += [next(group for group, pattern in GROUPS.items() if re.match(pattern, name))] * leaf.size
    return tuple(groups)
