"""Stage: how similar the two views of a pair are to taggers, by how far they were perturbed."""

from pathlib import Path

import numpy as np
import pandas as pd

from doppelgangers.analysis.effect_size import bootstrap_interval
from doppelgangers.analysis.tags import Tags, read_tags
from doppelgangers.errors import UserError
from doppelgangers.files import replace

COLUMNS = ["tagger", "architecture", "delta", "pairs", "cosine", "cosine_low", "cosine_high"]
COLUMNS += ["centred", "centred_low", "centred_high"]


def measure_similarity(table: Path, *, tags: dict[str, list[Path]], sounds: list[Path], resamples: int) -> None:
    """Measure the cosine similarity of the two views' embeddings, plain and centred.

    Args:
        table: .csv to write: means over the pairs of each set, with the limits of their intervals of 95 percent.
        tags: of each tagger, for each synthetic set: the .npz of `tag_sounds`.
        sounds: sounds.csv of each set, in the same order.
        resamples: of the bootstrap over pairs; the centre stays that of the whole set.

    Raises:
        UserError: when tags and sounds do not belong together, or sounds are not pairs.
    """
    rows = []
    for tagger, files in tags.items():
        for file, place in zip(files, sounds, strict=True):
            heard = read_tags(file, place)
            first, second = views_of(heard, place)
            cells: list[float] = []
            for cosines in (cosine(first, second), cosine(*centred(first, second))):
                cells += [cosines.mean(), *bootstrap_interval(np.mean, cosines, resamples=resamples)]
            rows.append([tagger, heard.architecture, heard.delta, len(first), *cells])
    with replace(table) as temporary:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(temporary, index=False, float_format="%.6g")


def views_of(heard: Tags, place: Path) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of the first and the second views of pairs, each (P, D) float64.

    Raises:
        UserError: when the sounds are not pairs.
    """
    if len(heard.views) % 2 or not (heard.views.reshape(-1, 2) == ["a", "b"]).all():
        raise UserError(f"{place}: the sounds are not pairs of a view a and a view b: delete it and run again")
    points = heard.embedding.astype(np.float64)
    return points[::2], points[1::2]


def centred(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same embeddings without their common mean, which makes any two of them similar."""
    centre = np.concatenate([first, second]).mean(axis=0)
    return first - centre, second - centre


def cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine similarity of the rows of two arrays (P, D) -> (P,); 0 where one is all zeros."""
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(axis=1) / np.where(norms > 0, norms, 1)
