import itertools
import json
import os
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis import figures
from doppelgangers.analysis.figures import plot_scores, plot_training
from doppelgangers.encoders.card import Card
from doppelgangers.evaluation.table import collect_scores, make_table

TASKS = ("pitch", "family", "esc50")
THREE_PROBES = [f"vocal_imitation{kind}{i}" for kind in ("", "_mlp", "_hear_linear") for i in range(8)]
RANDOM = ("random_init", "random_init", "", None, "none")
PEER = ("clap", "peer", "", None, "")
# A released encoder keeps the architecture and delta it was made with, and is a horizontal line all the same.
OTHERS = [RANDOM, PEER, ("vggsound", "real", "", None, "jitter"), ("best", "released", "voice", 0.25, "none")]


def synthetic(architecture, delta, augmentation="none"):
    name = f"{architecture}-{delta:g}" + ("" if augmentation == "none" else f"-{augmentation}")
    return name, "synthetic", architecture, delta, augmentation


def write_results(folder, settings, tasks=TASKS, seeds=(0,), folds=5):
    """Cards and table.csv of made-up encoders, scored as those of the paper are."""
    rng = np.random.default_rng(0)
    cards, probes = [], []
    for name, source, architecture, delta, augmentation in settings:
        identity = dict(encoder=name, source=source, architecture=architecture, delta=delta, augmentation=augmentation)
        for seed in seeds if source not in ("released", "peer") else (0,):
            metrics = {}
            if delta is not None:
                align = 1.6 * (1 - np.exp(-8 * delta)) + 0.05 * len(architecture) + rng.normal(0, 0.03)
                metrics = {"align": align, "uniform": -3.85 + 0.4 * abs(delta - 0.1) + rng.normal(0, 0.02)}
            cards.append(folder / f"{name}-{seed}.json")
            content = {**identity, "seed": seed, "pairs": None if source == "peer" else 51200, "metrics": metrics}
            cards[-1].write_text(json.dumps(content))
            for number, task in enumerate(tasks):
                level = 0.2 + 0.07 * number + 0.15 * np.exp(-abs((delta or 1) - 0.1) * 4) + rng.normal(0, 0.02)
                scores = level + rng.normal(0, 0.03, folds)
                row = {"encoder": name, "task": task, "seed": seed, "metric": "accuracy", "epoch": 3, "probe": "linear"}
                probes += [{**row, "fold": fold, "score": score} for fold, score in enumerate(scores, 1)]
    pd.DataFrame(probes).to_csv(folder / "probes.csv", index=False)
    collect_scores(folder / "scores.csv", encoders=cards, probes=[folder / "probes.csv"])
    make_table(folder / "table.csv", scores=folder / "scores.csv", metrics=dict.fromkeys(tasks, "accuracy"))
    return {"table": folder / "table.csv", "encoders": cards}


def write_trainings(folder, settings, seeds=(0,), rows=40, batch_pairs=1280):
    """Cards and histories of made-up trainings, whose folders say nothing of them."""
    rng = np.random.default_rng(0)
    cards, histories = [], []
    for name, source, architecture, delta, augmentation in settings:
        strength, heavy = 0.15 if delta is None else delta, "waveform" in augmentation
        for seed in seeds:
            done = np.arange(1, rows + 1) / rows
            noise = rng.normal(0, 1, (4, rows)).cumsum(1) * 0.01
            shares = {
                "wait_share": 0.4 if heavy else 0.06,
                "frontend_share": 0.11,
                "forward_share": 0.2,
                "backward_share": 0.25,
            }
            history = pd.DataFrame(
                {
                    "step": np.arange(1, rows + 1),
                    "pairs": np.arange(1, rows + 1) * batch_pairs,
                    "align": 0.3 + 1.6 * (1 - np.exp(-7 * strength)) * (1 - np.exp(-done * 20)) + noise[0],
                    "uniform": -3.85 + 0.3 * strength + 3.1 * np.exp(-done * (4 + 6 * strength)) + noise[1],
                    "effective_rank": 20 + 60 * (1 - np.exp(-done * 4)) * (0.5 + 2 * strength) + 50 * noise[2],
                    "dead_share": np.clip(0.03 - 0.1 * strength + 0.3 * noise[3], 0, 1),
                    "pairs_per_s": rng.normal(450 if heavy else 900, 20, rows),
                    **shares,
                }
            )
            place = folder / f"run{len(cards)}"
            place.mkdir()
            cards.append(place / "encoder.json")
            identity = {"architecture": architecture, "delta": delta, "augmentation": augmentation}
            Card(name, source, seed, **identity, pairs=51200).write(cards[-1])
            histories.append(place / "history.csv")
            history.to_csv(histories[-1], index=False)
    return {"encoders": cards, "histories": histories}


@pytest.fixture
def drawing(monkeypatch):
    """Gives the figure that was drawn last."""
    monkeypatch.setattr(plt, "close", lambda _: None)
    yield plt.gcf
    monkeypatch.undo()
    plt.close("all")


def require_room(drawing):
    """See that nothing is cut off, and that nothing lies over anything else."""
    drawing.draw_without_rendering()
    boxes = [artist.get_tightbbox() for artist in [*drawing.axes, *drawing.legends]]
    page = drawing.bbox.padded(1)
    assert all(page.x0 <= box.x0 and page.y0 <= box.y0 and box.x1 <= page.x1 and box.y1 <= page.y1 for box in boxes)
    assert not any(a.padded(-1).overlaps(b) for a, b in itertools.combinations(boxes, 2))


def labels(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_scores_stand_beside_alignment_and_uniformity(tmp_path, drawing):
    made = [synthetic("voice", delta, augmentation) for delta in (0.05, 0.25) for augmentation in ("none", "waveform")]
    plot_scores(tmp_path / "figure.svg", **write_results(tmp_path, [*OTHERS, *made], seeds=(0, 1)))
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")
    assert (tmp_path / "figure.pdf").read_bytes()[:5] == b"%PDF-"
    align, uniform, legend, *scores = drawing().axes
    assert [axis.get_title() for axis in (align, uniform, *scores)] == [*figures.TERMS.values(), *sorted(TASKS)]
    lines = ["voice", "voice, waveform"]
    assert [container.get_label() for container in align.containers] == lines
    assert labels(legend.get_legend()) == [*lines, "random initialisation", "clap", "vggsound", "best"]
    # Of points there are two a line, none for the released encoder though its card has a delta.
    assert all(len(container[0].get_xdata()) == 2 for axis in (align, *scores) for container in axis.containers)
    cards = [json.loads((tmp_path / f"voice-0.25-{seed}.json").read_text())["metrics"]["align"] for seed in (0, 1)]
    np.testing.assert_allclose(align.containers[0][0].get_ydata()[1], np.mean(cards))


@pytest.mark.parametrize("augmentations", [["none"], ["none", "waveform_per_example"]])
@pytest.mark.parametrize(
    "tasks", [TASKS[:1], TASKS, [f"vocal_imitation{i}" for i in range(10)], pytest.param(THREE_PROBES, marks=pytest.mark.slow)]
)
def test_many_encoders_and_tasks_find_room(tmp_path, drawing, tasks, augmentations):
    every = itertools.product(("voice", "voicefm", "parametric"), (0.01, 0.05, 0.1, 0.25, 0.5), augmentations)
    plot_scores(tmp_path / "figure.svg", **write_results(tmp_path, [*OTHERS, *itertools.starmap(synthetic, every)], tasks))
    require_room(drawing())


def test_a_task_may_have_any_name(tmp_path, drawing):
    """What the figure adds to the table's columns has names that no task can have."""
    names = ["align", "label", "legend", "uniform"]
    plot_scores(tmp_path / "figure.svg", **write_results(tmp_path, [RANDOM, synthetic("voice", 0.05)], names))
    _, _, legend, *scores = drawing().axes
    assert [axis.get_title() for axis in scores] == names
    assert labels(legend.get_legend()) == ["voice", "random initialisation"]
    (drawn,) = scores[1].containers[0][0].get_ydata()
    assert drawn == pd.read_csv(tmp_path / "table.csv").label[1]


def test_without_a_training_there_are_only_horizontal_lines(tmp_path, drawing):
    plot_scores(tmp_path / "figure.svg", **write_results(tmp_path, [RANDOM, PEER], folds=1))
    legend, *scores = drawing().axes
    assert labels(legend.get_legend()) == ["random initialisation", "clap"]
    assert [axis.get_title() for axis in scores] == sorted(TASKS)
    require_room(drawing())


def test_a_training_is_drawn_by_what_its_card_says(tmp_path, drawing):
    """Names tell nothing: here they contradict the cards."""
    settings = [
        ("parametric-0.5", "synthetic", "voice", 0.05, "none"),
        ("b", "synthetic", "voicefm", 1e-05, "waveform_per_example"),
        ("voice-0.25", "real", "", None, "jitter"),
    ]
    plot_training(tmp_path / "figure.svg", **write_trainings(tmp_path, settings, seeds=(0, 1)))
    assert (tmp_path / "figure.svg").read_text().startswith("<?xml")
    assert (tmp_path / "figure.pdf").read_bytes()[:5] == b"%PDF-"
    *curves, bars = drawing().axes
    assert [axis.get_title() for axis in curves] == list(figures.CURVES.values())
    assert all(len(axis.lines) == 2 * len(settings) + (axis in curves[:2]) for axis in curves)
    assert labels(drawing().legends[0]) == [
        *("perturbation δ", "1e-05", "0.05"),
        *("architecture", "voice", "voicefm"),
        *("augmentation", "none", "waveform per example"),
        *("recordings", "voice-0.25"),
    ]
    names = [name for name, *_ in settings]
    assert [label.get_text() for label in bars.get_yticklabels()] == names
    assert [text.get_text() for text in bars.texts] == [f"{speed} pairs/s" for speed in mean_speeds(tmp_path, len(names))]
    np.testing.assert_allclose([sum(part[i].get_width() for part in bars.containers) for i in range(3)], 1)
    # Lines of one setting look alike, those of different settings do not.
    looks = [(str(line.get_color()), line.get_linestyle(), line.get_marker()) for line in curves[0].lines[:6]]
    assert looks[::2] == looks[1::2]
    assert len(set(looks)) == 3
    for line, history in zip(curves[0].lines, range(6), strict=False):
        np.testing.assert_array_equal(line.get_ydata(), pd.read_csv(tmp_path / f"run{history}/history.csv")["align"])
    require_room(drawing())


def mean_speeds(folder, encoders):
    """Pairs per second of encoders of two seeds each."""
    speeds = [pd.read_csv(folder / f"run{number}/history.csv").pairs_per_s for number in range(2 * encoders)]
    return [f"{pd.concat(speeds[i : i + 2]).mean():,.0f}" for i in range(0, 2 * encoders, 2)]


def test_a_card_belongs_to_each_history(tmp_path):
    files = write_trainings(tmp_path, [synthetic("voice", 0.05), synthetic("voice", 0.1)])
    with pytest.raises(ValueError, match="shorter"):
        plot_training(tmp_path / "figure.svg", encoders=files["encoders"], histories=files["histories"][:1])


@pytest.mark.parametrize("architectures", [["voice"], ["voice", "voicefm", "parametric"]])
def test_many_trainings_find_room(tmp_path, drawing, architectures):
    settings = itertools.starmap(synthetic, itertools.product(architectures, (0, 0.01, 0.05, 0.1, 0.5)))
    plot_training(tmp_path / "figure.svg", **write_trainings(tmp_path, settings))
    require_room(drawing())


@pytest.mark.parametrize("first", ["", "import matplotlib; "])
@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "TkAgg", "none of these", ""])
def test_figures_need_no_backend_of_the_users(backend, first):
    """Jupyter exports its own, which a `make` in a notebook inherits."""
    if first and backend not in ("TkAgg", ""):
        pytest.skip("matplotlib itself refuses it")
    code = f"{first}from doppelgangers.analysis import figures; figures.plt.figure(); print(figures.plt.get_backend())"
    env = {**os.environ, "MPLBACKEND": backend}
    assert subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout.lower() == "agg\n"
