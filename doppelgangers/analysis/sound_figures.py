"""Stages: figures of the sounds themselves, of the similarity of the views of pairs, and maps of all sets."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from doppelgangers.analysis.sounds import read_set
from doppelgangers.analysis.style import (
    COLOURS,
    COLUMN_IN,
    PAGE_IN,
    SMALL,
    STYLES,
    assign,
    colours_of,
    label_of,
    read_about,
    save,
)
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError

WINDOW, HOP = 512, 128  # samples, of a spectrogram
FLOOR_DB = -70
DRAWN = 150  # sounds of a set, on a map
MAPS_ACROSS = 2


def plot_spectrograms(figure: Path, *, folders: list[Path]) -> None:
    """Draw both views of a pair at each delta, the first pair that is audible at all of them.

    Args:
        figure: .svg to write, with a .pdf beside it.
        folders: sets of pairs of one architecture, by delta.

    Raises:
        UserError: when no pair is in all sets.
    """
    sets = [read_set(folder) for folder in folders]
    clips = [dict.fromkeys(table["clip"]) for _, table, _ in sets]
    common = [clip for clip in clips[0] if all(clip in others for others in clips)]
    if not common:
        raise UserError(f"no pair is audible in all of {', '.join(map(str, folders))}: raise analysis.sounds")
    with plt.rc_context(SMALL):
        size = PAGE_IN, 3.1
        drawing, axes = plt.subplots(2, len(sets), figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained")
        for column, (sounds, table, about) in zip(axes.T, sets, strict=True):
            for axis, sound in zip(column, sounds[(table["clip"] == common[0]).to_numpy()], strict=True):
                extent = (0, len(sound) / RATE_HZ, 0, RATE_HZ / 2000)
                levels = spectrogram_db(sound)
                image = axis.imshow(levels, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=FLOOR_DB, vmax=0)
            column[0].set_title(f"δ = {about['delta']}")
            column[1].set_xlabel("time (s)")
        for row, view in zip(axes, ("a", "b"), strict=True):
            row[0].set_ylabel(f"view {view}\nfrequency (kHz)")
        drawing.colorbar(image, ax=axes, label="level (dB under the peak)", aspect=30, pad=0.01)
        save(drawing, figure)


def spectrogram_db(sound: np.ndarray) -> np.ndarray:
    """Magnitude of the short-time Fourier transform (Hann, 512 samples by 128) in dB under its largest: (257, frames)."""
    padded = np.pad(sound, (0, max(0, WINDOW - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    magnitude = np.abs(np.fft.rfft(frames)).T
    return 20 * np.log10(np.maximum(magnitude / max(magnitude.max(), 1e-9), 10 ** (FLOOR_DB / 20)))


def plot_similarity(figure: Path, *, similarity: Path) -> None:
    """Draw the similarity of the two views of a pair by delta, with intervals of 95 percent.

    Args:
        figure: .svg to write, with a .pdf beside it.
        similarity: similarity.csv.
    """
    rows = pd.read_csv(similarity)
    deltas = sorted(rows["delta"].unique())
    colours, styles = assign(rows["tagger"], COLOURS), assign(rows["architecture"], STYLES)
    with plt.rc_context(SMALL):
        drawing, axes = plt.subplots(1, 2, figsize=(COLUMN_IN, 2.2), sharey=True, layout="constrained")
        for axis, column, title in zip(axes, ("centred", "cosine"), ("centred", "plain"), strict=True):
            for (tagger, architecture), part in rows.groupby(["tagger", "architecture"], sort=False):
                part = part.sort_values("delta")
                bars = np.maximum([part[column] - part[f"{column}_low"], part[f"{column}_high"] - part[column]], 0)
                look = {"color": colours[tagger], "linestyle": styles[architecture], "linewidth": 1.1}
                marks = {"marker": "o", "markersize": 3, "capsize": 2, "label": f"{tagger}, {architecture}"}
                axis.errorbar(part["delta"], part[column], bars, **look, **marks)
            # True to the size of delta: logarithmic, and from the least one down to a delta of 0 linear.
            axis.set_xscale("symlog", linthresh=min((delta for delta in deltas if delta), default=1))
            axis.set_xticks(deltas, [f"{delta:g}" for delta in deltas])
            axis.minorticks_off()
            axis.set_xlabel("perturbation δ")
            axis.set_title(f"cosine, {title}")
        axes[0].set_ylim(min(0, axes[0].get_ylim()[0]), 1.03)
        axes[0].set_ylabel("similarity of both views")
        axes[0].legend(frameon=False, fontsize=7)
        save(drawing, figure)


def plot_embeddings(figure: Path, *, embeddings: dict[str, list[Path]], about: list[Path]) -> None:
    """Draw a map of all sets in each embedding: its first two principal components.

    Args:
        figure: .svg to write, with a .pdf beside it.
        embeddings: name -> for each set the .npz of `tag_sounds`, or the .npy of `embed_sounds`; of pairs, both views follow
            each other, and the first is drawn.
        about: sounds.json of each set, in the same order.
    """
    sets = read_about(about)
    colours, across = colours_of(sets), min(MAPS_ACROSS, len(embeddings))
    down = -(-len(embeddings) // across)
    with plt.rc_context(SMALL):
        size = 2.9 * across + 1.3, 2.7 * down
        drawing, axes = plt.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
        for axis, (embedding, files) in zip(axes.flat, embeddings.items(), strict=False):
            parts = {name: read_points(path, sets[name]["kind"])[:DRAWN] for name, path in zip(sets, files, strict=True)}
            model = PCA(2, svd_solver="full").fit(np.concatenate(list(parts.values())))
            for name, points in parts.items():
                marker = {"synthetic": "o", "noise": "x"}.get(sets[name]["kind"], "^")
                x, y = model.transform(points).T
                width = 0.5 if marker == "x" else 0
                axis.scatter(
                    x, y, s=9, marker=marker, linewidths=width, alpha=0.75, color=colours[name], label=label_of(sets[name])
                )
            first, second = model.explained_variance_ratio_
            axis.set_title(embedding)
            axis.set_xlabel(f"first component ({first:.0%} of the variance)")
            axis.set_ylabel(f"second ({second:.0%})")
        for axis in axes.flat[len(embeddings) :]:
            axis.set_visible(False)
        handles, labels = axes.flat[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=7, handletextpad=0.1)
        save(drawing, figure)


def read_points(path: Path, kind: str) -> np.ndarray:
    """Embeddings of a set (N, D), of pairs those of the first views."""
    if Path(path).suffix == ".npz":
        with np.load(path) as arrays:
            points = arrays["embedding"]
    else:
        points = np.load(path)
    return points[:: 2 if kind == "synthetic" else 1].astype(np.float64)
