"""How all figures look: colours that the colour-blind tell apart too, sizes, and files that are the same bytes each time."""

import itertools
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from doppelgangers.files import read_json, replace

logging.getLogger("fontTools").setLevel(logging.WARNING)  # says each letter that it keeps

# Ids in SVG are random without a salt. PDF keeps its text as text, which can be searched.
matplotlib.rcParams.update({"svg.hashsalt": "doppelgangers", "pdf.fonttype": 42})

# Okabe and Ito's, told apart by the colour-blind too, without their yellow, which is too pale for a line.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
WARM = (COLOURS[1], COLOURS[3], COLOURS[4])  # not among the colours of delta
GREY = "0.45"
STYLES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
MARKERS = ("o", "s", "^", "D")
LEGEND_LOOK = {"frameon": False, "fontsize": "small", "title_fontsize": "small", "handlelength": 3.2}
# A figure for one column of a paper (84 mm) or for two (174 mm) is drawn a fifth larger: text of 8 points is 6.7 there.
COLUMN_IN, PAGE_IN = 4.0, 8.2
SMALL: dict[Any, Any] = {"font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7}
SMALL |= {"axes.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False}
SMALL |= {f"{axis}tick.major.{part}": size for axis in "xy" for part, size in (("width", 0.6), ("size", 2.5), ("pad", 2))}


def finish(axis: plt.Axes, title: str) -> None:
    """Give a panel its title, room above and below what is drawn, and two spines."""
    axis.set_title(title, fontsize="medium")
    axis.margins(y=0.12)
    axis.spines[["top", "right"]].set_visible(False)


def assign(names: Iterable, looks: Iterable) -> dict:
    """A look for each name, in their order; the same ones again when there are more names."""
    return dict(zip(dict.fromkeys(names), itertools.cycle(looks)))


def read_about(files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The sounds.json of sets of sounds, by their names and in their order."""
    return {content["sounds"]: content for content in map(read_json, files)}


def label_of(about: Mapping[str, Any]) -> str:
    """What figures call a set of sounds, by its sounds.json."""
    if about["kind"] == "synthetic":
        return f"{about['architecture']} δ {about['delta']}"
    return "white noise" if about["kind"] == "noise" else about["sounds"].removeprefix("recordings-")


def colours_of(sets: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A colour for each set: for pairs shades by delta, for recorded sounds warm ones and black, grey for noise."""
    deltas = sorted({about["delta"] for about in sets.values() if about["kind"] == "synthetic"}, key=float)
    shades = assign(deltas, plt.colormaps["viridis"](np.linspace(0, 0.82, len(deltas))))
    recorded = [name for name, about in sets.items() if about["kind"] in ("dataset", "recordings")]
    warm = assign(recorded, [*WARM, COLOURS[6], COLOURS[5]])
    return {name: shades.get(about["delta"], warm.get(name, GREY)) for name, about in sets.items()}


def save(drawing: plt.Figure, figure: Path) -> None:
    """Write a figure as SVG, for pages, and beside it as PDF, for papers; neither has a date."""
    nothing: dict[str, dict[str, None]] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
    for kind, metadata in nothing.items():
        with replace(Path(figure).with_suffix(f".{kind}")) as temporary:
            drawing.savefig(temporary, dpi=150, metadata=metadata)
    plt.close(drawing)
