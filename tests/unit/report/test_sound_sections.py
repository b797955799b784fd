import json

import numpy as np
import pandas as pd
import pytest

from doppelgangers.report import sound_sections
from tests.unit.analysis.made_sets import write_set

SECOND = np.sin(np.arange(16_000) / 10)


@pytest.fixture
def folders(tmp_path):
    """Pairs 000 and 001 at the first delta; at the second, the first pair was silent and is not there. And a dataset."""
    for name, delta, clips in (("voice-0.1", "0.1", ["000", "001"]), ("voice-0.5", "0.5", ["001"])):
        table = write_set(tmp_path / name, name, "synthetic", [SECOND] * 2 * len(clips))
        rows = pd.read_csv(table).assign(clip=np.repeat(clips, 2))
        rows.to_csv(table, index=False)
        about = {"sounds": name, "kind": "synthetic", "architecture": "voice", "delta": delta}
        (tmp_path / name / "sounds.json").write_text(json.dumps(about))
    write_set(tmp_path / "notes", "notes", "dataset", [SECOND, -SECOND])
    return [tmp_path / name for name in ("voice-0.1", "voice-0.5", "notes")]


def test_pairs_that_all_deltas_have_can_be_heard(folders):
    (grid,) = sound_sections.listen(folders)
    assert grid.columns == ["δ = 0.1", "δ = 0.5"]
    ((name, players),) = grid.rows
    assert name == "pair 001"
    assert [[label for label, _ in column] for column in players] == [["a", "b"]] * 2
    assert all(uri.startswith("data:audio/mpeg") for column in players for _, uri in column)


def test_the_farthest_sounds_of_either_set_can_be_heard(folders):
    rows = [
        ("voice-0.1", "notes", 2, "voice-0.1", 9.0),
        ("voice-0.1", "notes", 1, "notes", 8.0),
        ("notes", "notes", 0, "notes", 1.0),
    ]
    (grid,) = sound_sections.extremes(pd.DataFrame(rows, columns=["sounds", "against", "sound", "of", "distance"]), folders)
    assert [(name, [len(column) for column in players]) for name, players in grid.rows] == [("voice-0.1 and notes", [1, 1])]


def test_features_that_differ_most_come_first():
    columns = ["feature", "unit", "sounds", "against", "median", "median_against", "cliff", "low", "high"]
    rows = [
        (f"f{i}", "Hz", "voice-0.1", "notes", 1234.5, 2.0, cliff, cliff - 0.1, cliff + 0.1)
        for i, cliff in enumerate([0.1, -0.8, 0.5])
    ]
    rows.append(("f9", "Hz", "voice-0.5", "notes", 1, 1, 1.0, 1.0, 1.0))
    reached = dict(sounds="voice-0.1", against="notes", coverage=0.3, coverage_low=0.2, coverage_high=0.4, count=100)
    back = dict(coverage_back=np.nan, coverage_back_low=np.nan, coverage_back_high=np.nan)
    table, coverage = sound_sections.features(
        pd.DataFrame(rows, columns=columns), pd.DataFrame([{**reached, **back}]), "voice-0.1"
    )
    assert [line[0].text for line in table.rows] == ["f1", "f2", "f0"]
    assert [cell.text for cell in table.rows[0]] == ["f1", "Hz", "1,234", "2", "-0.80 (-0.90 to -0.70)"]
    assert [cell.text for cell in coverage.rows[0]] == ["voice-0.1", "notes", "0.30 (0.20 to 0.40)", "", "100"]


def test_each_tagger_and_definition_has_a_column():
    rows = [("aisfx", "top", "a", 0.1), ("aisfx", "entropy", "a", 0.2), ("mn04", "top", "b", 0.3)]
    table = pd.DataFrame(rows, columns=["tagger", "definition", "sounds", "mean"]).assign(low=0.0, high=1.0)
    differences = table.assign(against="notes", cliff=0.5)
    means, cliff = sound_sections.uncertainty(table, differences)
    assert means.columns == ["sounds", "aisfx, top", "aisfx, entropy", "mn04, top"]
    assert [cell.text for cell in means.rows[1]] == ["b", "", "", "0.30 (0.00 to 1.00)"]
    assert [cell.text for cell in cliff.rows[0][:2]] == ["a", "notes"]


def test_distances_have_their_draws():
    row = dict(
        embedding="aisfx", sounds="a", against="b", fad=12.34, fad_low=11, fad_high=13, kad=-0.01, kad_low=-0.2, kad_high=0.3
    )
    (line,) = sound_sections.distances(pd.DataFrame([row])).rows
    assert [cell.text for cell in line] == ["aisfx", "a", "b", "12.3 (11.0 to 13.0)", "-0.0 (-0.2 to 0.3)"]


@pytest.fixture
def similar():
    row = dict(tagger="aisfx", architecture="voice", delta=0.1, cosine=0.9, cosine_low=0.8, cosine_high=1)
    return pd.DataFrame([{**row, "centred": 0.4, "centred_low": 0.3, "centred_high": 0.5}])


def test_that_nobody_has_listened_is_said(similar):
    table, note = sound_sections.similarity(similar, None, None)
    assert [cell.text for cell in table.rows[0]] == ["aisfx", "voice", "0.1", "0.40 (0.30 to 0.50)", "0.90 (0.80 to 1.00)"]
    assert note.note
    assert "No ratings" in note.text


def test_ratings_stand_beside_the_taggers_similarity(similar):
    ratings = pd.DataFrame([("ab", "", 0.0), ("all", "1 of 1 raters kept", -0.5)], columns=["rater", "reason", "rho"])
    by_delta = pd.DataFrame([dict(delta=0.1, ratings=5, mean=6.5, low=6, high=7, cosine_centred=0.4)])
    _, rated, text = sound_sections.similarity(similar, ratings.assign(low=-0.9, high=-0.1), by_delta)
    assert [cell.text for cell in rated.rows[0]] == ["0.1", "5", "6.50 (6.00 to 7.00)", "0.40"]
    assert text.text.startswith("1 of 1 raters kept.")
    assert "-0.50 (-0.90 to -0.10)" in text.text
