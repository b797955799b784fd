import json
import shutil

import numpy as np
import pytest
import soundfile

from doppelgangers.errors import UserError
from doppelgangers.files import read_json
from doppelgangers.synthesis import pairs
from doppelgangers.synthesis.generate import PairGenerator
from doppelgangers.synthesis.listen import write_listening_page
from doppelgangers.synthesis.pairs import generate_pairs, sample_pairs
from doppelgangers.synthesis.store import PairStore, from_pcm, to_pcm, verify

GENERATOR = dict(
    seed=0, perturbation="gaussian", factors={}, ramp_pairs=1, duration_s=0.1, control_rate_hz=480, renderer="fast"
)
SETTINGS = dict(architecture="voice", delta=0.25, generator=GENERATOR, shard_pairs=16)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    generate_pairs(folder / "manifest.json", count=40, **SETTINGS)
    return folder


def test_the_store_holds_the_generators_sounds(undisturbed):
    store = PairStore(undisturbed / "manifest.json")
    assert len(store) == 40
    assert [shard["count"] for shard in store.manifest["shards"]] == [16, 16, 8]
    generator = PairGenerator("voice", 0.25, 0, duration_s=0.1)
    indices = np.array([39, 0, 17])
    np.testing.assert_allclose(store.read(indices), np.asarray(generator.render(indices)), atol=1 / 32767)
    verify(undisturbed / "manifest.json")


def test_a_killed_run_continues_and_ends_with_the_same_files(undisturbed, tmp_path, monkeypatch):
    written, write_shard = [], pairs.write_shard

    def die_in_the_second_shard(path, generator, first, size, bar):
        written.append(first)
        if first == 16:
            path.write_bytes(b"half a shard")
            raise KeyboardInterrupt
        write_shard(path, generator, first, size, bar)

    monkeypatch.setattr(pairs, "write_shard", die_in_the_second_shard)
    with pytest.raises(KeyboardInterrupt):
        generate_pairs(tmp_path / "manifest.json", count=40, **SETTINGS)
    assert not (tmp_path / "manifest.json").exists()
    monkeypatch.setattr(pairs, "write_shard", lambda *args: (written.append(args[2]), write_shard(*args)))
    generate_pairs(tmp_path / "manifest.json", count=40, **SETTINGS)
    assert written == [0, 16, 16, 32]  # the first shard was kept
    assert content(tmp_path) == content(undisturbed)


def test_more_pairs_keep_those_there_are_and_other_settings_do_not(undisturbed, tmp_path, monkeypatch):
    written, write_shard = [], pairs.write_shard
    monkeypatch.setattr(pairs, "write_shard", lambda *args: (written.append(args[2]), write_shard(*args)))
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    generate_pairs(tmp_path / "manifest.json", count=64, **SETTINGS)
    assert written == [32, 48]  # the third shard was short
    written.clear()
    generate_pairs(tmp_path / "manifest.json", count=32, **{**SETTINGS, "delta": 0.1})
    assert written == [0, 16]
    assert sorted(path.name for path in tmp_path.glob("shard*.npy")) == ["shard-00000.npy", "shard-00001.npy"]


def test_a_damaged_store_is_named(undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    shard = tmp_path / "shard-00001.npy"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    with pytest.raises(UserError, match=r"shard-00001.npy differs from its checksum"):
        verify(tmp_path / "manifest.json")
    shard.write_bytes(data[:200])
    with pytest.raises(UserError, match=r"shard-00001.npy cannot be read"):
        PairStore(tmp_path / "manifest.json")
    shard.unlink()
    with pytest.raises(UserError, match=r"shard-00001.npy cannot be read"):
        PairStore(tmp_path / "manifest.json")


def test_a_store_that_does_not_fit_is_refused_before_it_is_made(tmp_path):
    with pytest.raises(UserError, match="GB are free"):
        generate_pairs(tmp_path / "manifest.json", count=10**13, **{**SETTINGS, "shard_pairs": 10**12})
    assert not list(tmp_path.iterdir())


def test_sixteen_bits_are_kept_to_half_a_step():
    audio = np.linspace(-1, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(from_pcm(to_pcm(audio)), audio, atol=0.51 / 32767)


def test_samples_are_playable_and_the_page_names_them(tmp_path):
    settings = {key: value for key, value in SETTINGS.items() if key != "shard_pairs"}
    folder = tmp_path / "pairs/voice-0.25/samples"
    sample_pairs(folder, pairs=2, **settings)
    assert sorted(path.name for path in folder.iterdir()) == ["00_a.wav", "00_b.wav", "01_a.wav", "01_b.wav"]
    sound, rate = soundfile.read(folder / "01_b.wav", dtype="float32")
    assert rate == 16000
    expected = np.asarray(PairGenerator("voice", 0.25, 0, duration_s=0.1).render(np.array([1])))[0, 1]
    np.testing.assert_allclose(sound, expected, atol=2e-4)
    grown = {**GENERATOR, "perturbation": "curriculum", "ramp_pairs": 1}
    sample_pairs(tmp_path / "grown", pairs=1, **{**settings, "generator": grown})  # of full delta
    np.testing.assert_array_equal(soundfile.read(tmp_path / "grown/00_b.wav", dtype="float32")[0], sound)
    write_listening_page(tmp_path / "listen.html", [folder])
    page = (tmp_path / "listen.html").read_text()
    assert page.count("<audio") == 4
    assert 'src="pairs/voice-0.25/samples/01_b.wav"' in page


def test_the_manifest_says_how_the_pairs_were_made(undisturbed):
    manifest = read_json(undisturbed / "manifest.json")
    made = {**SETTINGS, **GENERATOR}
    del made["generator"]
    assert {key: manifest[key] for key in made} == made
    assert json.loads((undisturbed / "shards.json").read_text())["settings"]["parameters"] == 78
