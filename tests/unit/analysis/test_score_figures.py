import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis.score_figures import VERDICTS, plot_comparisons, plot_confusions, plot_snapshots
from tests.unit.analysis.drawn import kept, panels  # noqa: F401

ROWS = [
    ("family", "a", "random_init", -1.0, -2.0, -0.5, "worse"),
    ("family", "b", "random_init", 0.5, -1.0, 2.0, "undecided"),
    ("pitch", "a", "random_init", 3.0, 1.0, 5.0, "better"),
    ("pitch", "b", "random_init", 4.0, None, None, "undecided"),
]
COLUMNS = ["task", "encoder", "against", "difference", "low", "high", "verdict"]


def test_differences_have_their_intervals_and_verdicts(tmp_path, kept):  # noqa: F811
    pd.DataFrame(ROWS, columns=COLUMNS).to_csv(tmp_path / "comparisons.csv", index=False)
    plot_comparisons(tmp_path / "comparisons.svg", comparisons=tmp_path / "comparisons.csv")
    family, pitch = panels(kept[-1])
    assert (family.get_title(), family.get_xlabel()) == ("family", "points over random_init")
    assert [label.get_text() for label in family.get_yticklabels()] == ["a", "b"]
    bars = [(list(line.get_xdata()), line.get_color()) for line in family.lines if len(line.get_xdata()) == 2][1:]
    assert bars == [([-2.0, -0.5], VERDICTS["worse"]), ([-1.0, 2.0], VERDICTS["undecided"])]
    points = {line.get_xdata()[0]: line for line in pitch.lines if len(line.get_xdata()) == 1}
    assert points[3.0].get_markerfacecolor() == VERDICTS["better"]
    assert (points[4.0].get_marker(), points[4.0].get_markerfacecolor()) == ("D", "white")  # no interval
    assert [line.get_xdata()[1] for line in pitch.lines if len(line.get_xdata()) == 2] == [0, 5.0]


def test_nothing_to_compare_is_said(tmp_path, kept):  # noqa: F811
    pd.DataFrame([], columns=COLUMNS).to_csv(tmp_path / "comparisons.csv", index=False)
    plot_comparisons(tmp_path / "comparisons.svg", comparisons=tmp_path / "comparisons.csv")
    assert panels(kept[-1]) == []
    assert "no encoder" in kept[-1].texts[0].get_text()


@pytest.mark.parametrize(("classes", "named"), [(12, True), (60, False)])
def test_rows_of_confusions_sum_to_the_whole(tmp_path, kept, classes, named):  # noqa: F811
    """Class n is taken for n + 1 in one of four clips, in either fold; the first one is never recognised."""
    labels = [str(label) for label in range(classes)]
    rows = [
        (0, fold, truth, predicted, clips)
        for fold in (1, 2)
        for truth, following in zip(labels, [*labels[1:], "0"], strict=True)
        for predicted, clips in ((truth, 3), (following, 1))
        if (truth, predicted) != ("0", "0")
    ]
    pd.DataFrame(rows, columns=["seed", "fold", "truth", "predicted", "clips"]).to_csv(tmp_path / "a.csv", index=False)
    plot_confusions(tmp_path / "c.svg", task="pitch", confusions={"a": tmp_path / "a.csv", "b": tmp_path / "a.csv"})
    first, second = panels(kept[-1])
    assert (first.get_title(), second.get_title()) == ("a", "b")
    shares = np.asarray(first.images[0].get_array())
    assert shares.shape == (classes, classes)
    assert shares.sum(axis=1) == pytest.approx([100] * classes)
    assert (shares[0, 0], shares[0, 1]) == (0, 100)
    assert (shares[2, 2], shares[2, 3]) == (75, 25)  # in the order of numbers, not of texts
    assert [label.get_text() for label in first.get_yticklabels()] == (labels if named else [])


def test_scores_by_pairs_have_a_line_for_each_training(tmp_path, kept):  # noqa: F811
    """Of a and b there are snapshots, of c none; b's last score is unknown to be better or worse."""
    table = [
        ("random_init", "random_init", 0),
        *(("a-after-100", "snapshot", 100), ("a-after-1000", "snapshot", 1000), ("a", "synthetic", 5000)),
        *(("b-after-100", "snapshot", 100), ("b-after-1000", "snapshot", 1000), ("b", "synthetic", 5000)),
        ("c", "synthetic", 5000),
    ]
    pd.DataFrame(table, columns=["encoder", "source", "pairs"]).to_csv(tmp_path / "table.csv", index=False)
    rows = [
        ("family", name, "random_init", place, place - 1, place + 2, "undecided")
        for place, (name, source, _) in enumerate(table)
        if source != "random_init"
    ]
    pd.DataFrame(rows[::-1], columns=COLUMNS).to_csv(tmp_path / "comparisons.csv", index=False)
    files = {"comparisons": tmp_path / "comparisons.csv", "table": tmp_path / "table.csv"}
    plot_snapshots(tmp_path / "snapshots.svg", **files)
    (family,) = panels(kept[-1])
    assert (family.get_title(), family.get_ylabel(), family.get_xscale()) == ("family", "points over random_init", "log")
    lines = {line.get_label(): line.get_xydata() for line in family.lines if not line.get_label().startswith("_")}
    assert {name: points[:, 1].tolist() for name, points in lines.items()} == {"a": [1, 2, 3], "b": [4, 5, 6]}
    for points in lines.values():
        assert points[:, 0] == pytest.approx([100, 1000, 5000], rel=0.05)
    assert [label.get_text() for label in family.get_xticklabels()] == ["100", "1k", "5k"]
    intervals = [[path.vertices[:, 1].tolist() for path in bars.get_paths()] for bars in family.collections]
    assert intervals == [[[0, 3], [1, 4], [2, 5]], [[3, 6], [4, 7], [5, 8]]]

    pd.DataFrame([], columns=COLUMNS).to_csv(tmp_path / "comparisons.csv", index=False)
    plot_snapshots(tmp_path / "snapshots.svg", **files)
    assert "no encoder" in kept[-1].texts[0].get_text()
