"""What several tests need."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.archives import write_zip
from tests.miniatures import esc50_files
from tests.server import Host

pytest_plugins = ["tests.browser"]

ROOT = Path(__file__).resolve().parent.parent

# Half of the time of the tests was JAX compiling the same synthesizers, here and in the jobs of workflows. Set before it loads.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".pytest_cache/jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# That of a notebook, in which tests may be started, is not in this environment.
os.environ["MPLBACKEND"] = "Agg"
# Threads of torch that wait keep a core busy, which those of other processes need. Jobs of workflows set their own number.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture
def esc50_zip(tmp_path):
    return write_zip(tmp_path / "esc50.zip", esc50_files())


@pytest.fixture
def host(tmp_path):
    """A file server on 127.0.0.1, of the folder `served` in the test's own."""
    (tmp_path / "served").mkdir()
    host = Host(tmp_path / "served")
    yield host
    host.close()


@pytest.fixture
def small_disk():
    """Mounts a file system on a new folder; only root can."""
    mounted = []

    def mount(folder, options):
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting needs root")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
