"""Stages: embeddings of sets of sounds, and distances between the sets in them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from doppelgangers.analysis.compare import pairs_of_sets
from doppelgangers.analysis.coverage import distances, halvings, reach
from doppelgangers.analysis.distance import frechet_at_infinity, frechet_distance, kernel_distance
from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.encoders.device import find_device
from doppelgangers.encoders.encoder import EMBEDDING_SIZE
from doppelgangers.encoders.frontend import LogMel
from doppelgangers.errors import UserError
from doppelgangers.files import read_json, replace

BATCH_SOUNDS = 128
FULL_SCALE = 32767
HALVINGS = 20
MEASURED = ["fad", "kad", "coverage", "coverage_back"]
LIMITS = [f"{name}_{limit}" for name in MEASURED for limit in ("low", "high")]
COLUMNS = ["embedding", "sounds", "against", "count", "count_against", "dimension", "fad", "fad_inf", *MEASURED[1:], *LIMITS]


class EmbeddedSet(NamedTuple):
    """A set of sounds: its name, its kind, and embeddings (N, D) of one view of each pair."""

    name: str
    kind: str
    points: np.ndarray


def embed_sounds(embeddings: Path, *, sounds: Path, encoder: Path) -> None:
    """Embed every sound of a set: the mean over its patches.

    Args:
        embeddings: .npy to write, (N, 512) float32, both views of pairs.
        sounds: sounds.npy of a set, (N, T) int16 at 16 kHz.
        encoder: encoder.safetensors.
    """
    device = find_device()
    model, log_mel = load_encoder(encoder, device), LogMel().to(device)
    pcm = np.load(sounds, mmap_mode="r")
    result = np.empty((len(pcm), EMBEDDING_SIZE), np.float32)
    with torch.inference_mode():
        for start in range(0, len(pcm), BATCH_SOUNDS):
            part = slice(start, start + BATCH_SOUNDS)
            patches = log_mel(torch.from_numpy(pcm[part].astype(np.float32) / FULL_SCALE).to(device))
            result[part] = model(patches.flatten(0, 1)).unflatten(0, patches.shape[:2]).mean(dim=1).cpu()
    with replace(embeddings) as temporary:
        np.save(temporary, result)


def measure_distances(table: Path, *, embeddings: dict[str, list[Path]], sounds: list[Path]) -> None:
    """Measure how far every set lies from every dataset, in each embedding; a dataset from itself by halves.

    Args:
        table: .csv to write: means over `HALVINGS` draws of halves, and the range of 95 percent of them; `fad_inf` is of the
            first draw, and empty where it has too few sounds.
        embeddings: of each name, for each set: a .npy (N, D), or the .npz of `tag_sounds`, which has `embedding`.
        sounds: sounds.csv of each set, in the same order, with its sounds.json beside it.

    Raises:
        UserError: when embeddings and sounds do not belong together.
    """
    rows = []
    for name, files in embeddings.items():
        sets = [read_embeddings(file, place) for file, place in zip(files, sounds, strict=True)]
        within = {embedded.name: distances(embedded.points, embedded.points) for embedded in sets}
        for ours, theirs in pairs_of_sets(sets):
            rows.append([name, ours.name, theirs.name, *compare_points(ours, theirs, within)])
    with replace(table) as temporary:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(temporary, index=False, float_format="%.6g")


def read_embeddings(file: Path, sounds: Path) -> EmbeddedSet:
    """The embeddings of a set, of one view of each pair.

    Raises:
        UserError: when embeddings and sounds do not belong together, or an embedding is not finite.
    """
    views = pd.read_csv(sounds, usecols=["view"], dtype=str, keep_default_na=False)["view"].to_numpy()
    about = read_json(Path(sounds).with_name("sounds.json"))
    if Path(file).suffix == ".npz":
        with np.load(file) as arrays:
            points = arrays["embedding"]
    else:
        points = np.load(file)
    if len(points) != len(views) or not np.isfinite(points).all():
        raise UserError(f"{file} does not have a finite embedding for each of the sounds of {sounds}: delete it and run again")
    return EmbeddedSet(about["sounds"], about["kind"], points[views != "b"].astype(np.float64))


def compare_points(ours: EmbeddedSet, theirs: EmbeddedSet, within: dict[str, np.ndarray]) -> list:
    """Cells of distances.csv from `count` on.

    Args:
        ours, theirs: sets; the same one is compared by halves.
        within: distances within each set, by its name.
    """
    x, y, alone = ours.points, theirs.points, ours is theirs
    across = within[ours.name] if alone else distances(x, y)
    found, infinite, count = [], float("nan"), 0
    for draw, (first, second) in enumerate(halvings(len(x), None if alone else len(y), HALVINGS)):
        count = len(first)
        blocks = (
            within[ours.name][np.ix_(first, first)],
            within[theirs.name][np.ix_(second, second)],
            across[np.ix_(first, second)],
        )
        reached = reach(*blocks)
        fad = frechet_distance(x[first], y[second]) if count > 1 else float("nan")
        found.append([fad, kernel_distance(*blocks), reached.coverage, reached.coverage_back])
        if draw == 0:
            infinite = frechet_at_infinity(x[first], y[second])
    means, limits = np.mean(found, axis=0), np.quantile(found, [0.025, 0.975], axis=0)
    return [count, count, x.shape[1], means[0], infinite, *means[1:], *limits.T.ravel()]
