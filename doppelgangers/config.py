"""The configuration: one typed, closed schema.

Type, default, bounds and description of a key stand here and nowhere else; `make docs` writes the rest from them.
"""

import difflib
import math
import re
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlparse

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    model_validator,
)

from doppelgangers.datasets.catalogue import DATASETS, METRICS, TASKS
from doppelgangers.errors import UserError


def canonical_delta(value: Any) -> str:
    """A delta is text, because it names files: 0.10 and "0.1" are the same one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError("must be a number, such as 0.25") from None
    if not math.isfinite(number) or number < 0:
        raise ValueError("must be a finite number that is 0 or larger")
    return f"{number:g}"


def check_url(value: str) -> str:
    if value and urlparse(value).scheme not in ("http", "https", "file"):
        raise ValueError("must start with http://, https:// or file://")
    return value


def check_checksum(value: str) -> str:
    if value not in ("", "none") and not re.fullmatch(r"md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}", value):
        raise ValueError('must be "md5:" with 32, "sha1:" with 40 or "sha256:" with 64 hexadecimal digits, "none", or empty')
    return value


def check_unique(values: list) -> list:
    if len(set(values)) != len(values):
        raise ValueError("names an entry twice")
    return values


def check_names(key: str, names: list[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{key}: {name!r} is unknown; {hint(name, known, 'known are ')}")


def hint(name: str, known: list[str], otherwise: str) -> str:
    """What may have been meant by a misspelt name."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else otherwise + ", ".join(known)


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Delta = Annotated[str, BeforeValidator(canonical_delta)]
Url = Annotated[str, AfterValidator(check_url)]
Checksum = Annotated[str, AfterValidator(check_checksum)]
Unique = AfterValidator(check_unique)
Fraction = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Section(BaseModel):
    """A section of the configuration; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class HearEncoder(Section):
    """An encoder of somebody else, behind the HEAR API."""

    module: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$")] = Field(
        description="importable module with load_model and so on"
    )
    model: str = Field("", description="what its load_model is given: the path of its weights, or empty")


Augmentation = Literal["none", "waveform", "waveform_per_example", "spec"]


class RealEncoder(Section):
    """An encoder that is trained on recordings: a baseline."""

    recordings: Name = Field(description="of the section recordings")
    views: Literal["crop", "jitter"] = Field(
        "crop", description="crop: both views are one random crop; jitter: two random crops of one recording"
    )
    layers: Count = Field(1, description="seconds of one recording that are laid over each other; 1: none")
    augmentation: Augmentation = Field("waveform_per_example", description="of each view; paper: waveform_per_example")

    @model_validator(mode="after")
    def check_views(self):
        if self.views == "jitter" and self.layers > 1:
            raise ValueError("views: jitter and layers exclude each other; set layers to 1, or views to crop")
        if self.views == "crop" and self.augmentation == "none":
            raise ValueError("views: with one crop and no augmentation both views are the same; set augmentation or jitter")
        return self


class Encoders(Section):
    """Which encoders are rows of the table: every architecture at every delta and augmentation, each with every seed."""

    random_init: bool = Field(True, description="also the encoder before any training, the row to beat")
    architectures: Annotated[list[Literal["voice", "voicefm", "parametric", "percussive", "additive"]], Unique] = Field(
        ["voice"],
        description="synthesizers; the paper's are voice, voicefm and parametric; percussive: strokes; additive: held notes",
    )
    deltas: Annotated[list[Delta], Unique] = Field(
        ["0.05", "0.25"], description="standard deviation of the perturbation; the paper's are 0.01, 0.05, 0.1, 0.25 and 0.5"
    )
    augmentations: Annotated[list[Augmentation], Field(min_length=1), Unique] = Field(
        ["none"],
        description="of each view: none; waveform, the paper's chain, drawn anew for every 100 sounds as upstream does; "
        "waveform_per_example, drawn for each; spec, SpecAugment",
    )
    seeds: Annotated[list[Seed], Field(min_length=1), Unique] = Field(
        [0], description="of the initial weights and the order of the pairs; the table takes the mean over them"
    )
    real: dict[Name, RealEncoder] = Field(
        {}, description="baselines trained on recordings, name: {recordings: ..., views: ...} (docs/pretraining.md)"
    )
    released: dict[Name, str] = Field(
        {}, description="trained encoders as rows, name: folder, such as pretrained/voice-0.25 (docs/hear.md)"
    )
    hear: dict[Name, HearEncoder] = Field(
        {},
        description="others' encoders as rows of the table, name: {module: ..., model: ...}; any package with the HEAR API",
    )


class Recordings(Section):
    """Sounds to pretrain on."""

    path: str = Field(description="folder, at any depth, or zip or tar archive of sound files")
    limit_files: Annotated[int, Field(ge=0)] = Field(
        100_000, description="use so many, drawn at random; 0: all; paper: 100,000"
    )
    tolerate_files: Annotated[int, Field(ge=0)] = Field(0, description="leave out up to so many damaged files")


class Augment(Section):
    """The paper's augmentations of the waveform: high-pass, low-pass, pitch shift, time shift, impulse response."""

    impulse_responses: Literal["none", "mit_ir"] = Field(
        "none", description="mit_ir: of 270 places, dataset mit_ir; none leaves that step out"
    )


class Synth(Section):
    """The synthesizers (SynthAX), at 16 kHz."""

    duration_s: Annotated[float, Field(gt=0, le=60)] = Field(1.0, description="length of a sound, in seconds; paper: 1")
    control_rate_hz: Count = Field(480, description="rate of envelopes and LFOs, in Hz; paper: 480")
    renderer: Literal["fast", "synthax"] = Field(
        "fast", description="fast: SynthAX's graph with faster insides; synthax: its own, to compare (docs/design.md)"
    )


class Factors(Section):
    """Perturbation anisotropic: what delta is multiplied with, for each group of parameters; 0 leaves them alone."""

    pitch: Factor = Field(1.0, description="note of the keyboard; tuning and modulation depth of the oscillators")
    envelope: Factor = Field(1.0, description="attack, decay, sustain, release and shape of the envelopes; length of the note")
    lfo: Factor = Field(1.0, description="rate, depth, phase and waveform of the slow oscillators, and their own envelopes")
    mixer: Factor = Field(1.0, description="all others: levels, modulation matrix, shape and phase of the oscillators")


class Pairs(Section):
    """The pairs of doppelgängers; each is addressed by (seed, index), and sounds the same wherever it is made."""

    seed: Seed = Field(0, description="which sequence of pairs")
    perturbation: Literal["gaussian", "anisotropic", "curriculum"] = Field(
        "gaussian",
        description="how parameters are perturbed; gaussian: alike, paper; anisotropic: with factors; curriculum: with a "
        "delta that grows from 0",
    )
    factors: Factors = Factors()
    ramp_pairs: Count = Field(9_000_000, description="perturbation curriculum: pairs until delta has its full size")
    count: Count = Field(25_600, description="pairs in the store of each architecture and delta; 64 kB each")
    shard_pairs: Count = Field(3_200, description="pairs per file of the store; a killed run loses at most one file's worth")


class Samples(Section):
    """The listening page, results/listen.html."""

    pairs: Annotated[int, Field(ge=1, le=100)] = Field(6, description="pairs of each architecture and delta to listen to")


class Encoder(Section):
    """The encoder, a ResNet18 on log-mel patches."""

    width: Annotated[float, Field(gt=0, le=4)] = Field(
        0.25, description="multiplies the channels; paper: 1.0, which takes 10 times as long on a CPU"
    )


class Pretrain(Section):
    """Contrastive pretraining."""

    source: Literal["store", "stream"] = Field(
        "store", description="store: from pairs made beforehand, over and over; stream: fresh pairs at each step, paper"
    )
    gpus: Literal["auto"] | Annotated[int, Field(ge=0)] = Field(
        "auto", description="that share a batch; auto: one if there is one, else the CPU; 0: the CPU; paper: 2"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the encoder's products; weights and loss are float32 always; bfloat16 is for GPUs"
    )
    compile: bool = Field(False, description="torch.compile the encoder; needs a C++ compiler")
    pairs: Count = Field(
        76_800, description="pairs seen in all, with repeats where the store is smaller; paper: about 18 million"
    )
    batch_pairs: Annotated[int, Field(ge=2)] = Field(
        128, description="pairs per step, over all GPUs together; paper: 768 on each"
    )
    objective: Literal["align_uniform", "nt_xent"] = Field(
        "align_uniform", description="align_uniform: alignment + uniformity, paper; nt_xent: SimCLR's, with a temperature"
    )
    temperature: Positive = Field(0.1, description="objective nt_xent; SimCLR: 0.1")
    optimizer: Literal["adamw", "sgd"] = Field(
        "adamw", description="sgd (without momentum) is the paper's; adamw needs far fewer pairs"
    )
    learning_rate: Positive = Field(2.0e-3, description="peak; paper: 0.36 = 0.12 * (768 // 256), with sgd")
    weight_decay: Annotated[float, Field(ge=0)] = Field(1.0e-6, description="paper: 1e-6")
    schedule: Literal["cosine", "step", "constant"] = Field("cosine", description="of the learning rate; paper: step")
    warmup: Fraction = Field(0.1, description="share of the steps in which the learning rate rises to its peak; paper: 0")
    milestones: list[Fraction] = Field(
        [0.775, 0.85, 0.925], description="schedule step: shares of the steps after which the rate drops to a tenth; paper"
    )
    log_every_steps: Count = Field(10, description="steps between two rows of history.csv")


class Downloads(Section):
    """What may be fetched from the network."""

    offline: bool = Field(False, description="fetch nothing: a dataset must have a path, or its archives be there already")
    noncommercial: Annotated[list[str], Unique] = Field(
        [],
        description="datasets whose non-commercial licence you have read and accept; without, they are not fetched",
    )


class Source(Section):
    """Where a dataset comes from, and how much of it is used."""

    url: Url = Field(
        "",
        description="to fetch instead of the catalogue's: http, https or file; of the archive, or of the folder that holds "
        "them where a dataset has several",
    )
    path: str = Field(
        "", description="archive, unpacked folder or folder of the archives (SoundFont for notes and drums), instead of a url"
    )
    checksum: Checksum = Field(
        "", description='of the archive, "md5:...", "sha1:..." or "sha256:..."; empty: the catalogue\'s; "none": not checked'
    )
    limit_clips: Annotated[int, Field(ge=0)] = Field(0, description="keep at most so many clips, drawn at random; 0: all")
    tolerate_clips: Annotated[int, Field(ge=0)] = Field(
        0, description="leave out up to so many damaged clips; one more is an error"
    )


class OwnTask(Source):
    """A task of the user's own: a folder or archive, and what to learn from it."""

    format: Literal["folder", "hear"] = Field(
        description="folder: has clips.csv (path, fold, labels); hear: a preprocessed task of the HEAR benchmark"
    )
    label: str = Field("label", description="column of clips.csv")
    fold: str = Field("fold", description="column of clips.csv: numbers from 1, or train, valid and test")
    clip_s: Annotated[float, Field(gt=0, le=1200)] = Field(
        5.0, description="length to which clips are padded or cut, in seconds"
    )
    metrics: Annotated[list[Literal[*METRICS]], Field(min_length=1), Unique] = Field(
        ["accuracy", "macro_f1", "mAP"], description="the first is that of table.csv"
    )
    validation: Literal["next_fold", "random"] = Field("next_fold", description="with numbered folds")
    probe: Literal["linear", "mlp"] = Field("linear", description="protocol for probe.kind: suite")
    multilabel: bool = Field(False, description='a clip has several labels, separated by ";"')
    licence: str = Field("", description="for the record")

    @model_validator(mode="after")
    def check_metrics(self):
        if unfit := set(self.metrics) & ({"accuracy", "macro_f1", "pitch_acc", "chroma_acc"} if self.multilabel else set()):
            raise ValueError(f"metrics: {', '.join(sorted(unfit))} needs one label a clip; use mAP, auroc or d_prime")
        if self.metrics[0] == "d_prime":
            raise ValueError("metrics: the first one is given in percent in table.csv, which d_prime is not; put another first")
        if not (self.url or self.path):
            raise ValueError("set url or path")
        return self


class Probe(Section):
    """Probes on frozen features; the keys from epochs to warmup are those of the linear one."""

    kind: Literal["suite", "linear", "mlp"] = Field(
        "suite", description="suite: linear for ARCH's tasks and ours, mlp for HEAR's; or one for all"
    )
    protocol: Literal["corrected", "faithful"] = Field(
        "corrected", description="faithful: with the quirks of ARCH's and HEAR's published code (docs/design.md)"
    )
    epochs: Count = Field(200, description="ARCH: 200")
    batch_clips: Count = Field(32, description="clips per step; ARCH: 32")
    learning_rate: Positive = Field(1.0e-3, description="peak, AdamW; ARCH: 1e-3")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.01, description="AdamW; ARCH: 0.01")
    warmup: Fraction = Field(0.1, description="share of the steps in which the rate rises, before it falls to 0; ARCH: 0.1")
    standardize: bool = Field(False, description="scale each feature by its training mean and deviation first; ARCH: false")
    seed: Seed = Field(42, description="of initial weights, order of clips and random validation clips; ARCH: 42")


class Mlp(Section):
    """HEAR's probe: a perceptron with one or two hidden layers, its settings chosen by grid search."""

    hidden: Annotated[list[Annotated[int, Field(ge=1, le=2)]], Field(min_length=1), Unique] = Field(
        [1, 2], description="grid: numbers of hidden layers; HEAR: 1, 2"
    )
    learning_rates: Annotated[list[Positive], Field(min_length=1), Unique] = Field(
        [3.2e-3, 1.0e-3, 3.2e-4, 1.0e-4], description="grid: of Adam; HEAR: these"
    )
    inits: Annotated[list[Literal["xavier_uniform", "xavier_normal"]], Field(min_length=1), Unique] = Field(
        ["xavier_uniform", "xavier_normal"], description="grid: initial weights; HEAR: these"
    )
    tried: Count = Field(8, description="members of the grid that are tried, drawn at random; HEAR: 8")
    width: Count = Field(1024, description="units of a hidden layer; HEAR: 1024")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="HEAR: 0.1")
    batch_clips: Annotated[int, Field(ge=2)] = Field(1024, description="clips per step; HEAR: 1024")
    max_epochs: Count = Field(500, description="HEAR: 500")
    check_every_epochs: Count = Field(3, description="epochs between two looks at the validation clips; HEAR: 3")
    patience_checks: Count = Field(20, description="looks without gain after which training ends; HEAR: 20")


Datasets = create_model(
    "Datasets",
    __base__=Section,
    __doc__="Where each dataset comes from; empty keys mean the catalogue's (datasets/catalogue.py).",
    **{name: (Source, Source()) for name in DATASETS},
)


class Config(Section):
    """The whole configuration."""

    encoders: Encoders = Encoders()
    recordings: dict[Name, Recordings] = Field(
        {}, description="sounds for encoders.real, name: {path: ...}; the paper's are VGGSound's"
    )
    augment: Augment = Augment()
    synth: Synth = Synth()
    pairs: Pairs = Pairs()
    samples: Samples = Samples()
    encoder: Encoder = Encoder()
    pretrain: Pretrain = Pretrain()
    tasks: Annotated[list[str], Field(min_length=1), Unique] = Field(
        ["pitch", "family", "percussion"],
        description=f"what the probes are trained for, of {', '.join(TASKS)}, and own_tasks",
    )
    own_tasks: dict[Name, OwnTask] = Field(
        {}, description="tasks of yours, name: {format: folder, path: ..., label: ...} (docs/adding.md)"
    )
    downloads: Downloads = Downloads()
    datasets: Datasets = Datasets()
    probe: Probe = Probe()
    mlp: Mlp = Mlp()

    @model_validator(mode="after")
    def check_sizes(self):
        """What no single key can tell."""
        named = [*self.encoders.real, *self.encoders.released, *self.encoders.hear]
        trained = self.encoders.architectures and self.encoders.deltas
        if not (self.encoders.random_init or trained or named):
            raise ValueError("encoders: nothing to evaluate; set random_init, or name architectures and deltas")
        if twice := [name for name in named if [*named, "random_init"].count(name) > 1]:
            raise ValueError(f"encoders: {twice[0]!r} names two encoders; rename one")
        check_names("encoders.real", [real.recordings for real in self.encoders.real.values()], list(self.recordings))
        if self.pairs.perturbation == "curriculum" and self.pretrain.source == "store":
            raise ValueError("pairs.perturbation: a curriculum needs pairs in their order; set pretrain.source to stream")
        if self.pretrain.gpus != "auto" and self.pretrain.batch_pairs % max(1, self.pretrain.gpus):
            raise ValueError(
                f"pretrain.batch_pairs ({self.pretrain.batch_pairs}) must be a multiple of pretrain.gpus ({self.pretrain.gpus})"
            )
        check_names("tasks", self.tasks, [*TASKS, *self.own_tasks])
        check_names("downloads.noncommercial", self.downloads.noncommercial, list(DATASETS))
        if taken := set(self.own_tasks) & {*TASKS, *DATASETS}:
            raise ValueError(f"own_tasks.{min(taken)}: the catalogue has this name already; choose another")
        if self.pairs.perturbation != "anisotropic" and self.pairs.factors != Factors():
            raise ValueError(
                f"pairs.factors: {self.pairs.perturbation} has none; set pairs.perturbation to anisotropic, or all factors to 1"
            )
        if self.pretrain.batch_pairs > self.pretrain.pairs:
            raise ValueError(f"pretrain.pairs ({self.pretrain.pairs}) is less than one batch ({self.pretrain.batch_pairs})")
        if self.pretrain.source == "store" and self.pretrain.batch_pairs > self.pairs.count:
            raise ValueError(
                f"pairs.count ({self.pairs.count}) is less than pretrain.batch_pairs ({self.pretrain.batch_pairs})"
            )
        for name, source in self.datasets:
            if source.url and source.path:
                raise ValueError(f"datasets.{name}: set url or path, not both")
            if DATASETS[name].brought and source.url:
                raise ValueError(f"datasets.{name}.url: nobody may hand out these sounds; set path to the folder you have")
            several = len(DATASETS[name].archives) > 1 or any(archive.manifest for archive in DATASETS[name].archives)
            if several and source.checksum not in ("", "none"):
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


def explain(fault: dict) -> str:
    """One line for one of pydantic's errors."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        section = Config
        for part in fault["loc"][:-1]:
            named_by_user = get_origin(section) is dict
            section = get_args(section)[1] if named_by_user else section.model_fields[part].annotation
        return f"{place}: unknown key; {hint(str(fault['loc'][-1]), list(section.model_fields), 'known keys: ')}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place} = {fault['input']!r}: {message}" if place else message
