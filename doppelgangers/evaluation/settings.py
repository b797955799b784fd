"""Settings of the probes, and of the encoders of others."""

from typing import Annotated, Literal

from pydantic import Field

from doppelgangers.datasets.catalogue import ProbeKind
from doppelgangers.settings import Count, Fraction, NotNegative, Positive, Section, Seed, Unique

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rules


class PeerSettings(Section):
    """An encoder of somebody else, used through the HEAR API."""

    module: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$")] = Field(
        description="importable module that has load_model and get_scene_embeddings"
    )
    model: str = Field("", description="argument of its load_model: the path of the weights, or empty")


class FeatureSettings(Section):
    """Features of a clip, from the embeddings of its patches, by encoders of ours."""

    pooling: Literal["mean", "masked_mean"] = Field(
        "mean",
        description="mean: over all patches, as ARCH and HEAR do, the silence that a short clip is padded with included; "
        "masked_mean: a patch counts by the share of it that lies within the clip",
    )


class ComparisonSettings(Section):
    """Differences of scores, results/comparisons.csv, by a bootstrap over folds and seeds (docs/design.md)."""

    against: Annotated[list[str], Unique] = Field(
        ["random_init"], description="encoder settings that all others are held against; those that are no rows are left out"
    )


class ProbeSettings(Section):
    """Probes on frozen features; the keys from epochs to warmup are for the linear probe only."""

    kind: Literal["suite", ProbeKind] = Field(
        "suite",
        description="of the columns <task> of table.csv; suite: linear for the tasks of ARCH and ours, mlp for those of HEAR; "
        "others: for all tasks; linear: ARCH's; mlp: HEAR's; hear_linear: HEAR's without hidden layers; paper: linear",
    )
    also: Annotated[list[ProbeKind], Unique] = Field(
        [], description="further kinds for all tasks, in columns <task>_<kind>; where it is a task's kind already, it adds none"
    )
    confusions: Annotated[list[str], Unique] = Field(
        ["family", "instrument", "speaker"],
        description="tasks of which results/confusions/ says what is taken for what, by the probe of column <task>; those that "
        "are not among the tasks have none",
    )
    protocol: Literal["corrected", "faithful"] = Field(
        "corrected", description="faithful: as in the published code of ARCH and HEAR, with its errors (docs/design.md)"
    )
    epochs: Count = Field(200, description="linear probe; ARCH: 200")
    batch_clips: Count = Field(32, description="linear probe: clips per step; ARCH: 32")
    learning_rate: Positive = Field(1.0e-3, description="linear probe: largest learning rate of AdamW; ARCH: 1e-3")
    weight_decay: NotNegative = Field(0.01, description="linear probe: of AdamW; ARCH: 0.01")
    warmup: Fraction = Field(
        0.1, description="linear probe: share of the steps in which the learning rate rises, before it falls to 0; ARCH: 0.1"
    )
    standardize: bool = Field(
        False, description="scale each feature to mean 0 and deviation 1 over the training clips; ARCH: false"
    )
    seed: Seed = Field(42, description="of the initial weights, the order of clips and random validation clips; ARCH: 42")


class MlpSettings(Section):
    """HEAR's probe: a multilayer perceptron with one or two hidden layers, whose settings are chosen by grid search.

    The kind hear_linear takes these too, but hidden and tried: it has no hidden layer, and all points are tried.
    """

    hidden: Annotated[list[Annotated[int, Field(ge=0, le=2)]], Field(min_length=1), Unique] = Field(
        [1, 2], description="grid: numbers of hidden layers; 0: a linear layer only; HEAR: 1, 2"
    )
    learning_rates: Annotated[list[Positive], Field(min_length=1), Unique] = Field(
        [3.2e-3, 1.0e-3, 3.2e-4, 1.0e-4], description="grid: learning rates of Adam; HEAR: these"
    )
    inits: Annotated[list[Literal["xavier_uniform", "xavier_normal"]], Field(min_length=1), Unique] = Field(
        ["xavier_uniform", "xavier_normal"], description="grid: initial weights; HEAR: these"
    )
    tried: Count = Field(8, description="number of points of the grid that are tried, drawn at random; HEAR: 8")
    width: Count = Field(1024, description="units of a hidden layer; HEAR: 1024")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="HEAR: 0.1")
    batch_clips: Annotated[int, Field(ge=2)] = Field(1024, description="clips per step; HEAR: 1024")
    max_epochs: Count = Field(500, description="HEAR: 500")
    check_every_epochs: Count = Field(3, description="epochs between two validations; HEAR: 3")
    patience_checks: Count = Field(20, description="validations without improvement after which training ends; HEAR: 20")
