import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from doppelgangers.workflow import machine
from doppelgangers.workflow.machine import gpus_of_a_job, let_waiting_threads_sleep


@pytest.mark.parametrize(
    ("asked", "local", "has", "claim"),
    [
        ("auto", True, True, 1),
        ("auto", True, False, 0),
        ("auto", False, False, 1),  # the machine that runs the job may have one
        (2, True, True, 1),  # what other stages claim
        (0, True, True, 0),
        (0, False, True, 0),
    ],
)
def test_what_a_job_claims(monkeypatch, asked, local, has, claim):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(machine, "DRIVER", Path("/nowhere"))
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}" if has else None)
    assert gpus_of_a_job(asked, local) == claim


@pytest.mark.parametrize(("visible", "claim"), [(None, 1), ("1", 1), ("", 0), ("-1", 0)])
def test_a_container_may_have_a_gpu_without_the_program_and_the_user_may_hide_it(monkeypatch, tmp_path, visible, claim):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setattr(machine, "DRIVER", tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus_of_a_job("auto", local=True) == claim


def test_the_users_own_setting_of_threads_stays(monkeypatch):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that it is as before afterwards
        monkeypatch.delenv(name)
    let_waiting_threads_sleep()
    assert os.environ["GOMP_SPINCOUNT"] == "3000"
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    let_waiting_threads_sleep()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    let_waiting_threads_sleep()
    assert "GOMP_SPINCOUNT" not in os.environ


def test_nothing_heavy_is_loaded():
    loaded = "import sys, doppelgangers.workflow.machine; print(sorted({'torch', 'jax', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"
