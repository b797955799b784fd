"""The workflow on a real SLURM (tests/cluster.py): where its jobs go, and what becomes of it when things go wrong."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from filelock import FileLock

from doppelgangers.files import read_json
from tests.cluster import Cluster, missing, wait_for
from tests.workflow.conftest import Project
from tests.workflow.parsed import parse

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

# The profile, and states asked for more often than one does on a cluster that is shared.
PROFILE = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "2")
ENCODER = "results/encoders/voice-0.05/seed=0"
LOG = "logs/pretrain/voice-0.05_seed=0.log"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """One at a time, whichever process runs these tests."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "slurm.lock"):
        cluster = Cluster(tmp_path_factory.mktemp("slurm"))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture(autouse=True)
def its_configuration(cluster, monkeypatch):
    """And the table alone, because every job of a cluster takes some seconds more."""
    monkeypatch.setattr(Project, "target", "results/table.csv")
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])


@pytest.fixture
def to_train(request, finished, tmp_path):
    """A finished study whose encoder is gone, and a training that saves every step and takes its time for it."""
    project = finished.copy(tmp_path / "study")
    slow_down(project, getattr(request, "param", 1.0))
    for name in ("encoder.safetensors", "encoder.json", "history.csv"):
        project.path(f"{ENCODER}/{name}").unlink()
    return project


def slow_down(project, seconds):
    """How and when a training saves does not count for what runs again."""
    source = project.path("doppelgangers/pretraining/saving.py")
    text = source.read_text()
    due = "return time.monotonic() - self.saved > self.every_s"
    assert text.count(due) == 1
    source.write_text(text.replace(due, f"return time.sleep({seconds}) is None"))


def step_of(project):
    """The last step that a training has saved; 0 before the first."""
    file = project.path(f"{ENCODER}/checkpoint.pt")
    return torch.load(file, weights_only=True)["state"]["step"] if file.exists() else 0


def job_of(cluster, project, rule, state="RUNNING"):
    """The job of a rule in a state."""
    return next((job for job in cluster.jobs(project.folder) if (job["rule"], job["JobState"]) == (rule, state)), None)


def same_results(project, finished):
    """Whether all is there, and equal to what a run on one machine made."""
    assert project.jobs() == {}
    for name in ("results/table.csv", "results/scores.csv", f"{ENCODER}/encoder.safetensors"):
        assert project.path(name).read_bytes() == finished.path(name).read_bytes(), name


def ended(process):
    """Exit status and output of a run."""
    output, _ = process.communicate(timeout=400)
    return process.returncode, output


def test_the_study_runs_through_slurm_to_the_same_table(cluster, finished, project):
    result = project.run(*PROFILE)
    assert result.returncode == 0, result.stdout
    same_results(project, finished)
    jobs = {job["rule"]: job for job in cluster.jobs(project.folder)}
    assert set(jobs) == {"extract_features", "generate_pairs", "prepare", "pretrain", "train_linear_probes"}
    for rule, job in jobs.items():
        gpu = rule != "prepare"
        assert (job["Partition"], job.get("TresPerJob")) == (("gpu", "gres:gpu:1") if gpu else ("cpu", None)), rule
        assert job["Requeue"] == "1"
        assert job["TimeLimit"] != "UNLIMITED"
        assert "mem=" in job["TRES"]
    assert not list(project.path("logs/slurm").rglob("*.log"))  # those of jobs that succeeded
    assert project.path(LOG).exists()
    again = project.run(*PROFILE)
    assert "Nothing to be done" in again.stdout


@pytest.mark.parametrize("to_train", [4.0], indirect=True, ids=["4 s a step"])
def test_a_training_goes_on_after_every_mishap(cluster, finished, to_train):
    """It loses its node, has to make way, is cancelled, and runs out of time, one after the other."""
    project = to_train
    process = project.start(*PROFILE, "--set-resources", "pretrain:runtime=1 if attempt == 2 else 30")
    seen = []

    def goes_on(mishap, last):
        """Wait for the attempt after the last one, and until it has continued and gone a step further."""
        before = step_of(project)
        known = last["JobId"], last["Restarts"]
        job = wait_for(
            lambda: (job := job_of(cluster, project, "pretrain")) and (job["JobId"], job["Restarts"]) != known and job, mishap
        )
        log = project.path(LOG)
        log.unlink(missing_ok=True)  # that of the last attempt
        said = wait_for(lambda: log.exists() and re.search(r"continuing at step (\d+)", log.read_text()), mishap)
        wait_for(lambda: step_of(project) > int(said[1]), mishap)
        seen.append((mishap, before, int(said[1])))
        return job

    first = wait_for(lambda: step_of(project) > 0 and job_of(cluster, project, "pretrain"), "the training")
    cluster.kill_node(first["BatchHost"])
    wait_for(lambda: "down" in cluster.states()[first["BatchHost"]], "the node's end")
    cluster.call("scontrol", "update", f"JobId={first['JobId']}", "StartTime=now")  # SLURM would wait for two minutes
    moved = goes_on("node down", first)
    assert (moved["JobId"], moved["Restarts"]) == (first["JobId"], "1")
    assert moved["BatchHost"] != first["BatchHost"]
    cluster.start_node(first["BatchHost"])
    wait_for(lambda: cluster.states()[first["BatchHost"]] == "idle", "the node's return")

    urgent = (
        "--partition=urgent",
        f"--nodelist={moved['BatchHost']}",
        "--cpus-per-task=8",
        "--output=/dev/null",
        "--wrap=sleep 3",
    )
    cluster.call("sbatch", *urgent)
    wait_for(lambda: job_of(cluster, project, "pretrain", "PENDING"), "the preemption")
    cluster.call("scontrol", "update", f"JobId={first['JobId']}", "StartTime=now")
    preempted = goes_on("preempted", moved)
    assert (preempted["JobId"], preempted["Restarts"]) == (first["JobId"], "2")

    cluster.call("scancel", first["JobId"])
    second = goes_on("cancelled", preempted)

    wait_for(lambda: job_of(cluster, project, "pretrain", "TIMEOUT"), "the end of its time")
    third = goes_on("out of time", second)
    assert [job["TimeLimit"] for job in (first, second, third)] == ["00:30:00", "00:01:00", "00:30:00"]

    status, output = ended(process)
    assert status == 0, output
    assert [mishap for mishap, _, _ in seen] == ["node down", "preempted", "cancelled", "out of time"]
    assert all(continued >= before > 0 for _, before, continued in seen), seen
    same_results(project, finished)
    done = [job["rule"] for job in cluster.jobs(project.folder) if job["rule"] != "pretrain"]
    assert sorted(done) == ["extract_features", "train_linear_probes"]  # of this encoder, and each once


def test_a_controller_that_is_killed_leaves_jobs_whose_results_count(cluster, finished, to_train):
    project = to_train
    first = project.start(*PROFILE)
    wait_for(lambda: step_of(project) > 1, "the training")
    beside = project.run(*PROFILE)
    assert beside.returncode != 0
    assert "Directory cannot be locked" in beside.stdout
    os.kill(first.pid, signal.SIGKILL)
    ended(first)

    forced = project.run("--unlock")
    assert forced.returncode == 0, forced.stdout
    too_early = project.run(*PROFILE)
    assert too_early.returncode != 0
    assert re.search(r"jobs of an earlier run still wait or work in this folder: \d+\. Run make", too_early.stdout)

    made_ready = subprocess.run(
        [sys.executable, "-m", "doppelgangers.workflow.unlock"], cwd=project.folder, capture_output=True, text=True
    )
    assert made_ready.returncode == 0, made_ready.stderr
    assert re.search(r"waiting for jobs of a run that is gone.*\(RUNNING\).*scancel \d+", made_ready.stderr)
    assert "pretrain" not in project.jobs()
    status, output = ended(project.start(*PROFILE))
    assert status == 0, output
    same_results(project, finished)
    assert [job["rule"] for job in cluster.jobs(project.folder)].count("pretrain") == 1


def test_a_controller_that_is_told_to_end_leaves_what_was_done(cluster, finished, to_train):
    """SLURM's own controller is killed, too, and started again."""
    project = to_train
    process = project.start(*PROFILE)
    wait_for(lambda: step_of(project) > 1, "the training")
    process.terminate()
    cluster.kill_controller()
    time.sleep(3)
    cluster.start_controller()
    status, output = ended(process)
    assert status != 0, output
    assert project.path(f"{ENCODER}/encoder.safetensors").exists()  # it waited for the job that ran
    assert not project.path("results/features/drums/voice-0.05/seed=0.npy").exists() or "pretrain" not in project.jobs()
    status, output = ended(project.start(*PROFILE))
    assert status == 0, output
    same_results(project, finished)
    assert [job["rule"] for job in cluster.jobs(project.folder)].count("pretrain") == 1


def test_a_job_that_fails_is_tried_with_more_and_what_others_made_stays(cluster, finished, tmp_path):
    project = finished.copy(tmp_path / "study")
    features = project.path("results/features/drums/random_init/seed=0.npy")
    times = features.stat()
    features.write_bytes(features.read_bytes()[:1000])
    os.utime(features, ns=(times.st_atime_ns, times.st_mtime_ns))
    for setting in ("random_init", "voice-0.05"):
        project.path(f"results/probes/percussion/{setting}.csv").unlink()
    status, output = ended(project.start(*PROFILE))
    assert status != 0
    tried = [job for job in cluster.jobs(project.folder) if "random_init" in job["Comment"]]
    assert [job["JobState"] for job in tried] == ["FAILED"] * 3
    memory = [int(re.search(r"mem=(\d+)M", job["TRES"])[1]) for job in tried]
    assert memory[0] < memory[1] < memory[2]
    assert project.path("results/probes/percussion/voice-0.05.csv").exists()
    assert len(list(project.path("logs/slurm").rglob("*.log"))) == 3
    assert "seed=0.npy" in project.path("logs/train_linear_probes/percussion_random_init.log").read_text()
    assert "results/table.csv and what else a failed job should have renewed is not renewed" in output

    features.unlink()
    assert project.jobs()["train_linear_probes"] == 1
    limits = "train_linear_probes:mem_mb=100 if attempt == 1 else 4000"  # too little, and it is ended for it
    status, output = ended(project.start(*PROFILE, "--set-resources", limits))
    assert status == 0, output
    same_results(project, finished)
    last = [job["JobState"] for job in cluster.jobs(project.folder) if "random_init" in job["Comment"]][3:]
    assert sorted(last) == ["COMPLETED", "COMPLETED", "FAILED"]  # features, probes, and the try with too little


@pytest.mark.parametrize("to_train", [0.0], indirect=True, ids=["at once"])
def test_a_training_on_two_nodes(cluster, to_train):
    project = to_train
    project.path("two.yaml").write_text("pretrain: {gpus: 0, ranks: 2, nodes: 2}\n")
    result = project.run(*PROFILE, config=("two.yaml",), target=f"{ENCODER}/encoder.safetensors")
    assert result.returncode == 0, result.stdout
    job = job_of(cluster, project, "pretrain", "COMPLETED")
    assert (job["NumNodes"], job["NodeList"]) == ("2", "one,two")
    history = pd.read_csv(project.path(f"{ENCODER}/history.csv"))
    assert (history.pairs.iloc[-1], np.isfinite(history.loss).all()) == (512, True)
    assert read_json(project.path(f"{ENCODER}/encoder.json"))["settings"]["ranks"] == 2
    assert not list(project.path(ENCODER).glob("ranks.*"))


def test_the_form_of_gpus_that_some_sites_need(cluster, finished, tmp_path):
    """The lines of the profile that are to be taken into use."""
    project = finished.copy(tmp_path / "study")
    profile = project.path("profiles/slurm/profile.yaml")
    text = profile.read_text()
    lines = re.search(r"^# set-resources:\n(#   .*\n)+", text, re.MULTILINE)[0]
    profile.write_text(text.replace(lines, lines.replace("# ", "", 1).replace("\n# ", "\n")))
    claiming = {
        rule for rule, wants in yaml.safe_load(profile.read_text())["set-resources"].items() if wants["gres"] == "gpu:1"
    }
    rules = parse({})
    assert claiming == {name for name, rule in rules.items() if "gpu" in rule.resources}
    project.path("results/features/drums/random_init/seed=0.npy").unlink()
    result = project.run(*PROFILE, target="results/features/drums/random_init/seed=0.npy")
    assert result.returncode == 0, result.stdout
    job = job_of(cluster, project, "extract_features", "COMPLETED")
    assert (job["TresPerNode"], job["Partition"]) == ("gres:gpu:1", "gpu")
