"""Stage: the figures."""

import itertools
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd

from doppelgangers.files import replace

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito, told apart by the colour-blind too


def plot_scores(figure: Path, *, table: Path) -> None:
    """Draw every task's score against delta, a line per architecture, beside random initialisation and others' encoders.

    Args:
        figure: .png to write.
        table: table.csv.
    """
    rows = pd.read_csv(table, keep_default_na=False, na_values=[""])
    tasks = [column for column in rows.columns[7:] if not column.endswith("_std")]
    deltas = sorted(rows.delta.dropna().unique())
    place = {delta: i for i, delta in enumerate(deltas)}
    columns = min(4, len(tasks))
    lines = -(-len(tasks) // columns)
    drawing, axes = plt.subplots(lines, columns, figsize=(3.4 * columns, 3.1 * lines), squeeze=False, layout="constrained")
    for axis, task in zip(axes.flat, tasks, strict=False):
        for colour, (architecture, group) in zip(COLOURS, rows.dropna(subset="delta").groupby("architecture"), strict=False):
            x = group.delta.map(place)
            axis.errorbar(x, group[task], group[f"{task}_std"].fillna(0), fmt="o-", color=colour, capsize=3, label=architecture)
        for _, row in rows[rows.source == "random_init"].iterrows():
            axis.axhline(row[task], color="0.4", linestyle="--", label="random initialisation")
            if pd.notna(row[f"{task}_std"]):
                axis.axhspan(row[task] - row[f"{task}_std"], row[task] + row[f"{task}_std"], color="0.9", zorder=0)
        for (_, row), style in zip(rows[rows.source == "hear"].iterrows(), itertools.cycle([":", "-."])):
            axis.axhline(row[task], color="0.2", linestyle=style, label=row.encoder)
        axis.set_title(task)
        axis.set_xticks(range(len(deltas)), [f"{delta:g}" for delta in deltas])
        axis.set_xlabel("perturbation δ")
        axis.margins(x=0.2)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes.flat[len(tasks) :]:
        axis.set_visible(False)
    axes[0, 0].set_ylabel("score (%)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    drawing.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 2 * columns - 1),
        frameon=False,
        title="± std over folds",
    )
    with replace(figure) as temporary:
        drawing.savefig(temporary, dpi=150, metadata={"Software": None})
    plt.close(drawing)
