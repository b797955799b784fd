"""Stages: what probes take for what, from the predictions of the very probes that are scored."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from doppelgangers.datasets.labels import in_order
from doppelgangers.files import replace

COLUMNS = ["seed", "fold", "truth", "predicted", "clips"]
RECALLS = ["task", "encoder", "label", "clips", "recall", "recall_std", "gain"]
PAIRS = ["task", "encoder", "truth", "predicted", "clips", "share"]
PAIRS_OF_AN_ENCODER = 20  # of a task that are kept, those of the largest share
REFERENCE = "random_init"  # which recalls are compared with
DIGITS = 4


def measure_confusions(confusions: Path, *, predictions: Path) -> None:
    """Count how often each class is taken for each other, by seed and fold.

    The clips with truth = predicted, over all clips of a seed and fold, are its accuracy in scores.csv.

    Args:
        confusions: csv to write: seed, fold, truth, predicted, clips; without the cells that have none.
        predictions: csv of `probe.train_linear_probes`.
    """
    table = pd.read_csv(predictions, dtype=str, keep_default_na=False).astype({"seed": int})
    place = {label: i for i, label in enumerate(in_order({*table["truth"], *table["predicted"]}))}
    cells = table.groupby(COLUMNS[:4]).size().rename("clips").reset_index()
    cells = cells.sort_values(COLUMNS[:4], key=lambda c: c.map(place) if c.name in ("truth", "predicted") else c)
    with replace(confusions) as temporary:
        cells[COLUMNS].to_csv(temporary, index=False)


def summarize_confusions(recalls: Path, pairs: Path, *, confusions: Mapping[tuple[str, str], Path]) -> None:
    """Say which classes are recognised, and which are taken for which, for all tasks and encoders.

    Args:
        recalls: csv to write: task, encoder, label, clips (tested with each seed), recall (share of 1; mean over seeds, over the
            clips of all folds), recall_std (over seeds, n - 1; empty for one seed), gain (recall less that of random_init).
        pairs: csv to write: task, encoder, truth, predicted, clips (that are taken so; mean over seeds), share (of the clips
            of the class `truth`); the largest shares of each task and encoder.
        confusions: (task, encoder) -> csv of `measure_confusions`.
    """
    tables = {place: read_confusions(path) for place, path in confusions.items()}
    found = [recalls_of(table).assign(task=task, encoder=encoder) for (task, encoder), table in tables.items()]
    rows = pd.concat(found)
    reference = rows[rows["encoder"] == REFERENCE].set_index(["task", "label"])["recall"]
    before = pd.Series(pd.MultiIndex.from_frame(rows[["task", "label"]]).map(reference.to_dict()), rows.index, dtype=float)
    rows["gain"] = (rows["recall"] - before).where(rows["encoder"] != REFERENCE)
    with replace(recalls) as temporary:
        rows[RECALLS].round(DIGITS).to_csv(temporary, index=False)
    taken = [pairs_of(table).assign(task=task, encoder=encoder) for (task, encoder), table in tables.items()]
    with replace(pairs) as temporary:
        pd.concat(taken)[PAIRS].round(DIGITS).to_csv(temporary, index=False)


def read_confusions(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"fold": str, "truth": str, "predicted": str}, keep_default_na=False)


def recalls_of(confusions: pd.DataFrame) -> pd.DataFrame:
    """Columns label, clips, recall and recall_std of each class that is tested, in order."""
    right = confusions[confusions["truth"] == confusions["predicted"]]
    tested = confusions.groupby(["truth", "seed"])["clips"].sum()
    recall = (right.groupby(["truth", "seed"])["clips"].sum() / tested).reindex(tested.index).fillna(0.0)
    by_class = recall.groupby("truth").agg(["mean", "std"]).set_axis(["recall", "recall_std"], axis=1)
    by_class = by_class.assign(clips=tested.groupby("truth").max()).loc[in_order(by_class.index)]
    return by_class.rename_axis("label").reset_index()


def pairs_of(confusions: pd.DataFrame) -> pd.DataFrame:
    """Columns truth, predicted, clips and share of the pairs of classes that are confused most, the largest share first."""
    seeds = confusions["seed"].nunique()
    wrong = confusions[confusions["truth"] != confusions["predicted"]]
    pairs = wrong.groupby(["truth", "predicted"])["clips"].sum().reset_index()
    of_class = confusions.groupby("truth")["clips"].sum()
    pairs = pairs.assign(share=pairs["clips"] / pairs["truth"].map(of_class), clips=pairs["clips"] / seeds)
    order = ["share", "truth", "predicted"]
    return pairs.sort_values(order, ascending=[False, True, True]).head(PAIRS_OF_AN_ENCODER)
