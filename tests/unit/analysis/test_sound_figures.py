import json

import numpy as np
import pandas as pd
import pytest

from doppelgangers.analysis.sound_figures import plot_embeddings, plot_similarity, plot_spectrograms, spectrogram_db
from doppelgangers.errors import UserError
from tests.unit.analysis.drawn import kept, panels  # noqa: F401
from tests.unit.analysis.made_sets import write_set


def sine(hertz):
    return np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000)


def write_pairs(folder, delta, clips, sounds):
    table = write_set(folder, folder.name, "synthetic", sounds)
    pd.read_csv(table, dtype=str, keep_default_na=False).assign(clip=np.repeat(clips, 2)).to_csv(table, index=False)
    about = {"sounds": folder.name, "kind": "synthetic", "architecture": "voice", "delta": delta}
    (folder / "sounds.json").write_text(json.dumps(about))
    return folder


@pytest.mark.parametrize("hertz", [500, 3_000])
def test_a_spectrogram_has_its_peak_at_the_frequency_of_a_sine(hertz):
    levels = spectrogram_db(sine(hertz))
    assert levels.shape == (257, 1 + (16_000 - 512) // 128)
    assert set(levels.argmax(axis=0) * 16_000 / 512) == {hertz}
    assert levels.max() == pytest.approx(0)
    assert levels.min() == -70


def test_silence_has_a_spectrogram():
    assert (spectrogram_db(np.zeros(600)) == -70).all()


def test_the_first_pair_that_all_deltas_have_is_drawn(tmp_path, kept):  # noqa: F811
    """Pair 0 is not in the second set; of pair 1 the views have frequencies of their own in each."""
    first = write_pairs(tmp_path / "voice-0.1", "0.1", ["0", "1"], [sine(hertz) for hertz in (100, 100, 1_000, 2_000)])
    second = write_pairs(tmp_path / "voice-0.5", "0.5", ["1"], [sine(hertz) for hertz in (3_000, 4_000)])
    plot_spectrograms(tmp_path / "spectrograms.svg", folders=[first, second])
    found = panels(kept[-1])
    assert [axis.get_title() for axis in found[:2]] == ["δ = 0.1", "δ = 0.5"]
    peaks = [axis.images[0].get_array().mean(axis=1).argmax() * 16_000 / 512 for axis in found]
    assert peaks == [1_000, 3_000, 2_000, 4_000]
    assert (tmp_path / "spectrograms.pdf").read_bytes().startswith(b"%PDF")


def test_no_pair_in_common_is_an_error(tmp_path):
    folders = [write_pairs(tmp_path / f"voice-{n}", n, [n], [sine(100)] * 2) for n in ("0.1", "0.5")]
    with pytest.raises(UserError, match=r"voice-0\.1, .*voice-0\.5: raise analysis\.sounds"):
        plot_spectrograms(tmp_path / "spectrograms.svg", folders=folders)


@pytest.mark.parametrize("least", [0.0, 0.01])
def test_similarity_stands_at_the_true_size_of_delta(tmp_path, kept, least):  # noqa: F811
    """A step from 0.05 to 0.1 is as wide as one from 0.25 to 0.5."""
    rows = [
        {"tagger": tagger, "architecture": "voice", "delta": delta, "cosine": 0.9, "cosine_low": 0.8, "cosine_high": 0.95}
        | {"centred": 1 - delta, "centred_low": 0.9 - delta, "centred_high": 1.0}
        for tagger in ("aisfx", "mn04")
        for delta in (0.5, least, 0.05, 0.1, 0.25)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "similarity.csv", index=False)
    plot_similarity(tmp_path / "similarity.svg", similarity=tmp_path / "similarity.csv")
    centred, plain = panels(kept[-1])
    np.testing.assert_allclose(
        centred.containers[0][0].get_xydata()[:, 1], [1 - delta for delta in (least, 0.05, 0.1, 0.25, 0.5)]
    )
    places = centred.transData.transform([(delta, 0) for delta in (least, 0.05, 0.1, 0.25, 0.5)])[:, 0]
    steps = np.diff(places)
    assert steps[1] == pytest.approx(steps[3])
    assert (steps > 5).all()
    assert [text.get_text() for text in centred.get_legend().get_texts()] == ["aisfx, voice", "mn04, voice"]
    assert plain.get_title() == "cosine, plain"


def test_a_map_for_each_embedding_has_one_view_of_each_pair(tmp_path, kept):  # noqa: F811
    sets = {"voice-0.1": "synthetic", "notes": "dataset", "noise": "noise"}
    about, tags, points = [], [], []
    rng = np.random.default_rng(0)
    for name, kind in sets.items():
        embedding = rng.normal(size=(8, 5)) + 10 * len(about)
        facts = {"sounds": name, "kind": kind, "architecture": "voice", "delta": "0.1" if kind == "synthetic" else ""}
        about.append(tmp_path / f"{name}.json")
        about[-1].write_text(json.dumps(facts))
        tags.append(tmp_path / f"{name}.npz")
        np.savez(tags[-1], embedding=embedding)
        points.append(tmp_path / f"{name}.npy")
        np.save(points[-1], embedding)
    plot_embeddings(tmp_path / "embeddings.svg", embeddings={"aisfx": tags, "random_init": points}, about=about)
    found = panels(kept[-1])
    assert [axis.get_title() for axis in found] == ["aisfx", "random_init"]
    assert [len(marks.get_offsets()) for marks in found[0].collections] == [4, 8, 8]
    assert [text.get_text() for text in kept[-1].legends[0].get_texts()] == ["voice δ 0.1", "notes", "white noise"]
    # The sets lie along one line, so that the first component has nearly all of the variance and keeps their order.
    middles = [marks.get_offsets()[:, 0].mean() for marks in found[0].collections]
    assert sorted(middles) in (middles, middles[::-1])
    assert "variance" in found[0].get_xlabel()
    assert float(found[0].get_xlabel().split("(")[1].split("%")[0]) > 90
