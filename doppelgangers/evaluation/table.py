"""Stages: gather the scores of all encoders, and make the table of them."""

from pathlib import Path

import pandas as pd

from doppelgangers.encoders.card import read_card
from doppelgangers.files import replace

IDENTITY = ["encoder", "source", "architecture", "delta", "augmentation"]
COLUMNS = [*IDENTITY, "seed", "pairs", "task", "fold", "metric", "score", "probe"]
DIGITS = 2


def collect_scores(scores: Path, *, encoders: list[Path], probes: list[Path]) -> None:
    """Write scores.csv: one row per encoder, seed, task, fold and metric; scores are shares of 1, `probe` is its kind.

    A further kind of probe of a task is a task of its own, <task>_<kind>, so that nothing adds up over kinds unasked.

    Args:
        scores: csv to write.
        encoders: encoder.json of every encoder setting and seed.
        probes: csv files of `probe.train_linear_probes` and `probe.train_mlp_probes`.
    """
    known = [*IDENTITY, "seed", "pairs"]
    cards = pd.DataFrame([{key: getattr(card, key) for key in known} for card in map(read_card, encoders)])
    cards = cards.astype({"pairs": "Int64"})
    rows = pd.concat([pd.read_csv(path, dtype={"fold": str}) for path in probes])
    table = rows.merge(cards, on=["encoder", "seed"], validate="many_to_one")[COLUMNS]
    order = ["source", "architecture", "augmentation", "delta", "encoder", "task", "seed", "fold", "metric"]
    table = table.sort_values(order, key=lambda column: column.str.zfill(4) if column.name == "fold" else column)
    with replace(scores) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")


def make_table(table: Path, *, scores: Path, metrics: dict[str, str]) -> pd.DataFrame:
    """Write table.csv: one row per encoder setting, for each task its primary metric in percent.

    `<task>` is the mean over seeds of the mean over folds; `<task>_std` the standard deviation (n - 1) over all folds and
    seeds, empty where there is only one.

    Args:
        table: csv to write, sorted and rounded to 2 digits.
        scores: scores.csv.
        metrics: task -> its primary metric.

    Returns:
        the table.
    """
    empty = {column: [""] for column in ("delta", "pairs", "score")}
    types = {"architecture": "str", "augmentation": "str", "fold": "str", "pairs": "Int64"}
    rows = pd.read_csv(scores, keep_default_na=False, na_values=empty, dtype=types)
    rows = rows[rows.metric == rows.task.map(metrics)]
    by_setting = rows.groupby(IDENTITY, dropna=False)
    result = by_setting.agg(seeds=("seed", "nunique"), pairs=("pairs", "max"))
    for task in sorted(rows.task.unique()):
        groups = rows[rows.task == task].assign(score=lambda r: 100 * r.score)
        by_seed = groups.groupby([*IDENTITY, "seed"], dropna=False).score.mean()
        result[task] = by_seed.groupby(IDENTITY, dropna=False).mean()
        result[f"{task}_std"] = groups.groupby(IDENTITY, dropna=False).score.std(ddof=1)
    result = (
        result.reset_index().sort_values(["source", "architecture", "augmentation", "delta", "encoder"]).reset_index(drop=True)
    )
    with replace(table) as temporary:
        result.round(dict.fromkeys(result.columns[7:], DIGITS)).to_csv(temporary, index=False)
    return result


def render_table(table: pd.DataFrame) -> str:
    """The table for a terminal: `mean +- deviation` in percent."""
    text = table[["encoder", "pairs"]].copy()
    for task in table.columns[7::2]:
        deviation = table[f"{task}_std"].map(lambda value: "" if pd.isna(value) else f" ± {value:.1f}")
        text[task] = table[task].map("{:.1f}".format) + deviation
    return text.to_string(index=False)
