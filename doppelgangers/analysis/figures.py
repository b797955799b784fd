"""Stages: the figures of scores and of trainings."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, PercentFormatter

from doppelgangers.analysis.style import COLOURS, GREY, LEGEND_LOOK, MARKERS, STYLES, WARM, assign, finish, save
from doppelgangers.encoders.card import Card, read_card

REFERENCES = {"real": (0, (7, 2)), "released": (0, (1, 1.2)), "peer": (0, (5, 1.5, 1, 1.5))}
# Metrics of the cards, whose names have a dot, which no task has in its name.
TERMS = {"metrics.align": "alignment (lower: views nearer)", "metrics.uniform": "uniformity (lower: more even)"}
LEGEND, LABEL = "metrics.legend", "metrics.label"
SHORT_LEGEND = 12  # entries that fit beside two panels

CURVES = {
    "align": TERMS["metrics.align"],
    "uniform": TERMS["metrics.uniform"],
    "effective_rank": "effective rank",
    "dead_share": "dead dimensions",
}
GUIDES = {"align": (2.0, "unrelated views"), "uniform": (0.0, "collapse")}
PARTS = {
    "wait_share": "waiting for sounds",
    "frontend_share": "front-end",
    "forward_share": "forward",
    "backward_share": "backward",
    "rest": "rest",
}
PART_COLOURS = ("#e69f00", "#56b4e9", "#0072b2", "#009e73", "0.8")


def plot_scores(figure: Path, *, table: Path, encoders: list[Path]) -> None:
    """Draw alignment, uniformity and every task's score against delta.

    A line per architecture and augmentation; the scores stand beside random initialisation and, as horizontal lines, the
    encoders that are trained on recordings, released, or others'.

    Args:
        figure: .svg to write, with a .pdf beside it.
        table: table.csv.
        encoders: encoder.json of every encoder setting and seed; alignment and uniformity are means over seeds.
    """
    rows = pd.read_csv(table, keep_default_na=False, na_values=[""])
    tasks = list(rows.columns[7::2])
    cards = [read_card(path) for path in encoders]
    found = [{"encoder": c.encoder, **{term: c.metrics.get(term.partition(".")[2], np.nan) for term in TERMS}} for c in cards]
    rows = rows.join(pd.DataFrame(found).groupby("encoder").mean(), on="encoder")
    rows[LABEL] = [label_of(row) for _, row in rows.iterrows()]
    terms = list(TERMS) if "synthetic" in set(rows.source) else []

    least = 2 if not terms else 3 if rows[LABEL].nunique() <= SHORT_LEGEND else 4
    columns = max(least, -(-len(tasks) // -(-len(tasks) // 4)))
    padded = [*tasks, *["."] * (-len(tasks) % columns)]
    grid = [[*terms, *[LEGEND] * (columns - len(terms))], *np.reshape(padded, (-1, columns)).tolist()]
    heights = [1 if terms else 0.4, *[1] * (len(grid) - 1)]
    size = 3.1 * columns, 2.7 * sum(heights) + 0.3
    drawing, axes = plt.subplot_mosaic(grid, height_ratios=heights, figsize=size, layout="constrained")
    for column in [*terms, *tasks]:
        draw_by_delta(axes[column], rows[rows.source == "synthetic"], column)
        if column in tasks:
            draw_references(axes[column], rows, column)
        finish(axes[column], TERMS.get(column, column))
    for task in tasks[::columns]:
        axes[task].set_ylabel("score (%)")
    if terms:
        drawing.supxlabel("perturbation δ", fontsize="medium")
    axes[LEGEND].set_axis_off()
    axes[LEGEND].legend(
        handles=[*axes[tasks[0]].containers, *(line for line in axes[tasks[0]].lines if line.get_label()[0] != "_")],
        loc="center",
        ncols=columns - len(terms),
        title="bars and band: ± std over folds and seeds",
        **LEGEND_LOOK,
    )
    save(drawing, figure)


def label_of(row: pd.Series) -> str:
    """What the legend calls a row of the table: encoders that differ in delta only are one line."""
    if row.source == "synthetic":
        return row.architecture if row.augmentation == "none" else f"{row.architecture}, {row.augmentation.replace('_', ' ')}"
    return "random initialisation" if row.source == "random_init" else row.encoder


def draw_by_delta(axis: plt.Axes, made: pd.DataFrame, column: str) -> None:
    """Draw a column of the table against delta, a line per architecture and augmentation, with the deviation if it has one."""
    deltas = sorted(made.delta.unique())
    colours = assign(sorted(made.architecture), COLOURS)
    marks = assign(sorted(made.augmentation), zip(STYLES, MARKERS, strict=True))
    groups = made.groupby(["architecture", "augmentation"])
    for i, ((architecture, augmentation), group) in enumerate(groups):
        style, marker = marks[augmentation]
        # Side by side, so that bars of one delta do not hide each other.
        aside = min(0.09, 0.5 / len(groups)) * (i - (len(groups) - 1) / 2)
        axis.errorbar(
            group.delta.map(deltas.index) + aside,
            group[column],
            group[f"{column}_std"].fillna(0) if f"{column}_std" in group else None,
            color=colours[architecture],
            linestyle=style,
            marker=marker,
            markersize=5,
            capsize=2,
            elinewidth=1,
            label=group[LABEL].iloc[0],
        )
    axis.set_xticks(range(len(deltas)), [f"{delta:g}" for delta in deltas])
    axis.set_xlim(-0.5, max(len(deltas), 1) - 0.5)


def draw_references(axis: plt.Axes, rows: pd.DataFrame, task: str) -> None:
    """Draw the scores of encoders without a delta of their own, or not trained here, as horizontal lines."""
    for _, row in rows[rows.source == "random_init"].iterrows():
        axis.axhline(row[task], color=GREY, linestyle="--", label=row[LABEL])
        if pd.notna(deviation := row[f"{task}_std"]):
            axis.axhspan(row[task] - deviation, row[task] + deviation, color="0.92", zorder=0)
    others = rows[rows.source.isin(REFERENCES)]
    colours = assign(others.encoder, reversed(COLOURS[3:]))
    for _, row in others.iterrows():
        axis.axhline(row[task], color=colours[row.encoder], linestyle=REFERENCES[row.source], label=row[LABEL])


def plot_training(figure: Path, *, encoders: list[Path], histories: list[Path]) -> None:
    """Draw how the trainings went, a line per encoder and seed, and where their time went, a bar per encoder.

    Args:
        figure: .svg to write, with a .pdf beside it.
        encoders: encoder.json of every trained encoder setting and seed.
        histories: history.csv of each of them, in the same order.
    """
    cards = [read_card(path) for path in encoders]
    runs = [(card.encoder, pd.read_csv(path)) for card, path in zip(cards, histories, strict=True)]
    looks, legend = training_looks(cards)
    bars = 0.24 * len(looks) + 0.7
    size = 8.4 + 0.08 * max(map(len, looks)), 5.4 + bars  # the names stand left of the bars
    panels: list = [["align", "uniform"], ["effective_rank", "dead_share"], ["time", "time"]]
    drawing, axes = plt.subplot_mosaic(panels, height_ratios=[2.5, 2.5, bars], figsize=size, layout="constrained")
    for column, title in CURVES.items():
        axis = axes[column]
        for name, rows in runs:
            axis.plot(rows.pairs, rows[column], **looks[name], linewidth=1.4, markersize=4, markevery=max(1, len(rows) // 8))
        if column in GUIDES:
            value, meaning = GUIDES[column]
            axis.axhline(value, color=GREY, linestyle=":", linewidth=1, zorder=0)
            left = axis.get_yaxis_transform()  # where no training is near it
            axis.annotate(meaning, (0, value), (4, 2), left, "offset points", color=GREY, fontsize="small")
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        finish(axis, title)
    axes["align"].set_ylim(-0.05, max(2.25, axes["align"].get_ylim()[1]))  # room for the guide and its words
    top = max(0.05, axes["dead_share"].get_ylim()[1])
    axes["dead_share"].set_ylim(-top / 30, top)  # most are 0, which is to be seen
    axes["dead_share"].yaxis.set_major_formatter(PercentFormatter(1))
    for column in panels[1]:
        axes[column].set_xlabel("pairs seen")
    beside = drawing.legend(handles=legend, loc="outside right upper", **LEGEND_LOOK)
    for handle, text in zip(legend, beside.get_texts(), strict=True):
        text.set_fontweight("bold" if handle.get_linestyle() == "None" else "normal")
    draw_time(axes["time"], pd.concat([rows.assign(encoder=name) for name, rows in runs]))
    save(drawing, figure)


def training_looks(cards: list[Card]) -> tuple[dict[str, dict], list[Line2D]]:
    """How the line of each encoder looks, and the legend.

    Delta makes the colour, architecture the line, augmentation the marker: the legend needs an entry for each of those, not
    for each encoder.
    """
    made = {card.encoder: card for card in cards if card.source == "synthetic"}
    deltas = sorted({card.delta for card in made.values() if card.delta is not None})
    colours = assign(deltas, plt.colormaps["viridis"](np.linspace(0, 0.82, len(deltas))))
    styles = assign(sorted(card.architecture for card in made.values()), STYLES)
    augmentations = sorted({card.augmentation for card in made.values()}, key=lambda name: (name != "none", name))
    markers = assign(["none", *augmentations], ("", *MARKERS[1:]))
    looks = {
        name: {"color": colours[card.delta], "linestyle": styles[card.architecture], "marker": markers[card.augmentation]}
        for name, card in made.items()
    }
    recordings = [card.encoder for card in cards if card.encoder not in made]
    recorded = {name: {"color": colour} for name, colour in assign(recordings, WARM).items()}
    sections = {
        "perturbation δ": {f"{delta:g}": {"color": colour, "linewidth": 4} for delta, colour in colours.items()},
        "architecture": {name: {"color": GREY, "linestyle": style} for name, style in styles.items()},
        "augmentation": {
            name.replace("_", " "): {"color": GREY, "marker": markers[name], "markersize": 4}
            for name in (augmentations if set(augmentations) - {"none"} else [])
        },
        "recordings": recorded,
    }
    legend = []
    for title, entries in sections.items():
        if entries:
            legend.append(Line2D([], [], linestyle="", label=title))
            legend += [Line2D([], [], **look, label=label) for label, look in entries.items()]
    return looks | recorded, legend


def draw_time(axis: plt.Axes, rows: pd.DataFrame) -> None:
    """Draw a bar per encoder: the mean shares of its time, and the pairs per second."""
    rows = rows.assign(rest=(1 - rows[list(PARTS)[:-1]].sum(axis=1)).clip(lower=0))
    means = rows.groupby("encoder", sort=False)[[*PARTS, "pairs_per_s"]].mean()
    left = np.zeros(len(means))
    for (part, label), colour in zip(PARTS.items(), PART_COLOURS, strict=True):
        axis.barh(means.index, means[part], left=left, height=0.75, color=colour, label=label)
        left += means[part].to_numpy()
    for i, speed in enumerate(means.pairs_per_s):
        axis.text(1.006, i, f"{speed:,.0f} pairs/s", va="center", fontsize="small")
    axis.set_xlim(0, 1)
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0, labelsize="small")
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.set_xlabel("share of the time")
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(PARTS), frameon=False, fontsize="small")
