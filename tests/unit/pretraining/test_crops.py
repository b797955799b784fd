import itertools

import numpy as np
import pandas as pd
import pytest

from doppelgangers.errors import UserError
from doppelgangers.pretraining.crops import RecordingPairs, draw_without_replacement
from doppelgangers.synthesis.store import from_pcm
from tests.recorded import write_decoded

T = 160
LENGTHS = [1000, 487, 160, 100, 1, 801, 640, 333]


@pytest.fixture
def store(tmp_path):
    return write_decoded(tmp_path, LENGTHS, shards=3)


def places(view, sound):
    """Where in a sound (T,) of 16 bits a view is found, by trying all places; a short sound is padded with silence."""
    sound = from_pcm(np.pad(sound, (0, max(0, T - len(sound)))))
    return [i for i in range(len(sound) - T + 1) if np.array_equal(sound[i : i + T], view)]


def source_of(view, sounds):
    """The only recording that a view is cut from, and where."""
    found = [(i, place) for i, sound in enumerate(sounds) for place in places(view, sound)]
    assert len(found) == 1
    return found[0]


def test_a_crop_is_a_part_of_a_recording_and_both_views(store):
    manifest, sounds = store
    pairs = RecordingPairs(manifest, seed=0, samples=T)
    assert len(pairs) == len(LENGTHS)
    read = pairs.read(np.arange(40))
    assert read.shape == (40, 2, T)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read[:, 0], read[:, 1])
    sources = [source_of(view, sounds) for view in read[:, 0]]
    epochs = np.array([recording for recording, _ in sources]).reshape(5, 8)
    assert (np.sort(epochs, axis=1) == np.arange(8)).all()  # every recording once an epoch
    assert len({tuple(epoch) for epoch in epochs}) == 5  # in another order each time
    assert len({place for recording, place in sources if recording == 0}) > 1


def test_jittered_views_are_two_parts_of_one_recording(store):
    manifest, sounds = store
    read = RecordingPairs(manifest, seed=0, samples=T, views="jitter").read(np.arange(40))
    apart = 0
    for a, b in read:
        (recording, place), (other, elsewhere) = source_of(a, sounds), source_of(b, sounds)
        assert recording == other
        apart += place != elsewhere
    long = sum(length > T for length in LENGTHS)
    assert apart >= 5 * long - 1  # places of a long recording may coincide


def test_places_are_uniform_to_both_ends(tmp_path):
    manifest, sounds = write_decoded(tmp_path, [T + 3] * 10)
    read = RecordingPairs(manifest, seed=0, samples=T).read(np.arange(400))
    found = [source_of(view, sounds)[1] for view in read[:, 0]]
    assert np.bincount(found, minlength=4).min() > 60  # of 100 expected


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_layers_are_the_normalised_sum_of_different_seconds(store, layers):
    manifest, sounds = store
    read = RecordingPairs(manifest, seed=0, samples=T, layers=layers).read(np.arange(16))
    np.testing.assert_array_equal(read[:, 0], read[:, 1])
    for view in read[:, 0]:
        matches = []
        for i, sound in enumerate(sounds):
            sound = np.pad(from_pcm(sound), (0, max(0, T - len(sound))))
            seconds = [sound[k * T : (k + 1) * T] for k in range(len(sound) // T)]
            for chosen in itertools.combinations(seconds, min(layers, len(seconds))):
                mixture = sum(chosen)
                if np.allclose(mixture / (np.abs(mixture).max() + 1e-6), view, atol=1e-5):
                    matches.append(i)
        assert len(matches) == 1


def test_numbers_drawn_without_replacement_are_all_equally_likely():
    uniform = np.random.default_rng(0).random((60000, 3))
    drawn = draw_without_replacement(uniform, np.full((60000, 1), 4))
    orders, counts = np.unique(drawn, axis=0, return_counts=True)
    assert sorted(map(tuple, orders.tolist())) == list(itertools.permutations(range(4), 3))
    assert np.abs(counts - 2500).max() < 250  # five standard deviations
    few = draw_without_replacement(uniform[:100], np.full((100, 1), 2))
    assert (np.sort(few, axis=1) == [-1, 0, 1]).all()


@pytest.mark.parametrize("options", [{}, {"views": "jitter"}, {"layers": 2}])
def test_a_pair_is_the_same_in_any_batch(store, options):
    manifest, _ = store
    pairs = RecordingPairs(manifest, seed=3, samples=T, **options)
    together = pairs.read(np.arange(30))
    indices = np.array([29, 0, 13, 13, 8])
    np.testing.assert_array_equal(RecordingPairs(manifest, seed=3, samples=T, **options).read(indices), together[indices])
    for index in (7, 8, 20):
        np.testing.assert_array_equal(pairs.read(np.array([index]))[0], together[index])
    assert not np.array_equal(RecordingPairs(manifest, seed=4, samples=T, **options).read(np.arange(30)), together)


def test_silence_stays_silent(tmp_path):
    manifest, _ = write_decoded(tmp_path, [500])
    np.zeros(500, np.int16).tofile(tmp_path / "sounds-00000.pcm")
    for options in ({}, {"views": "jitter"}, {"layers": 3}):
        assert not RecordingPairs(manifest, seed=0, samples=T, **options).read(np.arange(3)).any()


def test_a_damaged_store_is_named(store):
    manifest, _ = store
    shard = manifest.with_name("sounds-00001.pcm")
    shard.write_bytes(shard.read_bytes()[:-2])
    with pytest.raises(UserError, match=r"sounds-00001.pcm has \d+ samples and not \d+; delete .*recordings.csv"):
        RecordingPairs(manifest, seed=0, samples=T)
    shard.unlink()
    with pytest.raises(UserError, match=r"sounds-00001.pcm cannot be read"):
        RecordingPairs(manifest, seed=0, samples=T)
    pd.read_csv(manifest).drop(columns="start").to_csv(manifest, index=False)
    with pytest.raises(UserError, match=r"recordings.csv cannot be read"):
        RecordingPairs(manifest, seed=0, samples=T)


def test_layers_and_jitter_exclude_each_other(store):
    with pytest.raises(UserError, match="jitter needs two different ones: set layers to 1, or views to crop"):
        RecordingPairs(store[0], seed=0, samples=T, views="jitter", layers=2)
