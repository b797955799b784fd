import json

import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis.distributions import plot_features, plot_uncertainty
from doppelgangers.analysis.feature_units import UNITS
from tests.unit.analysis.drawn import kept, panels, texts  # noqa: F401
from tests.unit.analysis.made_sets import write_features

# A dataset may have a dash in its name too: what a set is, its kind says.
SETS = {
    "voice-0.05": {"kind": "synthetic", "architecture": "voice", "delta": "0.05"},
    "esc-50": {"kind": "dataset", "architecture": "", "delta": ""},
    "recordings-birds": {"kind": "recordings", "architecture": "", "delta": ""},
    "noise": {"kind": "noise", "architecture": "", "delta": ""},
}
LABELS = ["voice δ 0.05", "esc-50", "birds", "white noise"]


@pytest.fixture
def about(tmp_path):
    for name, facts in SETS.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"sounds": name, **facts}))
    return [tmp_path / f"{name}.json" for name in SETS]


def lines(axis):
    """Of each set the ends of its line over nine tenths, and its median."""
    ends = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2 and line.get_linewidth() < 1]
    return [
        [*end, point.get_xdata()[0]] for end, point in zip(ends, (x for x in axis.lines if x.get_marker() == "o"), strict=True)
    ]


def test_a_panel_for_each_feature_has_a_line_for_each_set(about, tmp_path, kept):  # noqa: F811
    values = np.repeat(np.arange(101.0)[:, None], len(UNITS), axis=1)
    values[:, 0] = [np.nan, *range(100)]
    values[:, 1] = np.nan
    files = [write_features(tmp_path / f"{name}.csv", values + 100 * place) for place, name in enumerate(SETS)]
    plot_features(tmp_path / "features.svg", features=files, about=about)
    found = panels(kept[-1])
    assert len(found) == len(UNITS)
    assert texts(found[0]) == ("flux\n(full scale)", "", LABELS)
    assert found[4].get_title() == "flatness"  # without a unit
    assert lines(found[2]) == [[5 + 100 * place, 95 + 100 * place, 50 + 100 * place] for place in range(4)]
    np.testing.assert_allclose(lines(found[0])[0], np.percentile(np.arange(100), [5, 95, 50]))  # the sound without it left out
    assert lines(found[1]) == []


def test_the_same_values_give_the_same_bytes(about, tmp_path):
    files = [write_features(tmp_path / f"{name}.csv", np.random.default_rng(0).normal(size=(9, len(UNITS)))) for name in SETS]
    for name in "ab":
        plot_features(tmp_path / f"{name}.svg", features=files, about=about)
    for kind in ("svg", "pdf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_every_tagger_is_a_row_and_every_definition_a_column(about, tmp_path, kept):  # noqa: F811
    rows = [
        {"tagger": tagger, "definition": definition, "sounds": name, "sound": sound, "value": 0.1 * sound}
        for tagger, definitions in {"aisfx": ["entropy", "binary_entropy"], "mn04": ["entropy"]}.items()
        for definition in definitions
        for name in SETS
        for sound in range(5)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "values.csv", index=False)
    plot_uncertainty(tmp_path / "uncertainty.svg", values=tmp_path / "values.csv", about=about)
    found = panels(kept[-1])
    assert [axis.get_title() for axis in found] == ["aisfx: entropy", "aisfx: binary entropy", "mn04: entropy"]
    assert texts(found[2])[1:] == ("uncertainty, 0: certain", LABELS)
    assert all(axis.get_xlim()[0] == 0 for axis in found)
    assert [line[2] for line in lines(found[0])] == [0.2] * 4
