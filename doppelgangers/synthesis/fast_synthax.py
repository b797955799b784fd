"""SynthAX's synthesizers, computed by faster code.

The modules of a synthesizer, their connections, parameters and ranges are SynthAX's own. While it runs, Flax replaces the slow
methods of its modules by the functions below, which compute the same with `doppelgangers.synthesis.dsp`.
"""

import functools
import math
import operator
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from synthax.functional import midi_to_hz
from synthax.modules.amplifiers import VCA
from synthax.modules.control import ControlRateUpsample
from synthax.modules.envelopes import ADSR
from synthax.modules.lfos import LFO
from synthax.modules.mixers import AudioMixer
from synthax.modules.oscillators import VCO, FmVCO, Noise, SineVCO, SquareSawVCO
from synthax.parameter import from_0to1
from synthax.synth import BaseSynth

from doppelgangers.synthesis.dsp import Grid, accumulate, cosine, sine, to_blocks, to_signal, wrap

Method = tuple[type[nn.Module], str]  # kind of module, name of its method

A440 = 69  # MIDI number of 440 Hz
SEMITONES = 12


def apply(synth: BaseSynth, parameters: dict, scaled: bool = True) -> jax.Array:
    """Render one sound: a SynthAX synthesizer of batch size one and its parameters -> audio (1, T).

    Control signals stay at the control rate, (1, C), until they are combined with audio. Audio is in blocks (see `dsp`) until
    it is mixed. If it is scaled, it is divided by its peak where that is above 1.
    """
    return apply_with(METHODS if scaled else {**METHODS, MIXER: add}, synth, parameters)


def apply_plainly(synth: BaseSynth, parameters: dict, scaled: bool = True) -> jax.Array:
    """The same by SynthAX's own code."""
    return apply_with({} if scaled else {MIXER: add_plainly}, synth, parameters)


def apply_with(methods: dict[Method, Callable[..., jax.Array]], synth: BaseSynth, parameters: dict) -> jax.Array:
    """Run a synthesizer with some methods of its modules replaced."""
    grid = Grid(int(synth.config.buffer_size), int(synth.config.control_buffer_size))

    def interceptor(method, args, kwargs, context):
        for (kind, name), function in methods.items():
            if isinstance(context.module, kind) and context.method_name == name:
                return function(context.module, grid, *args, **kwargs)
        return method(*args, **kwargs)

    with nn.intercept_methods(interceptor):
        return synth.apply(parameters)


def value(module: nn.Module, name: str) -> jax.Array:
    """A parameter in its human-readable range, (1,) or (1, inputs)."""
    return from_0to1(getattr(module, f"_{name}"), getattr(module, f"_{name}_range"))


def initial_phase(module: VCO | LFO) -> jax.Array:
    """Initial phase of an oscillator in turns, (1,)."""
    return value(module, "initial_phase") / (2 * math.pi)


def upsample(module: ControlRateUpsample, grid: Grid, control: jax.Array) -> jax.Array:
    """Return the control signal as it is, (1, C): the modules that receive it upsample it themselves."""
    return control


def amplify(module: VCA, grid: Grid, audio: jax.Array, control: jax.Array) -> jax.Array:
    """Multiply audio by a control signal, which is upsampled here."""
    return audio * grid.upsample(control)


def oscillate(module: VCO, grid: Grid, midi_f0: jax.Array, control: jax.Array) -> jax.Array:
    """The waveform at the pitch midi_f0 + tuning + mod_depth * control, clipped to MIDI numbers 0 to 127."""
    pitch = (midi_f0 + value(module, "tuning"))[:, None] + value(module, "mod_depth")[:, None] * control
    octaves = grid.upsample((pitch - A440) / SEMITONES)
    octaves = jnp.clip(octaves, -A440 / SEMITONES, (127 - A440) / SEMITONES)
    return waveform(module, jnp.exp2(octaves) * (440 / module.sample_rate), midi_f0)


def oscillate_fm(module: FmVCO, grid: Grid, midi_f0: jax.Array, audio: jax.Array) -> jax.Array:
    """A cosine of frequency f0 (1 + mod_depth * audio), clipped to 0 and half the sample rate."""
    turns = midi_to_hz(midi_f0 + value(module, "tuning")) / module.sample_rate
    depth = turns * value(module, "mod_depth")
    return waveform(module, jnp.clip(turns[:, None, None] + depth[:, None, None] * audio, 0, 0.5), midi_f0)


def waveform(module: VCO, turns: jax.Array, midi_f0: jax.Array) -> jax.Array:
    """The module's waveform, (1, blocks, BLOCK), from its frequency in turns per sample, of the same shape."""
    phase = accumulate(turns) + initial_phase(module)[:, None, None]
    if not isinstance(module, SquareSawVCO):
        return cosine(phase)
    partials = module.partials_constant(midi_f0)[:, None, None]
    shape = value(module, "shape")[:, None, None]
    square = jnp.tanh(math.pi / 2 * partials * sine(phase))
    return (1 - shape / 2) * square * (1 + shape * cosine(phase))


def noise(module: Noise, grid: Grid) -> jax.Array:
    """SynthAX's noise, which is the same in every sound."""
    return to_blocks(module._noise)


def mix(module: AudioMixer, grid: Grid, *signals: jax.Array) -> jax.Array:
    """The sum of the signals times their levels; divided by its peak if that is above 1."""
    audio = add(module, grid, *signals)
    return audio / jnp.maximum(jnp.abs(audio).max(axis=-1, keepdims=True), 1)


def add(module: AudioMixer, grid: Grid, *signals: jax.Array) -> jax.Array:
    """The sum of the signals times their levels."""
    levels = value(module, "level")
    total = functools.reduce(operator.add, (levels[:, i, None, None] * signal for i, signal in enumerate(signals)))
    return to_signal(total, grid.samples)


def add_plainly(module: AudioMixer, grid: Grid, *signals: jax.Array) -> jax.Array:
    """The same of signals that are not in blocks."""
    return jnp.einsum("bi,ibt->bt", value(module, "level"), jnp.stack(signals))


def lfo(module: LFO, grid: Grid, rate: jax.Array) -> jax.Array:
    """The mixture of five waveforms at the frequency max(frequency + mod_depth * rate, 0) Hz."""
    frequency = jnp.maximum(value(module, "frequency")[:, None] + value(module, "mod_depth")[:, None] * rate, 0)
    phase = to_signal(accumulate(to_blocks(frequency / module.control_rate)), grid.controls) + initial_phase(module)[:, None]
    cosines, saw = cosine(phase), phase - jnp.floor(phase)
    shapes = ((1 - cosines) / 2, 2 * jnp.abs(wrap(phase)), saw, 1 - saw, (1 - jnp.sign(cosines)) / 2)
    amounts = [value(module, name) ** module.exponent for name in ("sin", "tri", "saw", "rsaw", "sqr")]
    return sum((amount / sum(amounts))[:, None] * shape for amount, shape in zip(amounts, shapes, strict=True))


def ramp(module: ADSR, grid: Grid, duration: jax.Array, start: jax.Array | None = None, inverse: bool = False) -> jax.Array:
    """A ramp of an envelope from 0 to 1 (inverse: from 1 to 0), to the power alpha, with SynthAX's guards against 0.

    Args:
        duration: of the ramp in seconds, (1,).
        start: when the ramp begins, in seconds, (1,); None is 0.
        inverse: whether it falls.
    """
    duration = duration[:, None] * module.control_rate
    points_before = 0 if start is None else start[:, None] * module.control_rate
    rise = jnp.maximum(jnp.arange(grid.controls) - points_before, 0)
    rise = jnp.minimum((rise + module.eps) / duration + module.eps, 1)
    rise = jnp.where(inverse & (duration > 0), 1 - rise, rise)
    return jnp.exp2(value(module, "alpha")[:, None] * jnp.log2(rise))


MIXER: Method = (AudioMixer, "__call__")

# Method -> the function that replaces it: (module, grid, arguments of the method) -> result.
METHODS: dict[Method, Callable[..., jax.Array]] = {
    (ControlRateUpsample, "__call__"): upsample,
    (VCA, "__call__"): amplify,
    (SineVCO, "__call__"): oscillate,
    (SquareSawVCO, "__call__"): oscillate,
    (FmVCO, "__call__"): oscillate_fm,
    (Noise, "__call__"): noise,
    MIXER: mix,
    (LFO, "__call__"): lfo,
    (ADSR, "ramp"): ramp,
}
