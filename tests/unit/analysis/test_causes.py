"""Tables of uncertainty from tags that a test makes up."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from doppelgangers.analysis.causes import measure_uncertainty
from doppelgangers.errors import UserError
from tests.unit.analysis.made_tags import write_tags

SETS = {
    "voice-0.05": ("synthetic", 40),
    "recordings-woods": ("recordings", 30),
    "drums": ("dataset", 35),
    "noise": ("noise", 10),
}


@pytest.fixture
def written(tmp_path):
    """Tags of two taggers for four sets, and the tables of these."""
    tags, sounds = {"mn04": [], "aisfx": []}, []
    for seed, (name, (kind, count)) in enumerate(SETS.items()):
        for tagger, outputs in (("mn04", "sigmoid"), ("aisfx", "softmax")):
            path = tmp_path / tagger / f"{name}.npz"
            heads = np.random.default_rng(seed).normal(0, 1 + seed, (2, count, 5))
            table = write_tags(path, tmp_path / name, name, kind, list(heads), outputs)
            tags[tagger].append(path)
        sounds.append(table)
    return tags, sounds


def measure(folder, written, **options):
    tags, sounds = written
    paths = [folder / f"{name}.csv" for name in ("summary", "differences", "values")]
    measure_uncertainty(*paths, tags=tags, sounds=sounds, **{"definitions": ["entropy", "top"], "resamples": 100, **options})
    return [pd.read_csv(path, keep_default_na=False) for path in paths]


def test_a_sound_of_each_pair_is_measured(tmp_path, written):
    summary, _, values = measure(tmp_path, written)
    assert list(summary["tagger"].unique()) == ["mn04", "aisfx"]
    counts = summary.query("tagger == 'mn04' and definition == 'top'").set_index("sounds")["count"]
    assert counts.to_dict() == {"voice-0.05": 20, "recordings-woods": 30, "drums": 35, "noise": 10}
    voice = values.query("tagger == 'aisfx' and definition == 'top' and sounds == 'voice-0.05'")
    assert voice["sound"].tolist() == list(range(0, 40, 2))
    with np.load(written[0]["aisfx"][0]) as arrays:
        heads = [arrays["logits_0"], arrays["logits_1"]]
    tops = [np.mean([1 - scipy.special.softmax(head[row].astype(float)).max() for head in heads]) for row in voice["sound"]]
    np.testing.assert_allclose(voice["value"], tops, rtol=1e-4)
    assert summary["architecture"].unique().tolist() == ["voice", ""]
    assert summary["delta"].astype(str).unique().tolist() == ["0.05", ""]


def test_means_and_medians_are_those_of_the_values_and_lie_in_their_intervals(tmp_path, written):
    summary, _, values = measure(tmp_path, written)
    grouped = values.groupby(["tagger", "definition", "sounds"], sort=False)["value"]
    np.testing.assert_allclose(summary["mean"], grouped.mean().to_numpy(), rtol=1e-4)
    np.testing.assert_allclose(summary["median"], grouped.median().to_numpy(), rtol=1e-4)
    assert (summary["low"] < summary["mean"]).all()
    assert (summary["mean"] < summary["high"]).all()
    # As wide as the standard error says, within the third that 100 resamples of 10 to 40 values are off.
    width = (summary["high"] - summary["low"]) / (2 * 1.96 * grouped.sem(ddof=0).to_numpy())
    assert width.between(0.66, 1.34).all()


def test_synthetic_sets_are_compared_with_datasets(tmp_path, written):
    _, differences, values = measure(tmp_path, written)
    assert set(zip(differences["sounds"], differences["against"], strict=True)) == {("voice-0.05", "drums")}
    assert len(differences) == 4
    for row in differences.itertuples():
        chosen = values[(values["tagger"] == row.tagger) & (values["definition"] == row.definition)].set_index("sounds")[
            "value"
        ]
        x, y = chosen["voice-0.05"].to_numpy(), chosen["drums"].to_numpy()
        u = scipy.stats.mannwhitneyu(x, y).statistic
        assert row.cliff == pytest.approx(2 * u / (len(x) * len(y)) - 1, abs=0.01)  # six figures of the values may tie
        assert row.low <= row.cliff <= row.high


def test_tags_of_other_sounds_are_named(tmp_path, written):
    tags, sounds = written
    with pytest.raises(UserError, match=r"drums\.npz has tags of 35 sounds, and .*sounds\.csv has 40"):
        measure(tmp_path, (tags, [sounds[0], sounds[1], sounds[0], sounds[3]]))
