"""The stage that measures features, with Essentia in processes of its own."""

import logging

import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis.feature_units import UNITS
from doppelgangers.analysis.features import measure_features
from doppelgangers.errors import UserError
from tests.unit.analysis.made_sets import write_set

RATE = 16000


@pytest.fixture
def sounds(tmp_path):
    rng, time = np.random.default_rng(0), np.arange(RATE) / RATE
    made = [np.sin(2 * np.pi * hz * time) for hz in (110, 440, 1000)]
    made += [rng.uniform(-1, 1, RATE), np.zeros(RATE), np.eye(1, RATE, 5000)[0], np.clip(9 * made[0], -1, 1)]
    write_set(tmp_path / "made", "made", "dataset", made)
    return tmp_path / "made/sounds.npy"


def test_the_number_of_processes_changes_no_bit(tmp_path, sounds):
    tables = [tmp_path / f"{processes}.csv" for processes in (1, 3, 50)]
    for path, processes in zip(tables, (1, 3, 50), strict=True):
        measure_features(path, sounds=sounds, processes=processes)
    assert {path.read_bytes() for path in tables} == {tables[0].read_bytes()}
    measure_features(tables[1], sounds=sounds, processes=2)
    assert tables[1].read_bytes() == tables[0].read_bytes()


def test_a_sound_without_a_feature_has_an_empty_cell_and_is_counted(tmp_path, sounds, caplog):
    with caplog.at_level(logging.INFO):
        measure_features(tmp_path / "features.csv", sounds=sounds)
    table = pd.read_csv(tmp_path / "features.csv")
    assert list(table) == ["sound", *UNITS]
    assert table["sound"].tolist() == list(range(7))
    assert table.loc[4, list(UNITS)].isna().all()
    assert table["centroid"].notna().sum() == 6
    assert table["centroid"][2] == pytest.approx(1000, abs=1)
    # Noise, silence and the click have no pitch.
    assert table.index[table["inharmonicity"].isna()].tolist() == [3, 4, 5]
    assert "7 sounds" in caplog.text
    assert "centroid (1)" in caplog.text
    assert "inharmonicity (3)" in caplog.text


def test_a_process_that_fails_is_an_error_that_says_which_sounds(tmp_path, sounds, monkeypatch):
    monkeypatch.setattr("doppelgangers.analysis.features.PROGRAM", "doppelgangers.no_such_program")
    with pytest.raises(UserError, match=r"sounds\.npy, rows 0 to 6: .*No module named"):
        measure_features(tmp_path / "features.csv", sounds=sounds)
    assert not (tmp_path / "features.csv").exists()
