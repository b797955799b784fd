"""What several clones share with `--cache`: the second one computes none of it, and nobody uses a damaged entry."""

import os
import shutil

import numpy as np
import pytest
import soundfile
import yaml

from doppelgangers.files import read_json
from doppelgangers.workflow.cache import SharedCache
from tests.workflow.conftest import Project
from tests.workflow.parsed import planned

pytestmark = pytest.mark.workflow

ENCODERS = [
    f"results/encoders/{setting}/seed={seed}/encoder.safetensors"
    for setting, seeds in (("voice-0.05", (0, 1)), ("real", (0,)))
    for seed in seeds
]
FILES = [*ENCODERS, "resources/datasets/drums/logmel.npy", "resources/datasets/drums/clips.csv"]
STORES = ["results/pairs/voice-0.05/shard-00001.npy", "resources/recordings/tones/sounds-00000.pcm"]


class Clone:
    """A clone of the project, with the same configuration and cache as others."""

    def __init__(self, folder, overlay):
        self.project, self.overlay = Project.new(folder), overlay
        self.path = self.project.path

    def run(self, *arguments):
        return self.project.run(*FILES[1:], "--cache", *arguments, config=(self.overlay,), target=FILES[0])


def test_a_second_clone_computes_nothing_and_a_damaged_entry_is_never_used(tmp_path, monkeypatch):
    cache, sounds, overlay = tmp_path / "cache", tmp_path / "tones", tmp_path / "overlay.yaml"
    cache.mkdir(mode=0o750)
    cache.chmod(0o750)
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(cache))
    sounds.mkdir()
    for hz in (300, 500, 700):
        soundfile.write(sounds / f"{hz}.wav", 0.3 * np.sin(2 * np.pi * hz * np.arange(32000) / 16000), 16000)
    config = {
        "encoders": {"seeds": [0, 1], "real": {"real": {"recordings": "tones"}}},
        "recordings": {"tones": {"path": str(sounds)}},
        "pairs": {"count": 32, "shard_pairs": 16},
        "pretrain": {"pairs": 32, "batch_pairs": 16},
        "datasets": {"drums": {"limit_clips": 40}},
    }
    overlay.write_text(yaml.safe_dump(config))

    first, second = Clone(tmp_path / "first", overlay), Clone(tmp_path / "elsewhere/second", overlay)
    done = first.run()
    assert done.returncode == 0, done.stdout
    assert len(list(cache.iterdir())) == 6  # pairs, recordings, three encoders, a dataset
    around_every_job = second.path("doppelgangers/workflow/job.py")
    code = around_every_job.read_text()
    around_every_job.write_text(f"{code}\nraise AssertionError('a job runs')")
    done = second.run()
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("from the cache: ") == 6
    around_every_job.write_text(code)
    bytes_of = {name: first.path(name).read_bytes() for name in [*FILES, *STORES]}
    for name, content in bytes_of.items():
        assert second.path(name).read_bytes() == content
        assert second.path(name).resolve().is_relative_to(cache)
        assert second.path(name).stat().st_mode & 0o777 == 0o440
    assert len({bytes_of[name] for name in ENCODERS}) == 3
    for clone in (first, second):
        assert "Nothing to be done" in clone.run().stdout

    # The entry of an encoder is gone, and that of the pairs, from which it has to come back, is damaged.
    pairs, encoder = (second.path(name).resolve() for name in (STORES[0], ENCODERS[0]))
    shutil.rmtree(encoder.parent)
    damaged = bytearray(pairs.read_bytes())
    damaged[-1] ^= 1
    times = pairs.stat()
    pairs.chmod(0o600)
    pairs.write_bytes(damaged)
    os.utime(pairs, ns=(times.st_atime_ns, times.st_mtime_ns))
    for clone in (second, Clone(tmp_path / "third", overlay)):
        failed = clone.run()
        assert failed.returncode != 0
        assert f"the cache entry {pairs.parent} is damaged (shard-00001.npy differs from its checksum)" in failed.stdout
        assert not clone.path(ENCODERS[0]).exists()

    shutil.rmtree(pairs.parent)
    done = second.run()
    assert done.returncode == 0, done.stdout
    assert {name: second.path(name).read_bytes() for name in bytes_of} == bytes_of
    record = read_json(second.path(f"{ENCODERS[0]}.made.json"))
    assert record["wildcards"] == {"setting": "voice-0.05", "seed": "0"}


def test_no_two_jobs_of_a_study_share_an_entry(tmp_path, monkeypatch):
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(tmp_path))
    monkeypatch.setattr(SharedCache, "identify", lambda self, path: "")  # not even their inputs tell them apart
    (tmp_path / "sounds").mkdir()
    encoders = {"seeds": [0, 1], "deltas": ["0.05", "0.25", "0.5"], "architectures": ["voice", "voicefm"]}
    encoders |= {"augmentations": ["none", "waveform", "spec"]}
    encoders |= {"real": {f"real_{views}": {"recordings": "mine", "views": views} for views in ("crop", "jitter")}}
    encoders["real"]["other"] = {"recordings": "yours"}
    recordings = {name: {"path": str(tmp_path / "sounds")} for name in ("mine", "yours")}
    tasks = ["pitch", "percussion", "esc50", "urbansound8k", "vivae"]
    with planned({"encoders": encoders, "recordings": recordings, "tasks": tasks}, cache=True) as workflow:
        jobs = [job for job in workflow.dag.jobs if job.rule.cache.output]
        keys = {workflow.output_file_cache.key(job) for job in jobs}
    assert len(jobs) == 6 + 2 * 6 * 3 + 2 + 2 * 3 + 5  # pairs, encoders, recordings, encoders, datasets
    assert len(keys) == len(jobs)
