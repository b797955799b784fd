"""What a job does around its stage, in a process of its own, because it changes the process."""

import subprocess
import sys

import pytest
import torch

from tests.conftest import ROOT

SCRIPT = """
import json, sys, types
import jax, torch
from doppelgangers.errors import UserError
from doppelgangers.workflow.job import job
resources = json.loads(sys.argv[2])
log = sys.argv[1]
with job(types.SimpleNamespace(log=[log], input=[], output=[f"{log}.out"], threads=1, rule="pretrain", resources=resources)):
"""


def run(log, body, resources="{}"):
    return subprocess.run(
        [sys.executable, "-c", f"{SCRIPT}    {body}", str(log), resources], capture_output=True, text=True, cwd=ROOT
    )


def test_an_unexpected_error_is_in_the_log_with_its_traceback(tmp_path):
    done = run(tmp_path / "log", "int('seven')")
    assert done.returncode == 1
    for text in (done.stderr, (tmp_path / "log").read_text()):
        assert text.count("Traceback") == 1
        assert "ValueError: invalid literal for int() with base 10: 'seven'" in text


def test_a_users_problem_is_in_the_log_alone(tmp_path):
    done = run(tmp_path / "log", "raise UserError('lower it')")
    assert done.returncode == 1
    for text in (done.stderr, (tmp_path / "log").read_text()):
        assert "ERROR in pretrain: lower it" in text
        assert "Traceback" not in text


TELL = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'), jax.config.jax_platforms, file=sys.stderr); os._exit(0)"


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ("{}", " cpu\n"),
        ('{"gpu": 0}', " cpu\n"),
        ('{"gpu": 1}', "3 None\n"),
        ('{"gpu": 0, "gres": "gpu:a100:1"}', "3 None\n"),
        ('{"gpu": 0, "gres": "tmp:1"}', " cpu\n"),
    ],
)
def test_a_job_without_a_claim_finds_no_gpu(tmp_path, monkeypatch, resources, told):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    assert run(tmp_path / "log", TELL, resources).stderr == told


def test_what_scripts_import_takes_no_device_yet():
    scripts = [path.read_text() for path in (ROOT / "workflow_scripts").glob("*.py")]
    lines = {line for text in scripts for line in text.splitlines() if line.startswith("from doppelgangers")}
    assert len(lines) > 20
    look = "import torch; from jax._src import xla_bridge; print(xla_bridge._backends, torch.cuda.is_initialized())"
    done = subprocess.run([sys.executable, "-c", "\n".join([*lines, look])], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "{} False\n", done.stderr


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(("gpu", "found"), [(0, "False {'cpu'}\n"), (1, "True {'gpu'}\n")])
def test_hiding_is_early_enough(tmp_path, gpu, found):
    body = "print(torch.cuda.is_available(), {d.platform for d in jax.devices()}, file=sys.stderr); import os; os._exit(0)"
    assert run(tmp_path / "log", body, gpu).stderr.endswith(found)
