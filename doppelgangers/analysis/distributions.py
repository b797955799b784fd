"""Stages: figures of distributions, a panel each, and a line for each set of sounds: of features, of causal uncertainty."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from doppelgangers.analysis.style import COLOURS, COLUMN_IN, GREY, SMALL, WARM, assign, save

PANELS_ACROSS = 3
SET_IN = 0.12  # height of a set in a panel


def label_of(name: str) -> str:
    """What a figure calls a set of sounds."""
    architecture, dash, delta = name.partition("-")
    if architecture == "recordings" and dash:
        return delta
    return f"{architecture} δ {delta}" if dash else name


def colours_of(names: list[str]) -> dict[str, object]:
    """A colour for each set: shades for the deltas of pairs, warm ones for real sounds, grey for noise."""
    made = [name for name in names if "-" in name and not name.startswith("recordings-")]
    deltas = sorted({name.partition("-")[2] for name in made}, key=float)
    shades = assign(deltas, plt.colormaps["viridis"](np.linspace(0, 0.82, len(deltas))))
    real = [name for name in names if name not in made and name != "noise"]
    return {**{name: shades[name.partition("-")[2]] for name in made}, **assign(real, [*WARM, COLOURS[6]]), "noise": GREY}


def plot_features(figure: Path, *, features: dict[str, Path], differences: Path) -> None:
    """Draw how each feature is distributed in each set.

    Args:
        figure: .svg to write, with a .pdf beside it.
        features: set -> its csv of `measure_features`.
        differences: feature_differences.csv, which has the units.
    """
    units = pd.read_csv(differences, keep_default_na=False).drop_duplicates("feature").set_index("feature").unit
    tables = {name: pd.read_csv(path) for name, path in features.items()}
    columns = [column for column in next(iter(tables.values())) if column in units.index]
    titles = {c: f"{c.replace('_', ' ')}" + (f"\n({units[c]})" if units[c] else "") for c in columns}
    draw_panels(figure, {titles[c]: {name: rows[c].to_numpy() for name, rows in tables.items()} for c in columns})


def plot_uncertainty(figure: Path, *, values: Path, tagger: str) -> None:
    """Draw how causal uncertainty is distributed in each set, by each definition.

    Args:
        figure: .svg to write, with a .pdf beside it.
        values: uncertainty_values.csv.
        tagger: whose uncertainty.
    """
    rows = pd.read_csv(values)
    rows = rows[rows.tagger == tagger]
    panels = {
        definition.replace("_", " "): {name: part.value.to_numpy() for name, part in group.groupby("sounds", sort=False)}
        for definition, group in rows.groupby("definition", sort=False)
    }
    draw_panels(figure, panels)


def draw_panels(figure: Path, panels: dict[str, dict[str, np.ndarray]]) -> None:
    """Draw a panel for each title; in it, for each set, the median, and lines over half and nine tenths of the values."""
    names = list(dict.fromkeys(name for sets in panels.values() for name in sets))
    colours, across = colours_of(names), min(PANELS_ACROSS, len(panels))
    down = -(-len(panels) // across)
    with plt.rc_context(SMALL):
        size = COLUMN_IN, down * (SET_IN * len(names) + 0.62)
        drawing, axes = plt.subplots(down, across, figsize=size, sharey=True, squeeze=False, layout="constrained")
        for axis, (title, sets) in zip(axes.flat, panels.items(), strict=False):
            for i, name in enumerate(names):
                found = sets.get(name, np.array([]))
                if len(found := found[np.isfinite(found)]):
                    far, near, middle, above, beyond = np.percentile(found, [5, 25, 50, 75, 95])
                    axis.plot([far, beyond], [i, i], color=colours[name], linewidth=0.9)
                    axis.plot([near, above], [i, i], color=colours[name], linewidth=3.2, solid_capstyle="butt")
                    axis.plot(middle, i, "o", markersize=3.4, color="white", markeredgecolor=colours[name], markeredgewidth=0.9)
            axis.set_title(title, fontsize=7)
            axis.locator_params(axis="x", nbins=3)
            axis.tick_params(axis="y", length=0)
            axis.grid(axis="x", color="0.92", linewidth=0.5)
            axis.set_axisbelow(True)
            axis.spines[["top", "right", "left"]].set_visible(False)
        for axis in axes.flat[len(panels) :]:
            axis.set_axis_off()
        axes[0, 0].set_yticks(range(len(names)), [label_of(name) for name in names])
        axes[0, 0].invert_yaxis()
        save(drawing, figure)
