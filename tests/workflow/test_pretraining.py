"""Encoders that are trained otherwise than by default, through the whole workflow to the table."""

import csv
import os
import shutil
import subprocess
import sys
import tarfile

import pytest
import yaml

from doppelgangers.encoders.checkpoint import load_encoder
from doppelgangers.files import read_json
from tests.conftest import ROOT
from tests.recorded import sound_files

pytestmark = pytest.mark.workflow


@pytest.fixture
def forest(tmp_path):
    for name, content in sound_files(24, samples=40_000).items():
        file = tmp_path / "forest" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "forest"


@pytest.fixture
def again(finished, tmp_path):
    """A copy of the finished run, which others rely on, to go on from."""
    return finished.copy(tmp_path / "again")


def run(project, change, target="all"):
    overlay = project.path("change.yaml")
    overlay.write_text(yaml.safe_dump(change))
    return project.run(config=(overlay,), target=target)


def test_snapshots_of_a_training_are_rows_and_have_a_figure(again):
    result = run(again, {"pretrain": {"snapshots": [128, 256]}})
    assert result.returncode == 0, result.stdout
    with open(again.path("results/table.csv"), newline="", encoding="utf-8") as file:
        rows = {row["encoder"]: (row["source"], row["pairs"]) for row in csv.DictReader(file)}
    assert rows == {
        "random_init": ("random_init", "0"),
        "voice-0.05-after-128": ("snapshot", "128"),
        "voice-0.05-after-256": ("snapshot", "256"),
        "voice-0.05": ("synthetic", "512"),
    }
    assert again.path("results/figures/snapshots.svg").exists()
    assert "Differences of scores by the pairs" in again.path("results/report.html").read_text()
    command = [sys.executable, "-m", "doppelgangers.workflow.explain", "voice-0.05-after-128", "percussion"]
    told = subprocess.run(command, cwd=again.folder, capture_output=True, text=True, check=True).stdout
    assert "by       pretrain " in told
    assert "after-128.safetensors" in told
    assert "no record" not in told
    assert run(again, {"pretrain": {"snapshots": [128, 256]}}).stdout.count("Nothing to be done") == 1


def test_augmented_real_and_released_encoders_are_rows_of_the_table(again, forest):
    packed = subprocess.run(
        [sys.executable, "-m", "doppelgangers.evaluation.release", "results/encoders/voice-0.05/seed=0", "--name", "tiny"],
        cwd=again.folder,
        capture_output=True,
        text=True,
    )
    assert packed.returncode == 0, packed.stderr
    before = again.path("results/encoders/voice-0.05/seed=0/encoder.safetensors").stat().st_mtime_ns
    change = {
        "encoders": {
            "augmentations": ["none", "spec"],
            "real": {
                "aug": {"recordings": "forest"},
                "layered": {"recordings": "forest", "layers": 3, "augmentation": "spec"},
            },
            "released": {"tiny": "pretrained/tiny"},
        },
        "recordings": {"forest": {"path": str(forest)}},
    }
    result = run(again, change)
    assert result.returncode == 0, result.stdout
    rows = {row["encoder"]: row for row in csv.DictReader(again.path("results/table.csv").read_text().splitlines())}
    told = {name: (row["source"], row["architecture"], row["augmentation"]) for name, row in rows.items()}
    assert told == {
        "random_init": ("random_init", "", "none"),
        "voice-0.05": ("synthetic", "voice", "none"),
        "voice-0.05-spec": ("synthetic", "voice", "spec"),
        "aug": ("real", "", "waveform_per_example"),
        "layered": ("real", "", "layers3+spec"),
        "tiny": ("released", "voice", "none"),
    }
    assert abs(float(rows["tiny"]["percussion"]) - float(rows["voice-0.05"]["percussion"])) < 1  # half precision
    assert again.path("results/encoders/voice-0.05/seed=0/encoder.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoders": {"released": {"tiny": "nowhere"}}}, "encoders.released.tiny: there is no nowhere/encoder.safetensors"),
        (
            {"encoders": {"real": {"aug": {"recordings": "forest"}}}, "recordings": {"forest": {"path": "/nowhere"}}},
            "recordings.forest.path: /nowhere does not exist",
        ),
    ],
)
def test_what_is_not_there_is_missed_before_the_run(project, change, message):
    result = run(project, change)
    assert result.returncode != 0
    assert message in result.stdout
    assert not project.path("results").exists()


def test_a_folder_without_decodable_sounds_is_named(project, tmp_path):
    folder = tmp_path / "sounds"
    folder.mkdir()
    change = {"encoders": {"real": {"aug": {"recordings": "forest"}}}, "recordings": {"forest": {"path": str(folder)}}}
    target = "resources/recordings/forest/recordings.csv"
    for content, message in ((None, "holds no audio file: looked for .wav"), (b"no sound", "noise.wav cannot be decoded")):
        if content:
            (folder / "noise.wav").write_bytes(content)
        result = run(project, change, target)
        assert result.returncode != 0
        assert message in result.stdout
        assert not project.path(target).exists()


def test_a_gpu_that_is_not_there_is_missed(project):
    target = "results/encoders/voice-0.05/seed=0/encoder.safetensors"
    change = {"pretrain": {"gpus": 64, "source": "stream", "batch_pairs": 64}}
    result = run(project, change, target)
    assert result.returncode != 0
    assert "pretrain.gpus = 64, and torch finds" in result.stdout


def test_two_processes_train_an_encoder(project):
    """As on two GPUs, but on the CPU; what they say is in the log of the rule, and they leave nothing behind."""
    folder = project.path("results/encoders/voice-0.05/seed=0")
    change = {"pretrain": {"gpus": 0, "ranks": 2, "source": "stream", "pairs": 128}}
    result = run(project, change, str(folder.relative_to(project.folder) / "encoder.safetensors"))
    assert result.returncode == 0, result.stdout
    assert load_encoder(folder / "encoder.safetensors").fc.weight.isfinite().all()
    card = read_json(folder / "encoder.json")
    assert (card["pairs"], card["settings"]["ranks"]) == (128, 2)
    assert [row["step"] for row in csv.DictReader((folder / "history.csv").read_text().splitlines())] == ["4", "8"]
    made = {"encoder.safetensors", "encoder.safetensors.made.json", "encoder.json", "history.csv", "tensorboard"}
    assert {path.name for path in folder.iterdir()} == made


ONLY_RANK_0_LEARNS = """
STEPS = [Learner.step]


def step(learner, *arguments):
    return STEPS[learner.rank](learner, *arguments)


Learner.step = step
"""


def test_what_goes_wrong_in_one_of_two_processes_is_in_the_log(project):
    target = "results/encoders/voice-0.05/seed=0/encoder.safetensors"
    broken = project.path("doppelgangers/pretraining/learner.py")
    broken.write_text(broken.read_text() + ONLY_RANK_0_LEARNS)
    result = run(project, {"pretrain": {"gpus": 0, "ranks": 2, "source": "stream"}}, target)
    assert result.returncode != 0
    log = project.path("logs/pretrain/voice-0.05_seed=0.log").read_text()
    quoted = log.partition("a process of the training failed:")[2]
    assert "in run_steps" in quoted
    assert quoted.rstrip().endswith("IndexError: list index out of range")


def test_the_gpu_days_script_trains_scores_and_packs(again):
    """On whatever there is, at the smallest scale; it is the finished run's own encoder, so it has nothing left to train."""
    shutil.copytree(ROOT / "tests", again.path("tests"))
    options = {
        "PYTHON": sys.executable,
        "CONFIG": "tiny.yaml",
        "DELTAS": "0.05",
        "MINUTES": "5",
        "TASKS": "percussion",
        "STATE": "state",
    }
    day = subprocess.run(
        ["bash", "tests/gpu_day.sh", "train"],
        cwd=again.folder,
        env={**os.environ, **options},
        capture_output=True,
        text=True,
    )
    assert day.returncode == 0, day.stderr
    card = read_json(again.path("pretrained/voice-0.05/encoder.json"))
    assert set(card["scores"]) == set(card["random_init_scores"]) == {"percussion"}
    with tarfile.open(again.path("state/state.tar.00")) as state:
        assert "pretrained/voice-0.05/encoder.safetensors" in state.getnames()
