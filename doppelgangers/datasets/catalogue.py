"""The datasets and the tasks on them, one row each. These are facts only: a module for each dataset reads and checks it."""

import dataclasses
from pathlib import Path
from typing import Any, Literal

AFFECTS_RESULTS = False  # facts, not code: the rows that a rule uses are in its params

SPLITS = ("train", "valid", "test")  # folds that are not numbered
Metric = Literal["accuracy", "macro_f1", "mAP", "weighted_mAP", "auroc", "d_prime", "pitch_acc", "chroma_acc"]
ProbeKind = Literal["linear", "mlp", "hear_linear"]
OF_ONE_LABEL = {"accuracy", "macro_f1", "pitch_acc", "chroma_acc"}  # metrics that need one label per clip


@dataclasses.dataclass(frozen=True)
class Archive:
    """A file to fetch, or many small files that become one archive.

    Attributes:
        url: http or https.
        checksum: `md5:...`, `sha1:...` or `sha256:...`; empty where it is not known: then Zenodo's record is asked, and for
            other hosts the first download is trusted (`datasets.download`).
        bytes: size, 0 where not known.
        name: of the file in resources/downloads; empty: the last part of the url.
        manifest: file of `datasets/` with the columns path, bytes, sha256; then `url` is the folder of these paths, and
            they are fetched into one zip archive called `name`.
    """

    url: str
    checksum: str = ""
    bytes: int = 0
    name: str = ""
    manifest: str = ""

    @property
    def file(self) -> str:
        """Name of the file in resources/downloads/<dataset>."""
        return self.name or self.url.partition("?")[0].rsplit("/", 1)[1]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Where clips come from.

    Attributes:
        module: name of the module of `datasets` that reads it; empty for sounds that no task uses.
        licence: as its publisher states it.
        clip_s: length to which every clip is padded or cut, in seconds.
        noncommercial: its licence forbids commercial use, so the user has to accept it before it is fetched.
        archives: what to fetch; none for files of an installed package, or of the user.
        clips: how many it has; 0 where that is not known or depends on the user's own files.
        reference: where these facts come from.
        own: what the configuration says of the user's own sounds, for the `load` of the module.
    """

    module: str
    licence: str
    clip_s: float
    noncommercial: bool = False
    archives: tuple[Archive, ...] = ()
    clips: int = 0
    reference: str = ""
    own: dict[str, Any] = dataclasses.field(default_factory=dict)

    def missing_beside(self, folder: Path) -> list[str]:
        """The archives that are not in a folder that has others of them."""
        missing = [archive.file for archive in self.archives if not Path(folder, archive.file).is_file()]
        return missing if len(missing) < len(self.archives) else []


@dataclasses.dataclass(frozen=True)
class Task:
    """What a probe learns on a dataset.

    Attributes:
        dataset: key of `DATASETS`.
        label: column of the dataset's clips.csv; clips without it are not part of the task.
        metrics: what is reported, of `evaluation.metrics.METRICS`; table.csv has the first one.
        fold: column of clips.csv that says which clips are tested together: a number from 1, or train, valid and test.
        validation: the clips that choose the epoch. `next_fold`: the fold after the test fold, so that its instruments or
            speakers are unseen too; `random`: a fifth of the other folds, as ARCH does; `valid`: the split of that name.
        probe: the protocol of the task's suite: `linear` (ARCH) or `mlp` (HEAR); `hear_linear` is HEAR's without hidden layers.
        multilabel: a clip has any number of labels, separated by ";" in the label column.
    """

    dataset: str
    label: str
    metrics: tuple[Metric, ...] = ("accuracy", "macro_f1", "mAP")
    fold: str = "fold"
    validation: Literal["next_fold", "random", "valid"] = "next_fold"
    probe: ProbeKind = "linear"
    multilabel: bool = False


ZENODO = "https://zenodo.org/records"
FSD50K = f"{ZENODO}/4060432/files"
NSYNTH = "https://storage.googleapis.com/download.magenta.tensorflow.org/datasets/nsynth"

DATASETS = {
    # Notes of the General MIDI SoundFont in the pretty_midi wheel: recorded instruments, in the manner of NSynth. Folds
    # hold out instruments.
    "notes": Dataset(
        module="notes",
        licence="GPL-2.0 (TimGM6mb.sf2 by Tim Brechbill)",
        clip_s=2.0,
        reference="pretty_midi 0.2.11, TimGM6mb.sf2",
    ),
    # The drum kits of the same SoundFont. Folds hold out kits.
    "drums": Dataset(
        module="drums",
        licence="GPL-2.0 (TimGM6mb.sf2 by Tim Brechbill)",
        clip_s=1.0,
        reference="pretty_midi 0.2.11, TimGM6mb.sf2",
    ),
    "esc50": Dataset(
        module="esc50",
        licence="CC BY-NC 3.0",
        noncommercial=True,
        clip_s=5.0,
        clips=2000,
        archives=(
            Archive(
                "https://github.com/karolpiczak/ESC-50/archive/33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6.zip",
                "md5:629e8e9ebc1592bcceb06da6bec40275",
                name="ESC-50.zip",
            ),
        ),
        reference="Piczak 2015; checksum as in soundata issue 208",
    ),
    "urbansound8k": Dataset(
        module="urbansound8k",
        # Its own text says BY-NC 3.0, its Zenodo page 4.0.
        licence="CC BY-NC 3.0 or 4.0",
        noncommercial=True,
        clip_s=5.0,
        clips=8732,
        archives=(
            Archive(f"{ZENODO}/1203745/files/UrbanSound8K.tar.gz", "md5:9aa69802bbf37fb986f71ec1483a196e", bytes=6_023_741_708),
        ),
        reference="Salamon et al. 2014; checksum as in soundata; 5 s as in ARCH",
    ),
    "vivae": Dataset(
        module="vivae",
        licence="CC BY-NC 4.0",
        noncommercial=True,
        clip_s=5.0,
        clips=1085,
        archives=(Archive(f"{ZENODO}/4066235/files/VIVAE.zip"),),
        reference="Holz et al. 2022, full set; 5 s as in ARCH",
    ),
    "fsd50k": Dataset(
        module="fsd50k",
        licence="CC BY 4.0 as a collection; single clips CC0, CC BY, CC BY-NC or Sampling+",
        noncommercial=True,
        clip_s=10.0,
        clips=51_197,
        archives=(
            Archive(f"{FSD50K}/FSD50K.dev_audio.z01", "md5:faa7cf4cc076fc34a44a479a5ed862a3", bytes=3_221_225_472),
            Archive(f"{FSD50K}/FSD50K.dev_audio.z02", "md5:8f9b66153e68571164fb1315d00bc7bc", bytes=3_221_225_472),
            Archive(f"{FSD50K}/FSD50K.dev_audio.z03", "md5:1196ef47d267a993d30fa98af54b7159", bytes=3_221_225_472),
            Archive(f"{FSD50K}/FSD50K.dev_audio.z04", "md5:d088ac4e11ba53daf9f7574c11cccac9", bytes=3_221_225_472),
            Archive(f"{FSD50K}/FSD50K.dev_audio.z05", "md5:81356521aa159accd3c35de22da28c7f", bytes=3_221_225_472),
            Archive(f"{FSD50K}/FSD50K.dev_audio.zip", "md5:c480d119b8f7a7e32fdb58f3ea4d6c5a", bytes=2_306_663_327),
            Archive(f"{FSD50K}/FSD50K.eval_audio.z01", "md5:3090670eaeecc013ca1ff84fe4442aeb", bytes=3_221_225_472),
            Archive(f"{FSD50K}/FSD50K.eval_audio.zip", "md5:6fa47636c3a3ad5c7dfeba99f2637982", bytes=3_037_675_767),
            Archive(f"{FSD50K}/FSD50K.ground_truth.zip", "md5:ca27382c195e37d2269c4c866dd73485", bytes=334_701),
        ),
        reference="Fonseca et al. 2022; checksums as in soundata; 10 s as in ARCH",
    ),
    "nsynth_pitch": Dataset(
        module="nsynth_pitch",
        licence="CC BY 4.0",
        clip_s=4.0,
        clips=5000,
        archives=(
            Archive(f"{NSYNTH}/nsynth-train.jsonwav.tar.gz", "md5:fde6665a93865503ba598b9fac388660", bytes=23_815_298_079),
            Archive(f"{NSYNTH}/nsynth-valid.jsonwav.tar.gz", "md5:87e94a00a19b6dbc99cf6d4c0c0cae87", bytes=1_068_767_009),
            Archive(f"{NSYNTH}/nsynth-test.jsonwav.tar.gz", "md5:5e6f8719bf7e16ad0a00d518b78af77d", bytes=349_501_546),
        ),
        reference="Engel et al. 2017; HEAR's NSynth Pitch 5h; checksums as in hear-preprocess",
    ),
    "crema_d": Dataset(
        module="crema_d",
        licence="ODbL 1.0, DbCL 1.0",
        clip_s=5.0,
        clips=7438,
        archives=(
            Archive(
                "https://media.githubusercontent.com/media/CheyneyComputerScience/CREMA-D/master",
                name="AudioWAV.zip",
                bytes=605_899_936,
                manifest="crema_d.csv",
            ),
        ),
        reference="Cao et al. 2014; checksums are those of the repository's LFS pointers; 5 s as in HEAR",
    ),
    "vocal_imitation": Dataset(
        module="vocal_imitation",
        licence="CC BY 4.0",
        clip_s=11.26,
        clips=5601,
        archives=(Archive(f"{ZENODO}/1340763/files/VocalImitationSet_v1.1.3.zip", "md5:386e7b1487fe0800ade4916c344086bc"),),
        reference="Kim et al. 2018; checksum and 11.26 s as in hear-preprocess",
    ),
    "libricount": Dataset(
        module="libricount",
        licence="CC BY 4.0",
        clip_s=5.0,
        clips=5720,
        archives=(Archive(f"{ZENODO}/1216072/files/LibriCount10-0dB.zip", "md5:30c8f844dc59fa65d216d53db9dc37e2"),),
        reference="Stöter et al. 2018; checksum as in hear-preprocess",
    ),
    "fsdd": Dataset(
        module="fsdd",
        licence="CC BY-SA 4.0",
        clip_s=1.0,
        archives=(
            Archive(
                "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip", name="fsdd-1.0.10.zip"
            ),
        ),
        reference="Free Spoken Digit Dataset 1.0.10",
    ),
    # Impulse responses of rooms and other places, for augmentation.
    "mit_ir": Dataset(
        module="",
        licence="not stated by its publisher",
        clip_s=1.0,
        clips=270,
        archives=(
            Archive(
                "https://mcdermottlab.mit.edu/Reverb/IRMAudio/Audio.zip",
                "sha1:de04f5be419c12f4f847f65d7ef8e2356b73aa38",
                bytes=11_660_005,
                name="MIT-IR.zip",
            ),
        ),
        reference="Traer and McDermott 2016; checksum as in SiliconLabs mltk",
    ),
    # Weights of the tagger mn04 (analysis.taggers).
    "efficientat": Dataset(
        module="",
        licence="MIT",
        clip_s=1.0,
        archives=(
            Archive(
                "https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1/mn04_as_mAP_432.pt",
                "sha256:899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c",
                bytes=4_066_513,
            ),
        ),
        reference="Schmid et al. 2023; checksum of the file of release v0.0.1",
    ),
}

HEAR: tuple[Metric, ...] = ("accuracy", "mAP", "d_prime", "auroc")

TASKS = {
    "pitch": Task(dataset="notes", label="pitch"),
    "family": Task(dataset="notes", label="family"),
    "percussion": Task(dataset="drums", label="key"),
    # Which of 112 instruments plays, by keys that were not heard of it.
    "instrument": Task(dataset="notes", label="instrument", fold="key_fold"),
    # The paper's eight: four of ARCH, four of HEAR.
    "esc50": Task(dataset="esc50", label="category", validation="random"),
    "urbansound8k": Task(dataset="urbansound8k", label="class", validation="random"),
    "vivae": Task(dataset="vivae", label="emotion"),
    "fsd50k": Task(
        dataset="fsd50k",
        label="labels",
        validation="valid",
        metrics=("mAP", "weighted_mAP", "auroc", "d_prime"),
        multilabel=True,
    ),
    "nsynth_pitch": Task(
        dataset="nsynth_pitch", label="pitch", validation="valid", metrics=("pitch_acc", "chroma_acc"), probe="mlp"
    ),
    "crema_d": Task(dataset="crema_d", label="emotion", metrics=HEAR, probe="mlp"),
    "vocal_imitation": Task(
        dataset="vocal_imitation", label="reference", metrics=("mAP", "d_prime", "auroc", "accuracy"), probe="mlp"
    ),
    "libricount": Task(dataset="libricount", label="speakers", metrics=HEAR, probe="mlp"),
    # HEAR's folds all have clips of every actor; here the actors of the test fold are unseen.
    "crema_d_unseen_actors": Task(dataset="crema_d", label="emotion", fold="actor_fold", metrics=HEAR, probe="mlp"),
    # Digits of unseen speakers; speakers by unseen digits.
    "spoken_digit": Task(dataset="fsdd", label="digit"),
    "speaker": Task(dataset="fsdd", label="speaker", fold="digit_fold"),
}


def section_of(dataset: str) -> str:
    """Section of the configuration about a dataset: `datasets.<name>`, or `own_tasks.<name>` for the user's own."""
    return f"datasets.{dataset}" if dataset in DATASETS else f"own_tasks.{dataset}"
