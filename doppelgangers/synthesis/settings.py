"""Settings of the synthesizers and of the pairs."""

from typing import Annotated, Literal

from pydantic import Field

from doppelgangers.settings import Count, NotNegative, Section, Seed

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rules

Architecture = Literal["voice", "voicefm", "parametric", "percussive", "additive"]


class SynthSettings(Section):
    """The synthesizers (SynthAX), at 16 kHz."""

    duration_s: Annotated[float, Field(gt=0, le=60)] = Field(1.0, description="length of a sound, in seconds; paper: 1")
    control_rate_hz: Count = Field(480, description="rate of envelopes and LFOs, in Hz; paper: 480")
    renderer: Literal["fast", "synthax"] = Field(
        "fast",
        description="fast: SynthAX's synthesizers, computed by faster code; synthax: by SynthAX's own code, to compare "
        "(docs/design.md)",
    )
    peak: Literal["own", "first_of_batch"] = Field(
        "own",
        description="what a sound is divided by if that is above 1; own: its own peak; first_of_batch: that of the first sound "
        "of its batch, as in SynthAX, paper; with pretrain.source stream only, and not for sounds to listen to",
    )


class FactorSettings(Section):
    """For the perturbation anisotropic: the factor of delta for each group of parameters; 0 leaves a group unchanged."""

    pitch: NotNegative = Field(default=1.0, description="note of the keyboard; tuning and modulation depth of the oscillators")
    envelope: NotNegative = Field(
        default=1.0, description="attack, decay, sustain, release and shape of the envelopes; length of the note"
    )
    lfo: NotNegative = Field(
        default=1.0, description="rate, depth, phase and waveform of the slow oscillators, and their own envelopes"
    )
    mixer: NotNegative = Field(
        default=1.0, description="all others: levels, modulation matrix, shape and phase of the oscillators"
    )


class PairSettings(Section):
    """The pairs of doppelgängers. Each has an address, (seed, index), and sounds the same wherever it is made."""

    seed: Seed = Field(
        0, description="chooses the pairs; those of a stream (pretrain.source) are chosen by the encoder's seed, too"
    )
    perturbation: Literal["gaussian", "anisotropic", "curriculum"] = Field(
        "gaussian",
        description="how the parameters are perturbed; gaussian: all with the same delta, paper; anisotropic: with factors; "
        "curriculum: with a delta that grows from 0",
    )
    factors: FactorSettings = FactorSettings()
    ramp_pairs: Count = Field(
        9_000_000, description="for the perturbation curriculum: number of pairs until delta reaches its full size"
    )
    count: Count = Field(25_600, description="pairs in the store of each architecture and delta; 64 kB each")
    shard_pairs: Count = Field(3_200, description="pairs per file of the store; a killed run loses at most one file")


class SampleSettings(Section):
    """The listening page, results/listen.html."""

    pairs: Annotated[int, Field(ge=1, le=100)] = Field(6, description="pairs of each architecture and delta to listen to")
