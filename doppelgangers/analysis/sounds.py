"""Stages: sets of sounds that can be compared: as long, as loud, at one rate, whatever they are from."""

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.catalogue import Dataset
from doppelgangers.datasets.clips import LENGTH, open_clips, read_sounds, rows_named
from doppelgangers.datasets.records import verify
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError
from doppelgangers.files import read_json, replace, write_json
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from doppelgangers.synthesis.store import from_pcm, to_pcm

SEQUENCE = 2**31  # of pairs; those of trainings are below, so that no encoder was trained on what is looked at here
RENDERED_AT_ONCE = 256
HOP = RATE_HZ // 100  # between two windows of a clip of which the loudest is taken
SILENT = 1e-3  # a peak below this, -60 dB
FULL_SCALE = 0.999  # a sample from here on is at full scale
CLIPPED = 1e-3  # a sound with more than this share of samples at full scale
COLUMNS = ["sound", "clip", "view", "start_s", "length_s", "peak", "clipped"]


@dataclasses.dataclass(frozen=True)
class Sound:
    """A sound before it is levelled.

    Attributes:
        clip: its name; for pairs the index.
        view: a or b, of a pair; else empty.
        samples: (T,) float32 at 16 kHz.
        start_s: where it begins in the clip.
        length_s: how much of it is sound; the rest is padding.
    """

    clip: str
    view: str
    samples: np.ndarray
    start_s: float
    length_s: float


def sample_synthetic_sounds(folder: Path, *, name: str, recipe: PairRecipe, count: int) -> None:
    """Make a set of pairs of doppelgängers, both views of each.

    Args:
        folder: to write, see `write_sounds`.
        name: of the set.
        recipe: of the pairs.
        count: number of pairs.
    """
    first = recipe.ramp_pairs if recipe.perturbation == "curriculum" else 0
    generator = PairGenerator(recipe, sequence=SEQUENCE)
    duration_s = recipe.duration_s

    def pairs() -> Iterator[list[Sound]]:
        for start in range(first, first + count, RENDERED_AT_ONCE):
            indices = np.arange(start, min(start + RENDERED_AT_ONCE, first + count))
            for index, views in zip(indices, np.asarray(generator.render(indices)), strict=True):
                yield [Sound(str(index), view, sound, 0.0, duration_s) for view, sound in zip("ab", views, strict=True)]

    facts = {"kind": "synthetic", "architecture": recipe.architecture, "delta": f"{recipe.delta:g}"}
    write_sounds(folder, pairs(), name=name, facts=facts, duration_s=duration_s)


def sample_dataset_sounds(
    folder: Path,
    *,
    name: str,
    row: Dataset,
    clips: Path,
    files: list[Path],
    checksum: str,
    count: int,
    duration_s: float,
    threads: int = 1,
) -> None:
    """Draw clips of a prepared dataset, and take the loudest part of each.

    Args:
        folder: to write, see `write_sounds`.
        name: of the dataset.
        row, files, checksum: as in `datasets.prepare.prepare`.
        clips: its clips.csv.
        count: number of clips; all, if it has fewer.
        duration_s: length of a sound, in seconds; shorter clips are padded.
        threads: that decode and resample.

    Raises:
        UserError: when clips cannot be read any more.
    """
    table = pd.read_csv(clips, dtype={"clip": str}, keep_default_na=False, usecols=["clip", LENGTH])
    drawn = table.sample(min(count, len(table)), random_state=0).sort_index().reset_index(drop=True)
    with Tree(verify(files, name, checksum), Path(folder) / ".unpacked") as tree:
        found = open_clips(name, row, tree, pinned=checksum != "none")
        faults: list[str] = []
        sounds = read_sounds(
            found,
            rows_named(found.table, drawn["clip"]),
            rate_hz=RATE_HZ,
            duration_s=row.clip_s,
            threads=threads,
            faults=faults,
            title=f"sounds {name}",
        )
        parts = (
            [loudest(drawn["clip"][label], sound[: round(drawn[LENGTH][label] * RATE_HZ)], duration_s)]
            for label, sound in sounds
        )
        write_sounds(folder, parts, name=name, facts={"kind": "dataset"}, duration_s=duration_s)
    if faults:
        raise UserError(f"{name}: {len(faults)} clips of {clips} cannot be read any more. {' '.join(faults)}")


def sample_recorded_sounds(folder: Path, *, name: str, recordings: Path, count: int, duration_s: float) -> None:
    """Draw recordings on which encoders are trained, and take the loudest part of each.

    Args:
        folder: to write, see `write_sounds`.
        name: of the set.
        recordings: recordings.csv, of `pretraining.recordings.decode_recordings`.
        count: number of recordings; all, if there are fewer.
        duration_s: length of a sound, in seconds.
    """
    table = pd.read_csv(recordings, dtype={"path": str}, keep_default_na=False)
    drawn = table.sample(min(count, len(table)), random_state=0).sort_index()

    def parts() -> Iterator[list[Sound]]:
        for path, file, start, samples in drawn[["path", "shard", "start", "samples"]].to_numpy():
            shard = np.memmap(Path(recordings).parent / file, "<i2", "r")
            yield [loudest(path, from_pcm(shard[start : start + samples]), duration_s)]

    write_sounds(folder, parts(), name=name, facts={"kind": "recordings"}, duration_s=duration_s)


def sample_noise(folder: Path, *, name: str, count: int, duration_s: float) -> None:
    """Make white noise, with which everything else can be compared; arguments as in `sample_recorded_sounds`."""
    rng, samples = np.random.default_rng(0), round(duration_s * RATE_HZ)

    def parts() -> Iterator[list[Sound]]:
        for number in range(count):
            noise = rng.standard_normal(samples).astype(np.float32)
            yield [Sound(str(number), "", noise / np.abs(noise).max(), 0.0, duration_s)]

    write_sounds(folder, parts(), name=name, facts={"kind": "noise"}, duration_s=duration_s)


def loudest(clip: str, samples: np.ndarray, duration_s: float) -> Sound:
    """The window of a clip (T,) that has most energy; all of it, if it is shorter."""
    length = round(duration_s * RATE_HZ)
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    starts = np.arange(0, max(1, len(samples) - length + 1), HOP)
    start = int(starts[np.argmax(energy[np.minimum(starts + length, len(samples))] - energy[starts])])
    window = samples[start : start + length]
    padded = np.pad(window, (0, length - len(window)))
    return Sound(clip, "", padded, start / RATE_HZ, len(window) / RATE_HZ)


def write_sounds(folder: Path, clips: Iterable[list[Sound]], *, name: str, facts: dict[str, Any], duration_s: float) -> None:
    """Scale sounds to a peak of 1 and write them: sounds.npy (N, T) int16, sounds.csv with a row for each, sounds.json.

    Silent sounds, which cannot be scaled, are left out and counted; of a pair, both views.

    Args:
        folder: to write.
        clips: the sounds of each clip or pair.
        name: of the set.
        facts: for sounds.json: kind, and for pairs architecture and delta.
        duration_s: length of a sound.

    Raises:
        UserError: when all are silent.
    """
    folder, silent = Path(folder), 0
    rows: list[list] = []
    sounds: list[np.ndarray] = []
    for parts in clips:
        peaks = [float(np.abs(part.samples).max()) for part in parts]
        if min(peaks) < SILENT:
            silent += 1
            continue
        for part, peak in zip(parts, peaks, strict=True):
            clipped = float((np.abs(part.samples) >= FULL_SCALE).mean())
            rows.append([len(rows), part.clip, part.view, part.start_s, part.length_s, peak, clipped])
            sounds.append(to_pcm(part.samples / peak))
    if not rows:
        raise UserError(f"the sounds {name} are all silent")
    table = pd.DataFrame(rows, columns=COLUMNS)
    with replace(folder / "sounds.npy") as temporary:
        np.save(temporary, np.stack(sounds))
    with replace(folder / "sounds.csv") as temporary:
        table.round(6).to_csv(temporary, index=False)
    counts = {
        "count": int((table["view"] != "b").sum()),
        "silent": silent,
        "short": int((table["length_s"] < duration_s).sum()),
        "clipped": int((table["clipped"] > CLIPPED).sum()),
    }
    about = {"architecture": "", "delta": "", **facts, **counts, "duration_s": duration_s}
    write_json(folder / "sounds.json", {"sounds": name, **about})


def read_set(folder: Path, views: str = "ab") -> tuple[np.ndarray, pd.DataFrame, dict[str, Any]]:
    """Sounds (N, T) float32 in [-1, 1], their rows of sounds.csv, and sounds.json.

    Args:
        folder: of a set.
        views: of pairs that are taken: "ab", or "a" for a sound of each pair.

    Raises:
        UserError: when sounds and table do not belong together.
    """
    folder = Path(folder)
    table = pd.read_csv(folder / "sounds.csv", dtype={"clip": str, "view": str}, keep_default_na=False)
    pcm = np.load(folder / "sounds.npy", mmap_mode="r")
    if len(pcm) != len(table):
        raise UserError(f"{folder} has {len(pcm)} sounds and {len(table)} rows: delete it and run again")
    kept = table[(table["view"] == "") | table["view"].isin(list(views))]
    return from_pcm(pcm[kept["sound"].to_numpy()]), kept.reset_index(drop=True), read_json(folder / "sounds.json")
