"""The whole workflow, at the scale of tests/tiny.yaml."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import psutil
import pytest
import torch

from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.files import read_json
from doppelgangers.synthesis.store import verify

pytestmark = pytest.mark.workflow


def test_everything_that_is_promised_is_there(finished):
    table = pd.read_csv(finished.path("results/table.csv"))
    assert table.encoder.tolist() == ["random_init", "voice-0.05"]
    assert table.pairs.tolist() == [0, 512]
    assert table.percussion.between(0, 100).all()
    assert "random_init" in finished.output  # the table is printed
    scores = pd.read_csv(finished.path("results/scores.csv"))
    assert len(scores) == 2 * 7 * 3
    mean = 100 * scores.query("encoder == 'voice-0.05' and metric == 'accuracy'").score.mean()
    np.testing.assert_allclose(table.percussion.iloc[1], mean, atol=0.00501)
    for name in (
        "results/figures/scores_by_delta.svg",
        "results/figures/training.pdf",
        "results/report.html",
        "results/table.tex",
        "results/listen.html",
        "results/pairs/voice-0.05/samples/01_b.wav",
    ):
        assert finished.path(name).stat().st_size > 0
    verify(finished.path("results/pairs/voice-0.05/manifest.json"))
    folder = finished.path("results/encoders/voice-0.05/seed=0")
    assert load_encoder(folder / "encoder.safetensors")(torch.zeros(1, 96, 64)).shape == (1, 512)
    assert pd.read_csv(folder / "history.csv").pairs.iloc[-1] == 512
    record = read_json(finished.path("results/encoders/voice-0.05/seed=0/encoder.safetensors.made.json"))
    assert record["config"]["pretrain"]["pairs"] == 512
    assert record["versions"]["torch"]
    assert record["environment"]["JAX_COMPILATION_CACHE_DIR"]
    assert record["peak_memory_mb"] > 100
    assert re.fullmatch(r"pretraining\.pretrain\.pretrain [0-9a-f]{16}", record["code"])


def test_a_cell_of_the_table_leads_to_all_that_made_it(finished):
    command = [sys.executable, "-m", "doppelgangers.workflow.explain", "voice-0.05", "percussion"]
    done = subprocess.run(command, cwd=finished.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rules = set(re.findall(r"^  by +(\w+)", done.stdout, re.MULTILINE))
    upstream = {"train_linear_probes", "extract_features", "prepare", "pretrain", "generate_pairs"}
    assert rules == {"make_table", "collect_scores", *upstream}
    assert "ANOTHER ONE NOW" not in done.stdout
    assert "no record" not in done.stdout


def test_a_second_run_has_nothing_to_do(finished):
    result = finished.run()
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout


def test_a_run_killed_twice_continues_and_gives_the_same_table(finished, project):
    # A checkpoint at every step, so that there is one to continue from at this small scale.
    source = project.path("doppelgangers/pretraining/training.py")
    text = source.read_text()
    assert text.count("CHECKPOINT_EVERY_S = 30.0") == 1
    source.write_text(text.replace("CHECKPOINT_EVERY_S = 30.0", "CHECKPOINT_EVERY_S = 0.0"))
    shards, encoder = project.path("results/pairs/voice-0.05"), project.path("results/encoders/voice-0.05/seed=0")

    kill_when(project, lambda: (shards / "shards.json").exists())
    assert not (shards / "manifest.json").exists()
    before = {name: (shards / name).stat().st_mtime_ns for name in read_json(shards / "shards.json")["shards"]}
    assert before

    kill_when(project, lambda: (encoder / "checkpoint.pt").exists())
    assert not (encoder / "encoder.safetensors").exists()
    for name, written in before.items():
        assert (shards / name).stat().st_mtime_ns == written  # kept, not made again

    unlock(project)
    result = project.run()
    assert result.returncode == 0, result.stdout
    assert "continuing at step" in project.path("logs/pretrain/voice-0.05_seed=0.log").read_text()
    for name in ("results/table.csv", "results/scores.csv"):
        assert project.path(name).read_bytes() == finished.path(name).read_bytes()


def kill_when(project, condition):
    """Start a run as `make` does, and kill Snakemake and all its jobs at once when the condition holds."""
    unlock(project)
    process = project.start(start_new_session=True)
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def unlock(project):
    subprocess.run([sys.executable, "-m", "doppelgangers.workflow.unlock"], cwd=project.folder, check=True)


def test_unlocking_ends_orphans_and_respects_a_live_run(project):
    process = project.start(start_new_session=True)
    locks = project.path(".snakemake/locks")
    while not (locks.exists() and any(locks.iterdir())):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    with pytest.raises(subprocess.CalledProcessError):
        unlock(project)
    assert any(locks.iterdir())
    while not any(".snakemake/scripts" in " ".join(child.cmdline()) for child in jobs_of(process)):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    orphans = jobs_of(process)
    os.kill(process.pid, signal.SIGKILL)
    process.stdout.close()
    process.wait()
    assert any(orphan.is_running() for orphan in orphans)
    unlock(project)
    _, alive = psutil.wait_procs(orphans, timeout=10)
    assert not alive
    assert not locks.exists()


def jobs_of(process):
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
