"""What both kinds of probe share: the runs of a task, and their features on the device."""

import dataclasses
import random
from collections.abc import Sequence

import numpy as np
import torch

from doppelgangers.datasets.catalogue import SPLITS


@dataclasses.dataclass(frozen=True)
class Run:
    """One probe: the rows of `features` that it trains on, chooses its epoch on, and is scored on."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


@dataclasses.dataclass(frozen=True)
class Fit:
    """What a run ended with: class scores of its test rows (N, C), their epoch (from 1), and its setting if searched."""

    test_scores: np.ndarray
    epoch: int
    setting: str = ""


class Inputs:
    """Features of every run on the device; runs may share a matrix (the same object), which is then stored once.

    Args:
        features: one matrix (N, D) per run.
        runs: row indices of each run.
        standardize: scale features to zero mean and unit variance of each run's training rows when they are read.
    """

    def __init__(self, features: list[np.ndarray], runs: list[Run], *, standardize: bool) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        matrices = {id(matrix): matrix for matrix in features}
        begin = dict(zip(matrices, np.cumsum([0, *map(len, matrices.values())]).tolist(), strict=False))
        self.begin = np.array([begin[id(matrix)] for matrix in features])
        self.matrix = torch.cat([torch.as_tensor(x, dtype=torch.float32) for x in matrices.values()]).to(self.device)
        self.moments: tuple[torch.Tensor, ...] = ()
        if standardize:
            found = [moments(matrix[run.train]) for matrix, run in zip(features, runs, strict=True)]
            self.moments = torch.tensor(np.array(found), dtype=torch.float32, device=self.device).unbind(dim=1)

    @property
    def dimension(self) -> int:
        """Length D of a feature vector."""
        return self.matrix.shape[1]

    def locate(self, members: list[int], rows: np.ndarray) -> torch.Tensor:
        """Where the rows (..., R, B) of runs `members` lie in the one matrix."""
        return torch.as_tensor(rows + self.begin[members, None], device=self.device)

    def read(self, members: list[int], located: torch.Tensor) -> torch.Tensor:
        """Features (R, B, D) of located rows (R, B) of runs `members`, standardized where asked for."""
        x = self.matrix.index_select(0, located.flatten()).view(*located.shape, -1)
        if self.moments:
            shift, scale = self.moments
            x.sub_(shift[members, None]).div_(scale[members, None])
        return x

    def read_one(self, run: int, rows: np.ndarray) -> torch.Tensor:
        """Features (B, D) of the rows (B,) of one run."""
        return self.read([run], self.locate([run], rows[None]))[0]


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the columns of x (N, D); the deviation of a constant column counts as 1."""
    return x.mean(axis=0, dtype=float), np.where(np.ptp(x, axis=0) > 0, x.std(axis=0, dtype=float), 1.0)


def plain_batches(size: int, batch: int) -> list[np.ndarray]:
    """Positions of an epoch of `size` clips in batches of `batch` and a smaller last one."""
    return np.split(np.arange(size), range(batch, size, batch))


def hear_order(clips: Sequence[str], folds: Sequence[int | str]) -> np.ndarray:
    """The order in which HEAR's code reads the clips of a task, in every epoch (heareval/embeddings/task_embeddings.py).

    One generator, `random.Random(0)`, shuffles the file names of each split, which are sorted before; splits come as train,
    valid and test, or by their numbers. HEAR trains on several folds in that order too.

    Args:
        clips: (N,) unique names, with or without ".wav".
        folds: (N,) split of each: train, valid and test, or numbers.

    Returns:
        (N,) rows of the clips.
    """
    files = [f"{clip.removesuffix('.wav')}.wav" for clip in clips]
    generator = random.Random(0)
    order: list[int] = []
    for split in sorted(set(folds), key=lambda fold: SPLITS.index(fold) if fold in SPLITS else int(fold)):
        rows = sorted((row for row, fold in enumerate(folds) if fold == split), key=files.__getitem__)
        generator.shuffle(rows)
        order += rows
    return np.array(order)
