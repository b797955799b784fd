"""The configuration: one typed, closed schema, and the part of it that each stage reads.

Type, default, bounds and description of a key stand here and nowhere else; `make docs` writes the rest from them.
"""

import difflib
import json
import math
import os
import re
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlparse
from urllib.request import url2pathname

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

from doppelgangers.datasets.catalogue import DATASETS, TASKS
from doppelgangers.errors import UserError

LEAST_FREE_BYTES = 50_000_000  # less than this is a full disk: no run gets anywhere with it


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
    if value not in ("", "none") and not re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", value):
        raise ValueError('must be "md5:" with 32 or "sha256:" with 64 hexadecimal digits, "none", or empty')
    return value


def check_unique(values: list) -> list:
    if len(set(values)) != len(values):
        raise ValueError("names an entry twice")
    return values


Delta = Annotated[str, BeforeValidator(canonical_delta)]
Url = Annotated[str, AfterValidator(check_url)]
Checksum = Annotated[str, AfterValidator(check_checksum)]
Unique = AfterValidator(check_unique)
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Section(BaseModel):
    """A section of the configuration; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Encoders(Section):
    """Which encoders are rows of the table: every architecture at every delta, each with every seed."""

    random_init: bool = Field(True, description="also the encoder before any training, the row to beat")
    architectures: Annotated[list[Literal["voice", "voicefm", "parametric"]], Unique] = Field(
        ["voice"], description="synthesizers; the paper's three are voice, voicefm and parametric"
    )
    deltas: Annotated[list[Delta], Unique] = Field(
        ["0.05", "0.25"], description="standard deviation of the perturbation; the paper's are 0.01, 0.05, 0.1, 0.25 and 0.5"
    )
    seeds: Annotated[list[Seed], Field(min_length=1), Unique] = Field(
        [0], description="of the initial weights and the order of the pairs; the table takes the mean over them"
    )


class Synth(Section):
    """The synthesizers (SynthAX), at 16 kHz."""

    duration_s: Annotated[float, Field(gt=0, le=60)] = Field(1.0, description="length of a sound, in seconds; paper: 1")
    control_rate_hz: Count = Field(480, description="rate of envelopes and LFOs, in Hz; paper: 480")


class Pairs(Section):
    """The pairs of doppelgängers; each is addressed by (seed, index), and sounds the same wherever it is made."""

    seed: Seed = Field(0, description="which sequence of pairs")
    perturbation: Literal["gaussian"] = Field("gaussian", description="how parameters are perturbed; paper: gaussian")
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
    """Contrastive pretraining: loss = alignment + uniformity."""

    source: Literal["store", "stream"] = Field(
        "store", description="store: from pairs made beforehand, over and over; stream: fresh pairs at each step, paper"
    )
    pairs: Count = Field(
        76_800, description="pairs seen in all, with repeats where the store is smaller; paper: about 18 million"
    )
    batch_pairs: Annotated[int, Field(ge=2)] = Field(128, description="pairs per step; paper: 768")
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


class Source(Section):
    """Where a dataset comes from, and how much of it is used."""

    url: Url = Field("", description="archive to fetch instead of the catalogue's: http, https or file")
    path: str = Field(
        "", description="archive or unpacked folder (SoundFont for notes and drums) on this machine, instead of a url"
    )
    checksum: Checksum = Field(
        "", description='of the archive, "md5:..." or "sha256:..."; empty: the catalogue\'s; "none": not checked'
    )
    limit_clips: Annotated[int, Field(ge=0)] = Field(0, description="keep at most so many clips, drawn at random; 0: all")
    tolerate_clips: Annotated[int, Field(ge=0)] = Field(
        0, description="leave out up to so many damaged clips; one more is an error"
    )


class Probe(Section):
    """The linear probe on frozen features: the ARCH protocol, except that validation does choose the epoch."""

    epochs: Count = Field(200, description="ARCH: 200")
    batch_clips: Count = Field(32, description="clips per step; ARCH: 32")
    learning_rate: Positive = Field(1.0e-3, description="peak, AdamW; ARCH: 1e-3")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.01, description="AdamW; ARCH: 0.01")
    warmup: Fraction = Field(0.1, description="share of the steps in which the rate rises, before it falls to 0; ARCH: 0.1")
    standardize: bool = Field(False, description="scale each feature by its training mean and deviation first; ARCH: false")
    seed: Seed = Field(42, description="of initial weights, order of clips and random validation clips; ARCH: 42")


Datasets = create_model(
    "Datasets",
    __base__=Section,
    __doc__="Where each dataset comes from; empty keys mean the catalogue's (datasets/catalogue.py).",
    **{name: (Source, Source()) for name in DATASETS},
)


class Config(Section):
    """The whole configuration."""

    encoders: Encoders = Encoders()
    synth: Synth = Synth()
    pairs: Pairs = Pairs()
    samples: Samples = Samples()
    encoder: Encoder = Encoder()
    pretrain: Pretrain = Pretrain()
    tasks: Annotated[list[Literal[*TASKS]], Field(min_length=1), Unique] = Field(
        ["pitch", "family", "percussion"], description="what the probes are trained for; others are an overlay away (configs/)"
    )
    datasets: Datasets = Datasets()
    probe: Probe = Probe()

    @model_validator(mode="after")
    def check_sizes(self):
        """What no single key can tell."""
        if not (self.encoders.random_init or (self.encoders.architectures and self.encoders.deltas)):
            raise ValueError("encoders: nothing to evaluate; set random_init, or name architectures and deltas")
        if self.pretrain.batch_pairs > self.pretrain.pairs:
            raise ValueError(f"pretrain.pairs ({self.pretrain.pairs}) is less than one batch ({self.pretrain.batch_pairs})")
        if self.pretrain.source == "store" and self.pretrain.batch_pairs > self.pairs.count:
            raise ValueError(
                f"pairs.count ({self.pairs.count}) is less than pretrain.batch_pairs ({self.pretrain.batch_pairs})"
            )
        for name, source in self.datasets:
            if source.url and source.path:
                raise ValueError(f"datasets.{name}: set url or path, not both")
        return self


# What each rule's params carry: the module whose code it runs, and the sections or keys it reads. "{dataset}" stands for
# the rule's wildcard.
STAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "sample_pairs": ("pairs", ("synth", "pairs.seed", "pairs.perturbation", "samples")),
    "write_listening_page": ("listen", ()),
    "generate_pairs": ("pairs", ("synth", "pairs")),
    "initialize": ("initialize", ("encoder",)),
    "pretrain": ("pretrain", ("synth", "pairs.seed", "pairs.perturbation", "encoder", "pretrain")),
    "download": ("datasets.download", ("datasets.{dataset}.url", "datasets.{dataset}.checksum")),
    "prepare": ("datasets.prepare", ("datasets.{dataset}",)),
    "extract_features": ("features", ()),
    "train_probes": ("probe", ("probe",)),
    "collect_scores": ("table", ()),
    "make_table": ("table", ()),
    "plot_scores": ("figures", ()),
}


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
            section = section.model_fields[part].annotation
        known = list(section.model_fields)
        close = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
        return f"{place}: unknown key; {hint}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place} = {fault['input']!r}: {message}" if place else message


def check_sources(config: Config) -> None:
    """Look at what lies on this machine before any job starts.

    Raises:
        UserError: when the `path` or the `file://` url of a dataset in use does not exist.
    """
    for name in sorted({TASKS[task].dataset for task in config.tasks}):
        source = getattr(config.datasets, name)
        parsed = urlparse(source.url)
        for key, path in (("path", source.path), ("url", url2pathname(parsed.path) if parsed.scheme == "file" else "")):
            if path and not Path(path).exists():
                raise UserError(
                    f"datasets.{name}.{key}: {path} does not exist; correct it, or empty the key to use the catalogue's"
                )


def check_folders(*folders: str) -> None:
    """Look whether a run could write here, before it starts.

    Raises:
        UserError: naming the folder that is read-only, or whose disk is full.
    """
    for folder in folders:
        place = Path(folder).resolve()
        while not place.exists():
            place = place.parent
        if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
            raise UserError(
                f"{folder}: {place} cannot be written; change its owner or mode, or run in another folder (--directory)"
            )
        if (free := shutil.disk_usage(place).free) < LEAST_FREE_BYTES:
            raise UserError(f"{folder}: the disk of {place} is full ({free / 1e6:.0f} MB are free); make room there")


def stage_slice(config: Config, stage: str, dataset: str = "") -> dict:
    """The sorted part of the configuration that a stage reads, as plain builtins."""
    content = config.model_dump(mode="json")
    result: dict = {}
    for dotted in STAGES[stage][1]:
        *path, last = dotted.format(dataset=dataset).split(".")
        source, target = content, result
        for part in path:
            source, target = source[part], target.setdefault(part, {})
        target[last] = source[last]
    return json.loads(json.dumps(result, sort_keys=True))
