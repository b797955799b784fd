"""Stages: figures of the sounds themselves, of the similarity of pairs, and a map of all sets."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from doppelgangers.analysis.distributions import colours_of, label_of
from doppelgangers.analysis.sounds import read_set
from doppelgangers.analysis.style import COLOURS, COLUMN_IN, SMALL, STYLES, assign, save
from doppelgangers.encoders.frontend import RATE_HZ

WINDOW, HOP = 512, 128  # samples, of a spectrogram
FLOOR_DB = -70
DRAWN = 150  # sounds of a set, on the map
PAIR = 1  # whose spectrograms are shown


def spectrogram_db(sound: np.ndarray) -> np.ndarray:
    """Magnitude of the short-time Fourier transform (Hann, 512 samples by 128) in dB under its largest: (257, frames)."""
    padded = np.pad(sound, (0, max(0, WINDOW - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * np.hanning(WINDOW)
    magnitude = np.abs(np.fft.rfft(frames)).T
    return 20 * np.log10(np.maximum(magnitude / max(magnitude.max(), 1e-9), 10 ** (FLOOR_DB / 20)))


def plot_spectrograms(figure: Path, *, folders: list[Path]) -> None:
    """Draw spectrograms of both views of a pair at each delta: the same parameters, perturbed more and more.

    Args:
        figure: .svg to write, with a .pdf beside it.
        folders: sets of pairs of one architecture, by delta.
    """
    with plt.rc_context(SMALL):
        size = COLUMN_IN, 0.74 * len(folders) + 0.5
        drawing, axes = plt.subplots(len(folders), 2, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained")
        for row, folder in zip(axes, folders, strict=True):
            sounds, _, about = read_set(folder)
            for axis, sound in zip(row, sounds[2 * PAIR : 2 * PAIR + 2], strict=True):
                extent = (0, len(sound) / RATE_HZ, 0, RATE_HZ / 2000)
                image = axis.imshow(
                    spectrogram_db(sound), origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=FLOOR_DB, vmax=0
                )
            row[0].set_ylabel(f"δ = {about['delta']}\nkHz")
        for axis, title in zip(axes[0], ("view a", "view b"), strict=True):
            axis.set_title(title)
        for axis in axes[-1]:
            axis.set_xlabel("time (s)")
        drawing.colorbar(image, ax=axes, label="dB under the peak", aspect=40, pad=0.02)
        save(drawing, figure)


def plot_similarity(figure: Path, *, similarity: Path) -> None:
    """Draw the similarity of the two views of a pair against delta, with intervals of 95 percent.

    Args:
        figure: .svg to write, with a .pdf beside it.
        similarity: similarity.csv.
    """
    rows = pd.read_csv(similarity)
    deltas = sorted(rows.delta.unique())
    colours, styles = assign(rows.tagger, COLOURS), assign(rows.architecture, STYLES)
    with plt.rc_context(SMALL):
        drawing, axes = plt.subplots(1, 2, figsize=(COLUMN_IN, 2.2), layout="constrained")
        for axis, column, title in zip(axes, ("centred", "cosine"), ("centred", "plain"), strict=True):
            for (tagger, architecture), part in rows.groupby(["tagger", "architecture"], sort=False):
                part = part.sort_values("delta")
                bars = [part[column] - part[f"{column}_low"], part[f"{column}_high"] - part[column]]
                axis.errorbar(
                    part.delta.map(deltas.index),
                    part[column],
                    np.maximum(bars, 0),
                    color=colours[tagger],
                    linestyle=styles[architecture],
                    marker="o",
                    markersize=3,
                    linewidth=1.1,
                    capsize=2,
                    label=f"{tagger}, {architecture}",
                )
            axis.set_xticks(range(len(deltas)), [f"{delta:g}" for delta in deltas])
            axis.set_xlabel("perturbation δ")
            axis.set_title(f"cosine, {title}")
            axis.set_ylim(min(0, axis.get_ylim()[0]), 1.03)
            axis.spines[["top", "right"]].set_visible(False)
        axes[0].set_ylabel("similarity of both views")
        axes[0].legend(frameon=False, fontsize=7)
        save(drawing, figure)


def plot_embeddings(figure: Path, *, tags: dict[str, Path]) -> None:
    """Draw the first two principal components of a tagger's embeddings of all sets: of pairs, one view.

    Args:
        figure: .svg to write, with a .pdf beside it.
        tags: set -> npz of `tag_sounds`, whose rows are both views of pairs, one after the other.
    """
    parts = {}
    for name, path in tags.items():
        both = "-" in name and not name.startswith("recordings-")
        with np.load(path) as found:
            parts[name] = found["embedding"][:: 2 if both else 1][:DRAWN]
    model = PCA(2, svd_solver="full").fit(np.concatenate(list(parts.values())))
    colours, shares = colours_of(list(parts)), model.explained_variance_ratio_
    with plt.rc_context(SMALL):
        drawing, axis = plt.subplots(figsize=(COLUMN_IN, 3.1), layout="constrained")
        for name, rows in parts.items():
            marker = "x" if name == "noise" else "o" if "-" in name and not name.startswith("recordings-") else "^"
            look = {"s": 9, "marker": marker, "linewidths": 0.5 if marker == "x" else 0, "alpha": 0.75}
            axis.scatter(*model.transform(rows).T, color=colours[name], label=label_of(name), **look)
        axis.set_xlabel(f"first component ({shares[0]:.0%} of the variance)")
        axis.set_ylabel(f"second ({shares[1]:.0%})")
        axis.spines[["top", "right"]].set_visible(False)
        drawing.legend(loc="outside right upper", frameon=False, fontsize=7, handletextpad=0.1)
        save(drawing, figure)
