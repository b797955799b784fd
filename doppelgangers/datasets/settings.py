"""Settings of the datasets: where they come from, and the user's own tasks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from doppelgangers.datasets.catalogue import OF_ONE_LABEL, Metric, ProbeKind
from doppelgangers.settings import Checksum, CountOrZero, LocalPath, Section, Unique, Url

AFFECTS_RESULTS = False  # the values do, and they are in the params of the rules


class DownloadSettings(Section):
    """What may be fetched from the network."""

    offline: bool = Field(False, description="fetch nothing: a dataset must have a path, or its archives must be here already")
    noncommercial: Annotated[list[str], Unique] = Field(
        [],
        description="datasets whose non-commercial licence you have read and accept; those not named are not fetched",
    )


class DatasetSettings(Section):
    """Where a dataset comes from, and how much of it is used."""

    url: Url = Field(
        "",
        description="http, https or file address to use instead of the catalogue's: of the archive, or of the folder that "
        "holds the archives if there are several",
    )
    path: LocalPath = Field(
        "",
        description="archive, unpacked folder or folder of the archives (a SoundFont for notes and drums) on this machine, "
        "instead of a url",
    )
    checksum: Checksum = Field(
        "",
        description='of the archive, "md5:...", "sha1:..." or "sha256:..."; empty: the catalogue\'s; "none": not checked',
    )
    limit_clips: CountOrZero = Field(0, description="keep at most this many clips, drawn at random; 0: all")
    tolerate_clips: CountOrZero = Field(0, description="leave out at most this many damaged clips; one more is an error")


class OwnTaskSettings(DatasetSettings):
    """A task of the user's own: a folder or archive, and what to learn from it."""

    format: Literal["folder", "hear"] = Field(
        description="folder: has clips.csv (path, fold, labels); hear: a preprocessed task of the HEAR benchmark"
    )
    label: str = Field("label", description="column of clips.csv")
    fold: str = Field("fold", description="column of clips.csv: numbers from 1, or train, valid and test")
    clip_s: Annotated[float, Field(gt=0, le=1200)] = Field(
        5.0, description="length to which clips are padded or cut, in seconds"
    )
    metrics: Annotated[list[Metric], Field(min_length=1), Unique] = Field(
        ["accuracy", "macro_f1", "mAP"], description="the first is that of table.csv"
    )
    validation: Literal["next_fold", "random"] = Field("next_fold", description="with numbered folds: which clips validate")
    probe: ProbeKind = Field("linear", description="kind of probe where probe.kind is suite")
    multilabel: bool = Field(False, description='a clip has several labels, separated by ";"')
    licence: str = Field("", description="is written into the records")

    @model_validator(mode="after")
    def check_metrics(self):
        if unfit := set(self.metrics) & (OF_ONE_LABEL if self.multilabel else set()):
            raise ValueError(f"metrics: {', '.join(sorted(unfit))} needs one label a clip; use mAP, auroc or d_prime")
        if self.metrics[0] == "d_prime":
            raise ValueError("metrics: the first one is given in percent in table.csv, which d_prime is not; put another first")
        if not (self.url or self.path):
            raise ValueError("set url or path")
        return self
