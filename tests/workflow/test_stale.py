"""A table is never of something that is no more: parts that are gone, files of the user's that changed, code from elsewhere."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from doppelgangers.files import read_json
from tests.workflow.conftest import Project

pytestmark = pytest.mark.workflow

ENCODER = "results/encoders/voice-0.05/seed=0"
PARTS = {
    "results/pairs/voice-0.05/manifest.json": {"generate_pairs", "pretrain", "extract_features", "train_linear_probes"},
    f"{ENCODER}/encoder.safetensors": {"pretrain", "extract_features", "train_linear_probes"},
    f"{ENCODER}/encoder.json": {"pretrain", "extract_features", "train_linear_probes"},
    "results/encoders/random_init/seed=0/encoder.safetensors": {"initialize", "extract_features", "train_linear_probes"},
    "resources/datasets/drums/logmel.npy": {"prepare", "extract_features", "train_linear_probes"},
    "results/features/drums/voice-0.05/seed=0.npy": {"extract_features", "train_linear_probes"},
    "results/probes/percussion/voice-0.05.csv": {"train_linear_probes"},
    "results/scores.csv": set(),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_gone_comes_back_when_the_table_alone_is_asked_for(finished, part, tmp_path):
    aside = tmp_path / "aside"
    shutil.move(finished.path(part), aside)
    try:
        assert set(finished.jobs(target="results/table.csv")) == PARTS[part] | {"collect_scores", "make_table"}
    finally:
        shutil.move(aside, finished.path(part))
    assert finished.jobs(target="results/table.csv") == {}


def test_a_part_that_the_target_is_not_made_of_is_left_alone(finished, tmp_path):
    aside = tmp_path / "aside"
    shutil.move(finished.path("results/scores.csv"), aside)
    try:
        assert finished.jobs(target="results/probes/percussion/voice-0.05.csv") == {}
        assert finished.jobs(target="make_table") == {"collect_scores": 1, "make_table": 1}
    finally:
        shutil.move(aside, finished.path("results/scores.csv"))


def test_after_a_failed_job_the_old_table_does_not_count(finished, tmp_path):
    project = finished.copy(tmp_path / "copy")
    overlay = tmp_path / "change.yaml"
    overlay.write_text("pretrain: {learning_rate: 1.0e+30}")
    for _ in range(2):  # the second run must not find that there is nothing to be done
        failed = project.run(config=(overlay,), target="results/table.csv")
        assert failed.returncode != 0, failed.stdout
        assert "is not renewed" in failed.stdout
    overlay.write_text("pretrain: {learning_rate: 0.01}")  # nothing has to be cleared away first
    mended = project.run(config=(overlay,), target="results/table.csv")
    assert mended.returncode == 0, mended.stdout
    assert project.path("results/table.csv").read_text() != finished.path("results/table.csv").read_text()


class Owls:
    """A task of the user's own, two pitches of owls, and the table of the random initialisation for it."""

    def __init__(self, folder):
        self.folder = folder / "owls"
        (self.folder / "2024").mkdir(parents=True)
        rows = []
        for fold in (1, 2, 3):
            for number in range(6):
                name = f"2024/{fold}_{number}.wav"
                self.sing(name, 300 if number % 2 else 900)
                rows.append((name, fold, "low" if number % 2 else "high"))
        self.table = pd.DataFrame(rows, columns=["path", "fold", "label"])
        self.table.to_csv(self.folder / "clips.csv", index=False)
        self.project = Project.new(folder / "project")
        self.overlay = folder / "owls.yaml"
        self.write_overlay()

    def write_overlay(self, **changes):
        config = {
            "encoders": {"architectures": [], "real": {"real": {"recordings": "owls"}}},
            "recordings": {"owls": {"path": str(self.folder / "2024")}},
            "tasks": ["owls"],
            "own_tasks": {"owls": {"format": "folder", "path": str(self.folder), "clip_s": 1}},
            "pretrain": {"pairs": 32, "batch_pairs": 16},
        }
        self.overlay.write_text(yaml.safe_dump({**config, **changes}))

    def sing(self, name, hz):
        soundfile.write(self.folder / name, 0.3 * np.sin(2 * np.pi * hz * np.arange(8000) / 16000), 16000)

    def run(self):
        result = self.project.run(config=(self.overlay,), target="results/table.csv")
        assert result.returncode == 0, result.stdout
        return self.project.path("results/table.csv").read_text()

    def jobs(self):
        return set(self.project.jobs(config=(self.overlay,), target="results/table.csv"))


def rewrite(path, change):
    """Change a file in place; its time, and that of its folder, stay what they were."""
    times = [(place, place.stat()) for place in (path, path.parent)]
    change()
    for place, before in times:
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_the_user_changes_in_his_own_files_is_noticed(tmp_path):
    owls = Owls(tmp_path)
    owls.run()
    assert owls.jobs() == set()
    os.utime(owls.folder)
    os.utime(owls.folder / "clips.csv")
    assert owls.jobs() == set()

    recordings = {"decode_recordings", "pretrain_on_recordings"}
    table = owls.folder / "clips.csv"
    original = table.read_bytes()
    swapped = owls.table.assign(label=owls.table.label.to_numpy()[::-1])
    rewrite(table, lambda: swapped.to_csv(table, index=False))
    assert {"prepare", "train_linear_probes", "make_table"} <= owls.jobs()
    assert not recordings & owls.jobs()
    rewrite(table, lambda: table.write_bytes(original))
    assert owls.jobs() == set()

    sound = owls.folder / "2024/1_0.wav"
    original = sound.read_bytes()
    rewrite(sound, lambda: owls.sing("2024/1_0.wav", 500))
    assert {"prepare", *recordings, "make_table"} <= owls.jobs()
    rewrite(sound, lambda: sound.write_bytes(original))
    assert owls.jobs() == set()

    (owls.folder / "2024/later").mkdir()
    owls.sing("2024/later/new.wav", 500)
    assert {"prepare", *recordings, "make_table"} <= owls.jobs()


def test_the_code_and_the_configuration_beside_the_snakefile_count_in_any_folder(project, tmp_path):
    other = tmp_path / "other"  # another clone, whose code cannot even run
    (other / "doppelgangers").mkdir(parents=True)
    (other / "doppelgangers/__init__.py").write_text("raise RuntimeError('the other clone')")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "config.yaml").write_text("encoder: {width: 7.0}")  # of something else
    config = project.path("config.yaml")
    text = config.read_text()
    assert text.count("  width: 0.25\n") == 1
    config.write_text(text.replace("  width: 0.25\n", "  width: 0.125\n"))
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("tasks: [percussion]")
    card = "results/encoders/random_init/seed=0/encoder.json"
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "-s", str(project.path("Snakefile")), card]
    run = subprocess.run(
        [*command, "--configfile", str(overlay)],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(other)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert run.returncode == 0, run.stdout
    assert read_json(elsewhere / card)["width"] == 0.125
    record = read_json(elsewhere / "results/encoders/random_init/seed=0/encoder.safetensors.made.json")
    assert record["config"] == {"encoder": {"width": 0.125}}


def test_a_section_that_stands_twice_stops_the_run(project):
    overlay = project.path("twice.yaml")
    overlay.write_text("probe: {epochs: 7}\ntasks: [percussion]\nprobe: {seed: 1}\n")
    result = project.run("--dry-run", config=(overlay,))
    assert result.returncode != 0
    assert "twice.yaml: probe stands in line 1 and again in line 3" in result.stdout
