"""Two synthesizers that the paper does not have, built from SynthAX's modules.

Each makes one kind of sound, while the paper's three synthesizers make many kinds.
"""

import math

import jax
from synthax.modules.amplifiers import VCA
from synthax.modules.control import ControlRateUpsample
from synthax.modules.envelopes import ADSR
from synthax.modules.keyboard import MonophonicKeyboard
from synthax.modules.mixers import AudioMixer
from synthax.modules.oscillators import FmVCO, Noise, SineVCO
from synthax.parameter import ModuleParameterRange as Range
from synthax.synth import BaseSynth


class Percussive(BaseSynth):
    """Short strokes: a sine whose pitch falls (drum), a sine that modulates another (metal) and noise (snare, cymbal).

    Question: are short sounds without a steady pitch enough to learn from, and are they better for tasks about events
    (ESC-50, percussion) than the paper's synthesizers, which make mostly long sounds?
    """

    def setup(self):
        envelope = {
            "attack": Range(0.0, 0.02, curve=0.5),
            "decay": Range(0.01, 0.4, curve=0.5),
            "sustain": Range(0.0, 0.2),
            "release": Range(0.02, 0.8, curve=0.5),
        }
        fall = Range(0.0, 36.0, curve=0.5)  # semitones from the first pitch of a stroke down to its last
        spec = {
            "keyboard": (MonophonicKeyboard, {"midi_f0": Range(24.0, 84.0), "duration": Range(0.02, 0.2, curve=0.5)}),
            **{f"adsr_{i}": (ADSR, envelope) for i in range(1, 5)},
            "control_upsample": (ControlRateUpsample, {}),
            "vca": (VCA, {}),
            "vco_1": (SineVCO, {"mod_depth": fall}),
            "vco_2": (SineVCO, {"mod_depth": fall}),
            "vco_3": (FmVCO, {}),
            "noise": (Noise, {}),
            "mixer": (AudioMixer, {"n_input": 3}),
        }
        self.modules = {name: module(config=self.config, **options) for name, (module, options) in spec.items()}

    def __call__(self) -> jax.Array:
        """Audio (batch, T)."""
        of = self.modules
        midi_f0, duration = of["keyboard"]()
        fall, drum, metal, hiss = (of["control_upsample"](of[f"adsr_{i}"](duration)) for i in range(1, 5))
        modulator = of["vca"](of["vco_2"](midi_f0, fall), metal)
        return of["mixer"](
            of["vca"](of["vco_1"](midi_f0, fall), drum),
            of["vca"](of["vco_3"](midi_f0, modulator), metal),
            of["vca"](of["noise"](), hiss),
        )


class Additive(BaseSynth):
    """Held notes: six almost harmonic partials, each with its own level and slow envelope; no noise, no LFO, no FM.

    Question: how much can be learnt from pitch and spectral envelope alone? Better scores on tasks about pitch and instruments,
    and worse scores on tasks about events, would show what the noise and modulation of the paper's synthesizers contribute.
    """

    partials: int = 6

    def setup(self):
        envelope = {"attack": Range(0.0, 0.5, curve=0.5), "sustain": Range(0.5, 1.0)}
        spec = {
            "keyboard": (MonophonicKeyboard, {"midi_f0": Range(36.0, 84.0), "duration": Range(0.5, 4.0, curve=0.5)}),
            "control_upsample": (ControlRateUpsample, {}),
            "vca": (VCA, {}),
            "mixer": (AudioMixer, {"n_input": self.partials, "level": Range(0.0, 1.0, curve=0.5)}),
        }
        for i in range(1, self.partials + 1):
            harmonic = 12 * math.log2(i)  # semitones above the fundamental
            tuning, drift = Range(harmonic - 0.3, harmonic + 0.3), Range(-0.3, 0.3)
            spec[f"adsr_{i}"] = (ADSR, envelope)
            spec[f"vco_{i}"] = (SineVCO, {"tuning": tuning, "mod_depth": drift})
        self.modules = {name: module(config=self.config, **options) for name, (module, options) in spec.items()}

    def __call__(self) -> jax.Array:
        """Audio (batch, T)."""
        of = self.modules
        midi_f0, duration = of["keyboard"]()
        signals = []
        for i in range(1, self.partials + 1):
            control = of["control_upsample"](of[f"adsr_{i}"](duration))
            signals.append(of["vca"](of[f"vco_{i}"](midi_f0, control), control))
        return of["mixer"](*signals)
