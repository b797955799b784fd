"""Settings of the analysis of sounds, and of the listening test."""

from typing import Annotated, Literal

from pydantic import Field

from doppelgangers.settings import Count, Delta, LocalPath, Section, Unique
from doppelgangers.synthesis.settings import Architecture

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rules

Tagger = Literal["aisfx", "mn04", "ast"]
Uncertainty = Literal["entropy", "softmax_entropy", "binary_entropy", "top"]


class AnalysisSettings(Section):
    """What sounds are like, synthetic beside real: spectra, causal uncertainty, distances (docs/analysis.md)."""

    sounds: Annotated[int, Field(ge=10)] = Field(
        200, description="of each set: pairs of an architecture and delta, clips of a dataset; paper: 1000 pairs"
    )
    architectures: Annotated[list[Architecture], Field(min_length=1), Unique] = Field(
        ["voice"], description="whose sounds are looked at, at each of the deltas; none of them needs an encoder"
    )
    deltas: Annotated[list[Delta], Field(min_length=1), Unique] = Field(
        ["0.01", "0.05", "0.1", "0.25", "0.5"], description="of the pairs that are looked at; paper"
    )
    taggers: Annotated[list[Tagger], Field(min_length=1), Unique] = Field(
        ["aisfx"],
        description="whose classes and embeddings are used; aisfx: sound effects by cause, comes with its package; mn04: "
        "AudioSet, fetched (4 MB); ast: AudioSet, paper, fetched (350 MB), for a GPU",
    )
    uncertainty: Annotated[list[Uncertainty], Field(min_length=1), Unique] = Field(
        ["entropy", "binary_entropy", "top"],
        description="definitions of causal uncertainty, all of which are reported (docs/analysis.md)",
    )
    encoders: Annotated[list[str], Unique] = Field(
        [], description="encoder settings of ours whose embeddings are looked at beside those of the taggers, e.g. random_init"
    )
    ast: str = Field(
        "MIT/ast-finetuned-audioset-10-10-0.4593",
        description="the tagger ast: a name on the Hugging Face hub, or a folder; paper",
    )
    resamples: Count = Field(1000, description="of a bootstrap, for intervals of 95 percent")


class ListeningTestSettings(Section):
    """The listening test, results/listening_test.html, and what came back from it (docs/analysis.md)."""

    architecture: Architecture = Field("voice", description="of the pairs, which have the deltas of analysis.deltas")
    pairs: Annotated[int, Field(ge=1, le=20)] = Field(5, description="of each delta that a listener rates")
    ratings: LocalPath = Field("", description="folder with the files that listeners have exported; empty: none yet")
