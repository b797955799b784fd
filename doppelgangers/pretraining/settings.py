"""Settings of pretraining: the optimisation, the recordings and augmentations, and the encoders trained on recordings."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from doppelgangers.settings import Count, CountOrZero, Fraction, LocalPath, Name, NotNegative, Positive, Section

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rules

Augmentation = Literal["none", "waveform", "waveform_per_example", "spec", "spec_per_example"]


class RealEncoderSettings(Section):
    """An encoder that is trained on recordings: a baseline."""

    recordings: Name = Field(description="name of an entry of the section recordings")
    views: Literal["crop", "jitter"] = Field(
        "crop", description="crop: both views are the same random crop; jitter: two random crops of one recording"
    )
    layers: Count = Field(1, description="number of seconds of one recording that are mixed into a view; 1: no mixing")
    augmentation: Augmentation = Field(
        "waveform_per_example",
        description="of each view; paper: waveform_per_example; the authors' SpecAugment: spec_per_example",
    )

    @model_validator(mode="after")
    def check_views(self):
        if self.views == "jitter" and self.layers > 1:
            raise ValueError("views: jitter and layers exclude each other; set layers to 1, or views to crop")
        if self.views == "crop" and self.augmentation == "none":
            raise ValueError("views: with one crop and no augmentation both views are the same; set augmentation or jitter")
        return self


class RecordingSettings(Section):
    """Sounds to pretrain on."""

    path: LocalPath = Field(description="folder (its subfolders count too), or zip or tar archive, of sound files")
    limit_files: CountOrZero = Field(
        100_000,
        description="use at most this many files, drawn at random; 0: all; paper: 90,000, nine tenths of the 100,000 that it "
        "keeps",
    )
    tolerate_files: CountOrZero = Field(0, description="leave out at most this many damaged files; one more is an error")


class AugmentSettings(Section):
    """The paper's augmentations of the waveform: high-pass, low-pass, pitch shift, time shift, impulse response."""

    impulse_responses: Literal["none", "mit_ir"] = Field(
        "none", description="mit_ir: of the 270 places of the dataset mit_ir; none: this step is left out"
    )


class PretrainSettings(Section):
    """Contrastive pretraining."""

    source: Literal["store", "stream"] = Field(
        "store",
        description="where the pairs come from; store: from pairs made beforehand, which are repeated; stream: new pairs at "
        "each step, paper",
    )
    gpus: Literal["auto"] | CountOrZero = Field(
        "auto",
        description="number of GPUs that share a batch; auto: one if there is one, else the CPU; 0: in no stage; paper: 2",
    )
    ranks: Literal["auto"] | Count = Field(
        "auto", description="number of processes that share a batch; auto: one for each GPU; a number needs gpus: 0"
    )
    nodes: Count = Field(1, description="number of machines that share the GPUs or ranks (docs/pretraining.md)")
    precision: Literal["float32", "tf32", "bfloat16"] = Field(
        "float32",
        description="of the encoder's products; weights and loss are always float32; tf32 and bfloat16 are meant for GPUs",
    )
    compile: bool = Field(False, description="compile the encoder with torch.compile; needs a C++ compiler")
    pairs: Count = Field(
        51_200, description="pairs seen in all, with repetitions where the store is smaller; paper: about 18 million"
    )
    batch_pairs: Annotated[int, Field(ge=2)] = Field(
        128, description="pairs per step, summed over all GPUs; paper: 768 on each"
    )
    gpu_pairs: Literal["own", "same"] = Field(
        "own",
        description="pairs of each GPU; own: its part of the batch; same: all have the part of the first, as the authors' two "
        "have (docs/pretraining.md); recordings are always own",
    )
    objective: Literal["align_uniform", "nt_xent"] = Field(
        "align_uniform", description="align_uniform: alignment + uniformity, paper; nt_xent: that of SimCLR"
    )
    temperature: Positive = Field(0.1, description="of the objective nt_xent; SimCLR: 0.1")
    optimizer: Literal["adamw", "sgd"] = Field(
        "adamw", description="sgd: without momentum, paper; adamw: needs far fewer pairs"
    )
    learning_rate: Positive = Field(2.0e-3, description="largest learning rate; paper: 0.36 = 0.12 * (768 // 256), with sgd")
    weight_decay: NotNegative = Field(1.0e-6, description="paper: 1e-6")
    schedule: Literal["cosine", "step", "constant"] = Field("cosine", description="learning-rate schedule; paper: step")
    warmup: Fraction = Field(0.1, description="share of the steps in which the learning rate rises to its peak; paper: 0")
    milestones: list[Fraction] = Field(
        [0.775, 0.85, 0.925],
        description="for the schedule step: shares of the steps after which the learning rate drops to a tenth; paper",
    )
    log_every_steps: Count = Field(10, description="steps between two rows of history.csv")
    snapshots: list[Count] = Field(
        [],
        description="numbers of pairs seen, multiples of batch_pairs, after which the encoder as it is then is kept, too: a "
        "row <setting>-after-<pairs> of the table (docs/pretraining.md)",
    )

    @model_validator(mode="after")
    def check_snapshots(self):
        if self.snapshots != sorted(set(self.snapshots)):
            raise ValueError(f"snapshots: {self.snapshots} do not rise; name each number of pairs once, the least first")
        for pairs in self.snapshots:
            if pairs % self.batch_pairs:
                nearest = max(1, round(pairs / self.batch_pairs)) * self.batch_pairs
                raise ValueError(
                    f"snapshots: after {pairs} pairs no step ends, for a step has {self.batch_pairs} (batch_pairs); {nearest} "
                    "will do"
                )
            if pairs // self.batch_pairs >= self.pairs // self.batch_pairs:
                raise ValueError(f"snapshots: {pairs} are no fewer than those of the whole training, {self.pairs} (pairs)")
        return self

    @model_validator(mode="after")
    def check_ranks(self):
        if self.ranks != "auto" and self.gpus != 0:
            raise ValueError("ranks: with GPUs there is one process for each; set ranks to auto, or gpus to 0 for the CPU")
        shared = self.ranks if self.gpus == 0 else self.gpus
        if self.nodes > 1 and (shared == "auto" or shared % self.nodes):
            raise ValueError(
                f"nodes: {self.nodes} machines cannot share {shared} processes evenly; set gpus, or ranks with gpus: 0"
            )
        if shared != "auto" and self.batch_pairs % shared:
            raise ValueError(
                f"batch_pairs: {shared} processes cannot share {self.batch_pairs} pairs evenly; make it a multiple"
            )
        return self
