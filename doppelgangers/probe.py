"""Stage: linear probes on frozen features, all folds and seeds of an encoder setting together."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from doppelgangers.datasets.catalogue import TASKS
from doppelgangers.errors import UserError
from doppelgangers.files import replace
from doppelgangers.linear import Run, fit_linear
from doppelgangers.metrics import score

VALIDATION_SHARE = 0.2  # of the clips outside the test fold, ARCH


def train_probes(
    scores: Path,
    *,
    encoder: str,
    task: str,
    clips: Path,
    features: dict[int, Path],
    epochs: int,
    batch_clips: int,
    learning_rate: float,
    weight_decay: float,
    warmup: float,
    standardize: bool,
    seed: int,
) -> None:
    """Train and score one probe per fold of the task and seed of the encoder.

    Args:
        scores: csv to write: encoder, task, seed, fold, metric, score (share of 1), epoch chosen by validation.
        encoder: name of the encoder setting.
        task: key of the catalogue's tasks.
        clips: clips.csv of its dataset.
        features: encoder seed -> features.npy.
        epochs, batch_clips, learning_rate, weight_decay, warmup, standardize, seed: as in `linear.fit_linear`.

    Raises:
        UserError: when the clips do not make a task: too few folds, or one class.
    """
    table = pd.read_csv(clips)
    used = np.flatnonzero(table[TASKS[task].label].notna())
    names, targets = np.unique(table[TASKS[task].label].to_numpy()[used], return_inverse=True)
    folds = table.fold.to_numpy()[used]
    runs = split_folds(folds, TASKS[task].validation, seed)
    if len(names) < 2 or not runs:
        raise UserError(
            f"task {task}: {clips} has {len(names)} classes in {len(set(folds))} folds; a probe needs 2 and 3 at least"
        )
    matrices = {encoder_seed: np.load(path)[used] for encoder_seed, path in features.items()}
    fits = fit_linear(
        [matrix for matrix in matrices.values() for _ in runs],
        targets,
        [run for _ in matrices for run in runs.values()],
        epochs=epochs,
        batch_clips=batch_clips,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        warmup=warmup,
        standardize=standardize,
        seed=seed,
        title=f"probe {task}",
    )
    places = [(encoder_seed, fold, run) for encoder_seed in matrices for fold, run in runs.items()]
    rows = [
        {
            "encoder": encoder,
            "task": task,
            "seed": encoder_seed,
            "fold": fold,
            "metric": metric,
            "score": value,
            "epoch": fit.epoch,
        }
        for (encoder_seed, fold, run), fit in zip(places, fits, strict=True)
        for metric, value in score(targets[run.test], fit.test_scores).items()
    ]
    with replace(scores) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)


def split_folds(folds: np.ndarray, validation: str, seed: int) -> dict[int, Run]:
    """One run per fold: it is the test set, and validation comes from the others.

    Args:
        folds: fold of each clip, (N,).
        validation: "next_fold" (cyclic) or "random" (a fifth of the other clips, not stratified, as ARCH draws it).
        seed: of the random draw.

    Returns:
        test fold -> run, in order; empty when there are fewer than three folds.
    """
    names = sorted(set(folds.tolist()))
    runs = {}
    for test, following in zip(names, names[1:] + names[:1], strict=True):
        rest = np.flatnonzero(folds != test)
        if validation == "random":
            train, valid = train_test_split(rest, test_size=VALIDATION_SHARE, random_state=seed)
        else:
            train, valid = rest[folds[rest] != following], rest[folds[rest] == following]
        runs[test] = Run(train, valid, np.flatnonzero(folds == test))
    return runs if len(names) > 2 else {}
