"""Stage: probes on frozen features, all folds and seeds of an encoder setting together."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MultiLabelBinarizer

from doppelgangers.datasets.catalogue import SPLITS, Task
from doppelgangers.datasets.labels import folds_of, read_clips, read_labelled
from doppelgangers.errors import UserError
from doppelgangers.evaluation.linear import LinearProtocol, fit_linear
from doppelgangers.evaluation.metrics import score
from doppelgangers.evaluation.mlp import MlpProtocol, fit_mlp
from doppelgangers.evaluation.runs import Fit, Run, hear_order
from doppelgangers.files import replace

PREDICTED = ["seed", "fold", "clip", "truth", "predicted"]  # columns of the predictions
VALIDATION_SHARE = 0.2  # of the clips outside the test fold, ARCH


@dataclasses.dataclass(frozen=True)
class Problem:
    """What the probes of a task learn from, for all seeds of an encoder: one probe for each seed and fold.

    Attributes:
        places: (encoder seed, fold) of each probe.
        features: (N, D) for each probe; probes of one seed share them.
        targets: class indices (N,), or 0/1 (N, C) for several labels a clip.
        names: label of each class.
        runs: rows of each probe.
        clips: name of each clip, (N,).
        folds: fold of each clip, (N,).
    """

    places: list[tuple[int, int | str]]
    features: list[np.ndarray]
    targets: np.ndarray
    names: list
    runs: list[Run]
    clips: list[str]
    folds: list[int | str]


def train_linear_probes(
    scores: Path,
    predictions: Path,
    *,
    encoder: str,
    task: str,
    row: Task,
    clips: Path,
    features: dict[int, Path],
    probe: LinearProtocol,
) -> None:
    """Train and score a linear probe for each fold of the task and seed of the encoder.

    Args:
        scores: csv to write: encoder, task, seed, fold, metric, score (share of 1, or d'), epoch that is scored, setting
            (what the search of an MLP chose, else empty), probe (its kind).
        predictions: csv to write, of the same probes: seed, fold, clip, truth, predicted (labels). Empty but for its head
            where a clip has several labels, because a probe of those ranks classes and decides on none.
        encoder: name of the encoder setting.
        task: name of the column of the table: of the task, with a further kind of probe <task>_<kind>.
        row: the task's facts.
        clips: clips.csv of its dataset.
        features: encoder seed -> features.npy.
        probe: the protocol.

    Raises:
        UserError: when the clips do not make a task, or the features do not fit them.
    """
    problem = read_problem(encoder, task, row, clips=clips, features=features, seed=probe.seed)
    fits = fit_linear(problem.features, problem.targets, problem.runs, probe=probe, title=f"probe {task}")
    write_scores(scores, encoder, task, row, problem=problem, fits=fits)
    write_predictions(predictions, row, problem=problem, fits=fits)


def train_mlp_probes(
    scores: Path,
    predictions: Path,
    *,
    encoder: str,
    task: str,
    row: Task,
    clips: Path,
    features: dict[int, Path],
    probe: MlpProtocol,
) -> None:
    """Train and score an MLP for each fold of the task and seed of the encoder; its grid is searched once for each seed.

    Where the task's probe is `hear_linear`, the grid is HEAR's for a linear probe. Arguments and errors are those of
    `train_linear_probes`.
    """
    problem = read_problem(encoder, task, row, clips=clips, features=features, seed=probe.seed)
    runs = problem.runs
    if probe.protocol == "faithful":
        order = hear_order(problem.clips, problem.folds)
        runs = [dataclasses.replace(run, train=order[np.isin(order, run.train)]) for run in runs]
    fits = fit_mlp(
        problem.features,
        problem.targets,
        runs,
        groups=[encoder_seed for encoder_seed, _ in problem.places],
        metric=row.metrics[0],
        names=problem.names,
        probe=probe.linear() if row.probe == "hear_linear" else probe,
        title=f"probe {task}",
    )
    write_scores(scores, encoder, task, row, problem=problem, fits=fits)
    write_predictions(predictions, row, problem=problem, fits=fits)


def read_problem(encoder: str, task: str, row: Task, *, clips: Path, features: dict[int, Path], seed: int) -> Problem:
    """Read clips and features of a task.

    Raises:
        UserError: when the clips do not make a task, or the features do not fit them.
    """
    table = read_clips(clips)
    where = f"task {task}: {clips}"
    used, targets, names = read_labels(table, row, where)
    folds = folds_of(table[row.fold].iloc[used], where)
    runs = split_folds(folds, row.validation, seed, where)
    matrices = {
        encoder_seed: read_features(path, table, used, f"task {task}: features of {encoder}, seed {encoder_seed}, {path}")
        for encoder_seed, path in features.items()
    }
    places = [(encoder_seed, fold) for encoder_seed in matrices for fold in runs]
    probes = [runs[fold] for _, fold in places]
    clip_names = table["clip"].to_numpy()[used].tolist()
    per_probe = [matrices[encoder_seed] for encoder_seed, _ in places]
    return Problem(places, per_probe, targets, names, probes, clip_names, folds.tolist())


def write_scores(scores: Path, encoder: str, task: str, row: Task, *, problem: Problem, fits: list[Fit]) -> None:
    """Score what the probes say of their test clips."""
    rows = [
        {
            "encoder": encoder,
            "task": task,
            "seed": encoder_seed,
            "fold": fold,
            "metric": metric,
            "score": value,
            "epoch": fit.epoch,
            "setting": fit.setting,
            "probe": row.probe,
        }
        for (encoder_seed, fold), run, fit in zip(problem.places, problem.runs, fits, strict=True)
        for metric, value in score(problem.targets[run.test], fit.test_scores, row.metrics, problem.names).items()
    ]
    with replace(scores) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)


def write_predictions(predictions: Path, row: Task, *, problem: Problem, fits: list[Fit]) -> None:
    """Write what the probes take each of their test clips for: the class of the highest score, by which accuracy judges too."""
    names, clips = np.array(problem.names), np.array(problem.clips)
    parts = [
        pd.DataFrame(
            {
                "seed": encoder_seed,
                "fold": fold,
                "clip": clips[run.test],
                "truth": names[problem.targets[run.test]],
                "predicted": names[fit.test_scores.argmax(axis=1)],
            }
        )
        for (encoder_seed, fold), run, fit in zip(problem.places, problem.runs, fits, strict=True)
        if not row.multilabel
    ]
    with replace(predictions) as temporary:
        (pd.concat(parts) if parts else pd.DataFrame(columns=PREDICTED)).to_csv(temporary, index=False)


def read_labels(table: pd.DataFrame, row: Task, where: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The clips of a task and what they are; arguments and errors are those of `labels.read_labelled`.

    Returns:
        rows of the table that have a label, (N,); class indices (N,), or 0/1 (N, C) for several labels a clip; the label
        of each class.
    """
    used, labels, names = read_labelled(table, row, where)
    if row.multilabel:
        return used, MultiLabelBinarizer(classes=names).fit_transform(labels), names
    index = {name: i for i, name in enumerate(names)}
    return used, np.array([index[label] for (label,) in labels]), names


def read_features(path: Path, table: pd.DataFrame, used: np.ndarray, where: str) -> np.ndarray:
    """Features (N, D) of the clips of a task; `where` begins an error's message.

    Raises:
        UserError: when the file is damaged, there is not one row per clip, or a number is not finite.
    """
    try:
        features = np.load(path)
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}): delete it, so that it is made again") from error
    if len(features) != len(table):
        raise UserError(f"{where} has {len(features)} rows for {len(table)} clips: delete it, so that it is made again")
    features = features[used]
    if not np.isfinite(features).all():
        first = used[~np.isfinite(features).all(axis=1)][0]
        clip = f"{table.columns[0]} {table.iloc[first, 0]}"
        raise UserError(
            f"{where} has a number that is not finite in row {first} ({clip}): listen to that clip and look at the "
            "encoder's training loss; if they are fine, delete the file, so that it is made again"
        )
    return features


def split_folds(folds: np.ndarray, validation: str, seed: int, where: str) -> dict[int | str, Run]:
    """The run of train, valid and test, or one run per numbered fold: it is the test set, validation is of the others.

    Args:
        folds: fold of each clip, (N,).
        validation: with numbered folds, "next_fold" (cyclic) or "random" (a fifth of the other clips, not stratified, as
            ARCH draws it: from the clips fold by fold, the folds in the order in which the table names them).
        seed: of the random draw.
        where: beginning of an error's message.

    Returns:
        test fold -> run, in order.

    Raises:
        UserError: when a split is missing, or there are fewer than three folds.
    """
    found = sorted(set(folds.tolist()), key=str)
    if named := [name for name in found if isinstance(name, str)]:
        if set(found) != set(SPLITS):
            raise UserError(f"{where} has the folds {', '.join(named)}: number them from 1, or use train, valid and test")
        return {"test": Run(*(np.flatnonzero(folds == split) for split in SPLITS))}
    numbers = sorted(int(name) for name in found)
    if len(numbers) < 3:
        raise UserError(f"{where} has {len(numbers)} folds, and a probe needs 3: to train, to validate and to test")
    by_fold = np.argsort(pd.factorize(folds)[0], kind="stable")
    runs: dict[int | str, Run] = {}
    for test, following in zip(numbers, numbers[1:] + numbers[:1], strict=True):
        rest = np.flatnonzero(folds != test)
        if validation == "random":
            train, valid = train_test_split(by_fold[folds[by_fold] != test], test_size=VALIDATION_SHARE, random_state=seed)
        else:
            train, valid = rest[folds[rest] != following], rest[folds[rest] == following]
        runs[test] = Run(train, valid, np.flatnonzero(folds == test))
    return runs
