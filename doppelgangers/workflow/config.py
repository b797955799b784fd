"""The configuration: one typed, closed schema, put together from the settings of the wings.

Type, default, bounds and description of a key are in these settings and nowhere else; `make docs` writes docs/config.md.
"""

from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import Field, ValidationError, model_validator

from doppelgangers.analysis.settings import AnalysisSettings, ListeningTestSettings, Tagger, Uncertainty
from doppelgangers.datasets.catalogue import DATASETS, TASKS
from doppelgangers.datasets.settings import DatasetSettings, DownloadSettings, OwnTaskSettings
from doppelgangers.encoders.settings import EncoderSettings
from doppelgangers.errors import UserError
from doppelgangers.evaluation.settings import ComparisonSettings, FeatureSettings, MlpSettings, PeerSettings, ProbeSettings
from doppelgangers.pretraining.settings import (
    Augmentation,
    AugmentSettings,
    PretrainSettings,
    RealEncoderSettings,
    RecordingSettings,
)
from doppelgangers.settings import Delta, LocalPath, Name, Section, Seed, Unique, check_names, hint
from doppelgangers.synthesis.settings import Architecture, FactorSettings, PairSettings, SampleSettings, SynthSettings

# Keys that had another name in an earlier version.
RENAMED = {"encoders.hear": "encoders.peers"}


# What table.csv has of an encoder, before the columns of the tasks.
TABLE_COLUMNS = ("encoder", "source", "architecture", "delta", "augmentation", "seeds", "pairs")


class FurtherGrid(Section):
    """More encoders that are trained on doppelgängers: every architecture at every delta and augmentation."""

    architectures: Annotated[list[Architecture], Field(min_length=1), Unique] = Field(description="as encoders.architectures")
    deltas: Annotated[list[Delta], Field(min_length=1), Unique] = Field(description="as encoders.deltas")
    augmentations: Annotated[list[Augmentation], Field(min_length=1), Unique] = Field(description="as encoders.augmentations")


class SelectedEncoderSettings(Section):
    """An encoder that is trained on some of the stored pairs of an architecture and delta, which are chosen by a tagger.

    It is trained on a store also where pretrain.source is stream.
    """

    architecture: Architecture = Field(description="of the pairs.count candidates")
    delta: Delta = Field(description="of the candidates")
    tagger: Tagger = Field("aisfx", description="who hears the first view of each candidate, as in analysis.taggers")
    definition: Uncertainty = Field("entropy", description="of causal uncertainty, as in analysis.uncertainty")
    keep: Literal["certain", "uncertain", "random"] = Field(
        description="certain: the candidates of whose cause the tagger is surest; uncertain: least sure; random: any"
    )
    share: Annotated[float, Field(gt=0, le=1)] = Field(0.25, description="of the candidates that is kept; 1: the whole store")
    augmentation: Augmentation = Field("none", description="of each view, as encoders.augmentations")


class EncoderGrid(Section):
    """Which encoders are rows of the table: every architecture at every delta and augmentation, each with every seed."""

    random_init: bool = Field(True, description="add the encoder before any training, which all others have to beat")
    random_seeds: Annotated[list[Seed], Field(min_length=1), Unique] = Field(
        [0, 1, 2, 3, 4], description="of random_init, which costs no training; the table has the mean over them"
    )
    architectures: Annotated[list[Architecture], Unique] = Field(
        ["voice"],
        description="synthesizers; the paper's are voice, voicefm and parametric; percussive: strokes; additive: held notes",
    )
    deltas: Annotated[list[Delta], Unique] = Field(
        ["0.05", "0.25"], description="standard deviation of the perturbation; the paper's are 0.01, 0.05, 0.1, 0.25 and 0.5"
    )
    augmentations: Annotated[list[Augmentation], Field(min_length=1), Unique] = Field(
        ["none"],
        description="of each view; none; waveform: the paper's chain, drawn once for every 100 sounds as in the authors' code; "
        "waveform_per_example: drawn for each sound; spec: SpecAugment; spec_per_example: filled with each sound's own mean",
    )
    seeds: Annotated[list[Seed], Field(min_length=1), Unique] = Field(
        [0],
        description="of the initial weights, and of the pairs (with pretrain.source store, of their order); the table has the "
        "mean over them",
    )
    further: list[FurtherGrid] = Field(
        [],
        description="more encoders, such as those with augmentations, a list of {architectures: ..., deltas: ..., "
        "augmentations: ...}; an encoder that is named twice is one row",
    )
    selected: dict[Name, SelectedEncoderSettings] = Field(
        {},
        description="encoders that are trained on the pairs of whose cause a tagger is sure or unsure, name: {architecture: "
        "..., delta: ..., keep: ...} (docs/analysis.md)",
    )
    real: dict[Name, RealEncoderSettings] = Field(
        {}, description="baselines trained on recordings, name: {recordings: ..., views: ...} (docs/pretraining.md)"
    )
    released: dict[Name, LocalPath] = Field(
        {}, description="encoders trained earlier, name: folder, such as pretrained/voice-0.25 (docs/hear.md)"
    )
    peers: dict[Name, PeerSettings] = Field(
        {}, description="encoders of others, name: {module: ..., model: ...}; any package with the HEAR API (docs/hear.md)"
    )


class Config(Section):
    """The whole configuration."""

    encoders: EncoderGrid = EncoderGrid()
    recordings: dict[Name, RecordingSettings] = Field(
        {}, description="sounds for encoders.real, name: {path: ...}; the paper's are those of VGGSound"
    )
    augment: AugmentSettings = AugmentSettings()
    synth: SynthSettings = SynthSettings()
    pairs: PairSettings = PairSettings()
    samples: SampleSettings = SampleSettings()
    encoder: EncoderSettings = EncoderSettings()
    pretrain: PretrainSettings = PretrainSettings()
    tasks: Annotated[list[str], Field(min_length=1), Unique] = Field(
        ["pitch", "family", "percussion", "instrument"],
        description="what the probes are trained for: names of own_tasks and of the catalogue (docs/datasets.md)",
    )
    own_tasks: dict[Name, OwnTaskSettings] = Field(
        {}, description="your own tasks, name: {format: folder, path: ..., label: ...} (docs/adding.md)"
    )
    downloads: DownloadSettings = DownloadSettings()
    datasets: dict[str, DatasetSettings] = Field(
        {}, description="where a dataset comes from, name: {path: ...}; for those not named here, the catalogue says it"
    )
    features: FeatureSettings = FeatureSettings()
    probe: ProbeSettings = ProbeSettings()
    mlp: MlpSettings = MlpSettings()
    comparisons: ComparisonSettings = ComparisonSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    listening_test: ListeningTestSettings = ListeningTestSettings()

    @model_validator(mode="after")
    def check_encoders(self):
        """What no single key of the encoders can tell."""
        named = [*self.encoders.selected, *self.encoders.real, *self.encoders.released, *self.encoders.peers]
        trained = (self.encoders.architectures and self.encoders.deltas) or self.encoders.further
        if not (self.encoders.random_init or trained or named):
            raise ValueError("encoders: nothing to evaluate; set random_init, or name architectures and deltas")
        if twice := [name for name in named if [*named, "random_init"].count(name) > 1]:
            raise ValueError(f"encoders: {twice[0]!r} names two encoders; rename one")
        check_names("encoders.real", [real.recordings for real in self.encoders.real.values()], list(self.recordings))
        return self

    @model_validator(mode="after")
    def check_pretraining(self):
        """What no single key of pairs and pretraining can tell."""
        pairs, pretrain = self.pairs, self.pretrain
        if pairs.perturbation == "curriculum" and pretrain.source == "store":
            raise ValueError("pairs.perturbation: a curriculum needs pairs in their order; set pretrain.source to stream")
        if self.synth.peak == "first_of_batch" and pretrain.source == "store":
            raise ValueError("synth.peak: a store has no batches, so no first_of_batch; set pretrain.source to stream")
        if pairs.perturbation != "anisotropic" and pairs.factors != FactorSettings():
            raise ValueError(
                f"pairs.factors: {pairs.perturbation} has none; set pairs.perturbation to anisotropic, or all factors to 1"
            )
        if pretrain.batch_pairs > pretrain.pairs:
            raise ValueError(f"pretrain.pairs ({pretrain.pairs}) is less than one batch ({pretrain.batch_pairs})")
        if pretrain.source == "store" and pretrain.batch_pairs > pairs.count:
            raise ValueError(f"pairs.count ({pairs.count}) is less than pretrain.batch_pairs ({pretrain.batch_pairs})")
        if pairs.perturbation == "curriculum" and self.encoders.selected:
            raise ValueError("encoders.selected: a curriculum needs pairs in their order; set pairs.perturbation to gaussian")
        for name, selected in self.encoders.selected.items():
            if (kept := round(selected.share * pairs.count)) < pretrain.batch_pairs:
                raise ValueError(
                    f"encoders.selected.{name}.share: of pairs.count ({pairs.count}) it keeps {kept}, less than "
                    f"pretrain.batch_pairs ({pretrain.batch_pairs})"
                )
        return self

    @model_validator(mode="after")
    def check_datasets(self):
        """What no single key of tasks and datasets can tell."""
        check_names("tasks", self.tasks, [*TASKS, *self.own_tasks])
        check_names("probe.confusions", self.probe.confusions, [*TASKS, *self.own_tasks])
        with_several = {name for rows in (TASKS, self.own_tasks) for name, row in rows.items() if row.multilabel}
        if named := [name for name in self.probe.confusions if name in with_several]:
            raise ValueError(f"probe.confusions: a clip of {named[0]} has several labels, so none is taken for another")
        check_names("downloads.noncommercial", self.downloads.noncommercial, list(DATASETS))
        check_names("datasets", list(self.datasets), list(DATASETS))
        if taken := set(self.own_tasks) & {*TASKS, *DATASETS, "noise"}:  # the last: sounds of the analysis
            raise ValueError(f"own_tasks.{min(taken)}: the catalogue has this name already; choose another")
        columns = [*TASKS, *self.own_tasks]
        columns += [f"{name}_{kind}" for name in columns for kind in self.probe.also]
        columns += [*TABLE_COLUMNS, *(f"{name}_std" for name in columns)]
        if twice := [name for name in columns if columns.count(name) > 1]:
            raise ValueError(f"own_tasks: table.csv would have two columns called {twice[0]!r}; rename the task")
        for name, dataset in self.datasets.items():
            if dataset.url and dataset.path:
                raise ValueError(f"datasets.{name}: set url or path, not both")
            several = len(DATASETS[name].archives) > 1 or any(archive.manifest for archive in DATASETS[name].archives)
            if several and dataset.checksum not in ("", "none"):
                raise ValueError(f'datasets.{name}.checksum: it has several files; leave it empty, or "none"')
        return self


def load(raw: dict) -> Config:
    """Validate what YAML gave.

    Raises:
        UserError: with one line for each fault: the key, the value, and what is allowed.
    """
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        faults = "\n".join(f"  {explain(fault)}" for fault in error.errors())
        raise UserError(f"the configuration is not valid:\n{faults}\nAll keys are explained in docs/config.md.") from None


def explain(fault: Any) -> str:
    """One line for one of pydantic's errors."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        if place in RENAMED:
            return f"{place}: unknown key; it is called {RENAMED[place]} now"
        known = list(section_at(fault["loc"][:-1]).model_fields)
        return f"{place}: unknown key; {hint(str(fault['loc'][-1]), known, 'known keys: ')}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place} = {fault['input']!r}: {message}" if place else message


def section_at(path: tuple) -> Any:
    """The section at a path of keys; in a mapping or list that the user fills, every entry leads to the same one."""
    section: Any = Config
    for part in path:
        is_filled = get_origin(section) in (dict, list)
        section = get_args(section)[-1] if is_filled else section.model_fields[part].annotation
    return section
