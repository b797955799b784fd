import dataclasses
import os
import shutil

import jax
import numpy as np
import pytest
import soundfile

from doppelgangers.errors import UserError
from doppelgangers.files import read_json
from doppelgangers.synthesis import listen, pairs
from doppelgangers.synthesis.listen import sample_pairs, write_listening_page
from doppelgangers.synthesis.pairs import generate_pairs
from doppelgangers.synthesis.store import PairStore, from_pcm, to_pcm, verify
from tests.unit.synthesis.shared import CHUNK_PAIRS, RECIPE, voice_generator

SETTINGS = dict(recipe=RECIPE, shard_pairs=CHUNK_PAIRS)


@pytest.fixture(scope="module", autouse=True)
def one_generator():
    """Every stage renders with the one generator that is compiled, whatever its recipe: these tests are about files."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pairs, listen):
            patch.setattr(module, "PairGenerator", lambda recipe: voice_generator())
        yield


@pytest.fixture
def written(monkeypatch):
    """First indices of the shards that are written."""
    firsts, write_shard = [], pairs.write_shard

    def record(path, generator, indices, bar):
        firsts.append(indices[0])
        write_shard(path, generator, indices, bar)

    monkeypatch.setattr(pairs, "write_shard", record)
    return firsts


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    generate_pairs(folder / "manifest.json", count=20, **SETTINGS)
    return folder


def test_the_store_holds_the_generators_sounds(undisturbed):
    store = PairStore(undisturbed / "manifest.json")
    assert len(store) == 20
    assert [shard["count"] for shard in store.manifest["shards"]] == [8, 8, 4]
    indices = np.array([19, 0, 9])
    np.testing.assert_allclose(store.read(indices), np.asarray(voice_generator().render(indices)), atol=1 / 32767)
    verify(undisturbed / "manifest.json")


def test_a_killed_run_continues_and_ends_with_the_same_files(undisturbed, tmp_path, monkeypatch, written):
    record = pairs.write_shard

    def die_in_the_second_shard(path, generator, indices, bar):
        if indices[0] == 8:
            path.write_bytes(b"half a shard")
            raise KeyboardInterrupt
        record(path, generator, indices, bar)

    with monkeypatch.context() as patch:
        patch.setattr(pairs, "write_shard", die_in_the_second_shard)
        with pytest.raises(KeyboardInterrupt):
            generate_pairs(tmp_path / "manifest.json", count=20, **SETTINGS)
    assert not (tmp_path / "manifest.json").exists()
    assert written == [0]
    generate_pairs(tmp_path / "manifest.json", count=20, **SETTINGS)
    assert written == [0, 8, 16]  # the first shard was kept
    assert content(tmp_path) == content(undisturbed)


def test_more_pairs_keep_those_there_are(undisturbed, tmp_path, written):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    generate_pairs(tmp_path / "manifest.json", count=32, **SETTINGS)
    assert written == [16, 24]  # the third shard was short
    verify(tmp_path / "manifest.json")


@pytest.mark.parametrize(
    "change",
    [
        dict(recipe=dataclasses.replace(RECIPE, delta=0.1)),
        dict(recipe=dataclasses.replace(RECIPE, seed=1)),
        dict(recipe=dataclasses.replace(RECIPE, factors={"pitch": 0.5})),
        dict(code="other"),
    ],
    ids=["delta", "seed", "factors", "code"],
)
def test_shards_of_other_settings_are_not_kept(undisturbed, tmp_path, written, change):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    generate_pairs(tmp_path / "manifest.json", count=16, **(SETTINGS | change))
    assert written == [0, 8]
    assert sorted(path.name for path in tmp_path.glob("*shard-*.npy")) == ["shard-00000.npy", "shard-00001.npy"]


def test_shards_of_other_compiler_flags_are_not_kept(undisturbed, tmp_path, written, monkeypatch):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")  # JAX has read them already
    generate_pairs(tmp_path / "manifest.json", count=8, **SETTINGS)
    assert written == [0]
    assert read_json(tmp_path / "manifest.json")["xla_flags"] == "--xla_cpu_enable_fast_math=true"


def test_a_store_has_no_batches_for_a_peak_to_come_from(tmp_path):
    with pytest.raises(ValueError, match="peak must be own"):
        generate_pairs(
            tmp_path / "manifest.json", recipe=dataclasses.replace(RECIPE, peak="first_of_batch"), count=8, shard_pairs=8
        )


def test_a_shard_that_was_damaged_is_made_again(undisturbed, tmp_path, written):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    (tmp_path / "shard-00001.npy").write_bytes(b"damaged")
    generate_pairs(tmp_path / "manifest.json", count=20, **SETTINGS)
    assert written == [8]
    assert content(tmp_path) == content(undisturbed)


def test_a_damaged_store_is_named(undisturbed, tmp_path):
    shutil.copytree(undisturbed, tmp_path, dirs_exist_ok=True)
    shard = tmp_path / "shard-00001.npy"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    with pytest.raises(UserError, match=r"shard-00001.npy differs from its checksum"):
        verify(tmp_path / "manifest.json")
    np.save(shard, np.zeros((8, 2, 15999), np.int16))
    with pytest.raises(UserError, match=r"shard-00001.npy has shape \(8, 2, 15999\) and not \(8, 2, 16000\)"):
        PairStore(tmp_path / "manifest.json")
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
    folder = tmp_path / "pairs/voice-0.25/samples"
    sample_pairs(folder, recipe=RECIPE, pairs=2)
    assert sorted(path.name for path in folder.iterdir()) == ["00_a.wav", "00_b.wav", "01_a.wav", "01_b.wav"]
    sound, rate = soundfile.read(folder / "01_b.wav", dtype="float32")
    assert rate == 16000
    expected = np.asarray(voice_generator().render(np.array([1])))[0, 1]
    np.testing.assert_allclose(sound, expected, atol=2e-4)
    curriculum = dataclasses.replace(RECIPE, perturbation="curriculum", ramp_pairs=1)
    sample_pairs(tmp_path / "grown", recipe=curriculum, pairs=1)  # from index 1, where delta has its full size
    np.testing.assert_array_equal(soundfile.read(tmp_path / "grown/00_b.wav", dtype="float32")[0], sound)
    write_listening_page(tmp_path / "listen.html", [folder])
    page = (tmp_path / "listen.html").read_text()
    assert page.count("<audio") == 4
    assert 'src="pairs/voice-0.25/samples/01_b.wav"' in page


def test_the_manifest_says_how_the_pairs_were_made(undisturbed):
    manifest = read_json(undisturbed / "manifest.json")
    assert (manifest["backend"], manifest["xla_flags"]) == (jax.default_backend(), os.environ.get("XLA_FLAGS", ""))
    made = dict(
        architecture="voice", delta=0.25, seed=0, peak="own", perturbation="gaussian", factors={}, ramp_pairs=1, duration_s=1.0
    )
    made |= dict(control_rate_hz=480, renderer="fast", rate_hz=16000, shard_pairs=8, samples=16000, parameters=78, count=20)
    assert {key: manifest[key] for key in made} == made
    settings = read_json(undisturbed / "shards.json")["settings"]
    assert settings == {key: manifest[key] for key in manifest if key not in ("count", "shards")}


def test_a_store_of_links_grows_and_what_they_lead_to_stays(undisturbed, tmp_path, written):
    for path in undisturbed.iterdir():  # as a shared cache leaves it
        (tmp_path / path.name).symlink_to(path)
    before = content(undisturbed)
    generate_pairs(tmp_path / "manifest.json", count=32, **SETTINGS)
    assert written == [16, 24]
    assert content(undisturbed) == before
    verify(tmp_path / "manifest.json")
