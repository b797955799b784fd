"""Stages: figures of distributions, a panel each, and in it a line for each set of sounds: features, causal uncertainty."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from doppelgangers.analysis.feature_units import UNITS
from doppelgangers.analysis.style import PAGE_IN, SMALL, colours_of, label_of, read_about, save

FEATURES_ACROSS = 5
SET_IN = 0.115  # height of a set in a panel
SHARES = (5, 25, 50, 75, 95)  # percentiles that a line shows


def plot_features(figure: Path, *, features: list[Path], about: list[Path]) -> None:
    """Draw how each feature is distributed in each set.

    Args:
        figure: .svg to write, with a .pdf beside it.
        features: csv of each set, of `measure_features`.
        about: sounds.json of each set, in the same order.
    """
    sets = read_about(about)
    tables = dict(zip(sets, map(pd.read_csv, features), strict=True))
    units = {name: "" if unit == "1" else f"\n({unit})" for name, unit in UNITS.items()}
    panels = {f"{c.replace('_', ' ')}{units[c]}": {name: rows[c].to_numpy() for name, rows in tables.items()} for c in UNITS}
    across = FEATURES_ACROSS
    titles = [*panels, *[""] * (-len(panels) % across)]
    draw(
        figure,
        [{title: panels.get(title, {}) for title in titles[i : i + across]} for i in range(0, len(titles), across)],
        sets,
    )


def plot_uncertainty(figure: Path, *, values: Path, about: list[Path]) -> None:
    """Draw how causal uncertainty is distributed in each set: a row of panels for each tagger, a column for each definition.

    Args:
        figure: .svg to write, with a .pdf beside it.
        values: uncertainty_values.csv.
        about: sounds.json of each set.
    """
    rows = pd.read_csv(values, keep_default_na=False)
    panels = []
    for tagger, heard in rows.groupby("tagger", sort=False):
        titles = {definition: f"{tagger}: {definition.replace('_', ' ')}" for definition in heard["definition"].unique()}
        panels.append({title: values_of(heard[heard["definition"] == name]) for name, title in titles.items()})
    draw(figure, panels, read_about(about), least=0, label="uncertainty, 0: certain")


def values_of(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """The values (N,) of each set."""
    return {str(name): part["value"].to_numpy() for name, part in rows.groupby("sounds")}


def draw(
    figure: Path,
    panels: list[dict[str, dict[str, np.ndarray]]],
    sets: Mapping[str, Mapping[str, Any]],
    least: float | None = None,
    label: str = "",
) -> None:
    """Draw rows of panels: title -> set -> values (N,), of which those that are not finite are left out; axes begin at `least`.

    A set is a line over nine tenths of its values, a thick one over half of them, and a point at the median.
    """
    colours, places = colours_of(sets), {name: place for place, name in enumerate(sets)}
    size = PAGE_IN, len(panels) * (SET_IN * len(sets) + 0.55) + 0.15
    with plt.rc_context(SMALL):
        across = max(map(len, panels))
        drawing, axes = plt.subplots(len(panels), across, figsize=size, sharey=True, squeeze=False, layout="constrained")
        for line, row in zip(axes, panels, strict=True):
            for axis, (title, values) in zip(line, row.items(), strict=False):
                for name, found in values.items():
                    draw_set(axis, found[np.isfinite(found)], places[name], colours[name])
                axis.set_title(title, fontsize=7)
                axis.locator_params(axis="x", nbins=4)
                axis.tick_params(axis="y", length=0)
                axis.grid(axis="x", color="0.92", linewidth=0.5)
                axis.set_axisbelow(True)
                axis.spines["left"].set_visible(False)
                axis.set_visible(bool(values))
                if least is not None:
                    axis.set_xlim(left=least)
            for axis in line[len(row) :]:
                axis.set_visible(False)
            line[0].set_yticks(range(len(sets)), [label_of(about) for about in sets.values()])
        for axis in axes[-1]:
            axis.set_xlabel(label)
        axes[0, 0].set_ylim(len(sets) - 0.4, -0.6)
        save(drawing, figure)


def draw_set(axis: plt.Axes, values: np.ndarray, place: int, colour: Any) -> None:
    """Draw a set's line; nothing where it has no values."""
    if not len(values):
        return
    least, low, middle, high, most = np.percentile(values, SHARES)
    axis.plot([least, most], [place, place], color=colour, linewidth=0.8)
    axis.plot([low, high], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
    axis.plot(middle, place, "o", markersize=3, color="white", markeredgecolor=colour, markeredgewidth=0.9)
