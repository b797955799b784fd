"""Stages: figures of differences of scores, by pairs seen too, and of what is taken for what."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from doppelgangers.analysis.style import COLOURS, GREY, MARKERS, PAGE_IN, SMALL, assign, save
from doppelgangers.datasets.labels import in_order
from doppelgangers.encoders.card import trained_setting

PANELS_ACROSS = 4
ENCODER_IN = 0.17  # height of an encoder in a panel
VERDICTS = {"better": COLOURS[2], "worse": COLOURS[1], "undecided": GREY}
APART = 1.08  # ratio of the places of neighbouring settings, of the same number of pairs
NAMED = 40  # classes, at most, whose names are written out


def plot_comparisons(figure: Path, *, comparisons: Path) -> None:
    """Draw how far each encoder lies from those that it is held against, with intervals of 95 percent.

    Args:
        figure: .svg to write, with a .pdf beside it.
        comparisons: comparisons.csv, which may have no row.
    """
    rows = read_comparisons(comparisons)
    panels = list(rows.groupby(["against", "task"], sort=False))
    encoders = list(dict.fromkeys(rows["encoder"]))
    with plt.rc_context(SMALL):
        drawing, axes = grid(len(panels), PANELS_ACROSS, ENCODER_IN * len(encoders) + 0.75, 0.4, sharey=True)
        for axis, ((against, task), part) in zip(axes.flat, panels, strict=False):
            axis.axvline(0, color="0.8", linewidth=0.8, zorder=0)
            for row in part.to_dict("records"):
                place, colour = encoders.index(row["encoder"]), VERDICTS[row["verdict"]]
                known = pd.notna(row["low"])
                if known:
                    axis.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.2)
                filled = colour if row["verdict"] != "undecided" else "white"
                axis.plot(row["difference"], place, "o" if known else "D", markersize=4, color=colour, markerfacecolor=filled)
            axis.set_title(task)
            axis.set_xlabel(f"points over {against}")
            axis.grid(axis="x", color="0.94", linewidth=0.5)
            axis.tick_params(axis="y", length=0)
        if panels:
            axes[0, 0].set_yticks(range(len(encoders)), encoders)
            axes[0, 0].set_ylim(len(encoders) - 0.5, -0.5)
            drawing.legend(handles=keys(), loc="outside lower center", ncols=4, frameon=False, fontsize=7)
        else:
            drawing.text(0.5, 0.5, "no encoder that others are held against", ha="center", color=GREY)
        save(drawing, figure)


def plot_snapshots(figure: Path, *, comparisons: Path, table: Path) -> None:
    """Draw how far encoders and their snapshots lie from what they are held against, by the number of pairs they have seen.

    Args:
        figure: .svg to write, with a .pdf beside it.
        comparisons: comparisons.csv, with intervals of 95 percent.
        table: table.csv, which says how many pairs each encoder has seen.
    """
    seen = pd.read_csv(
        table, keep_default_na=False, na_values=[""], usecols=["encoder", "source", "pairs"], dtype={"encoder": str}
    )
    seen["setting"] = seen["encoder"].where(seen["source"] != "snapshot", seen["encoder"].map(trained_setting))
    rows = read_comparisons(comparisons).merge(seen, on="encoder")
    rows = rows[rows["setting"].isin(seen.loc[seen["source"] == "snapshot", "setting"])].sort_values("pairs")
    panels = list(rows.groupby(["against", "task"], sort=True))
    settings, ticks = sorted(set(rows["setting"])), sorted(set(rows["pairs"]))
    looks = assign(settings, zip(COLOURS, itertools.cycle(MARKERS), strict=False))
    with plt.rc_context(SMALL):
        drawing, axes = grid(len(panels), PANELS_ACROSS, 1.9, 0.4)
        for axis, ((against, task), part) in zip(axes.flat, panels, strict=False):
            axis.axhline(0, color="0.6", linewidth=0.8, zorder=0)
            for place, setting in enumerate(settings):
                line, (colour, marker) = part[part["setting"] == setting], looks[setting]
                apart = line["pairs"] * APART ** (place - (len(settings) - 1) / 2)  # or intervals would cover each other
                axis.vlines(apart, line["low"], line["high"], color=colour, linewidth=0.9)
                axis.plot(apart, line["difference"], color=colour, marker=marker, markersize=3.5, linewidth=1.2, label=setting)
            axis.set_title(task)
            axis.set_xscale("log")
            axis.set_xticks(ticks, [EngFormatter(sep="")(tick) for tick in ticks])
            axis.minorticks_off()
            low, high = part["low"].min(), part["high"].max()  # every interval whole
            if low < high:
                axis.set_ylim(low - 0.06 * (high - low), high + 0.06 * (high - low))
            axis.set_xlabel("pairs seen")
            axis.set_ylabel(f"points over {against}" if axis in axes[:, 0] else "")
            axis.grid(axis="y", color="0.94", linewidth=0.5)
        if panels:
            drawing.legend(
                *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6, frameon=False, fontsize=7
            )
        else:
            drawing.text(0.5, 0.5, "no encoder that snapshots are held against", ha="center", color=GREY)
        save(drawing, figure)


def read_comparisons(comparisons: Path) -> pd.DataFrame:
    """The rows of comparisons.csv; names are text, whatever they look like."""
    text = {"encoder": str, "against": str, "task": str}
    return pd.read_csv(comparisons, keep_default_na=False, na_values=[""], dtype=text)


def grid(
    count: int, most_across: int, row_in: float, more_in: float, sharex: bool = False, sharey: bool = False
) -> tuple[plt.Figure, np.ndarray]:
    """A page's width of panels, row by row, those beyond `count` hidden; a row is `row_in` high, the rest `more_in`."""
    across, down = min(most_across, count or 1), -(-count // most_across) or 1
    size = PAGE_IN, down * row_in + more_in
    drawing, axes = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained", sharex=sharex, sharey=sharey)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    return drawing, axes


def keys() -> list[Line2D]:
    """What the legend says of points."""
    common: dict[str, Any] = {"marker": "o", "markersize": 4, "linewidth": 1.2}
    looks: dict[str, dict[str, Any]] = {
        "better": {"color": VERDICTS["better"]},
        "worse": {"color": VERDICTS["worse"]},
        "undecided": {"color": GREY, "markerfacecolor": "white"},
        "too little to tell": {"color": GREY, "markerfacecolor": "white", "marker": "D", "linestyle": ""},
    }
    return [Line2D([], [], **{**common, **look}, label=name) for name, look in looks.items()]


def plot_confusions(figure: Path, *, task: str, confusions: Mapping[str, Path]) -> None:
    """Draw what the probes of each encoder take for what: rows are the classes, and sum to 100 percent.

    Args:
        figure: .svg to write, with a .pdf beside it.
        task: whose classes they are.
        confusions: encoder -> csv of `measure_confusions`.
    """
    text = {"fold": str, "truth": str, "predicted": str}
    tables = {name: pd.read_csv(path, dtype=text, keep_default_na=False) for name, path in confusions.items()}
    labels = in_order({label for rows in tables.values() for column in ("truth", "predicted") for label in rows[column]})
    named = len(labels) <= NAMED
    across = min(PANELS_ACROSS - 1 if named else PANELS_ACROSS, len(tables))
    side = (PAGE_IN - 0.6) / across
    with plt.rc_context({**SMALL, "axes.spines.top": True, "axes.spines.right": True}):
        drawing, axes = grid(len(tables), across, side + (0.5 if named else 0.1), 0.1, sharex=True, sharey=True)
        for axis, (name, rows) in zip(axes.flat, tables.items(), strict=False):
            counts = rows.pivot_table(index="truth", columns="predicted", values="clips", aggfunc="sum", fill_value=0)
            cells = counts.reindex(index=labels, columns=labels, fill_value=0).to_numpy(float)
            shares = 100 * cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
            image = axis.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 100), interpolation="nearest")
            axis.set_title(name)
            if named:
                axis.set_xticks(range(len(labels)), labels, rotation=90, fontsize=5)
                axis.set_yticks(range(len(labels)), labels, fontsize=5)
            else:
                axis.set_xticks([])
                axis.set_yticks([])
        drawing.supylabel(f"{task}: class" + ("" if named else f", {len(labels)} in order"), fontsize=8)
        drawing.supxlabel("taken for", fontsize=8)
        drawing.colorbar(image, ax=axes, label="share of the class (%)", aspect=30, pad=0.01, ticks=[0, 1, 5, 20, 50, 100])
        save(drawing, figure)
