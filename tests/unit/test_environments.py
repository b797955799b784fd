"""The environments besides .venv, conda's and the container's, have the packages of the locks and the same Python."""

import re
import tomllib

import yaml

from doppelgangers.workflow.config_docs import ROOT

CONDA = yaml.safe_load((ROOT / "envs/doppelgangers.yaml").read_text())
AFTER = (ROOT / "envs/doppelgangers.post-deploy.sh").read_text()
RECIPE = (ROOT / "envs/doppelgangers.def").read_text()
DEBIAN_PYTHON = {"bookworm": "3.11", "trixie": "3.13"}  # https://wiki.debian.org/Python


def python_of_conda():
    return next(entry.removeprefix("python=") for entry in CONDA["dependencies"] if str(entry).startswith("python="))


def test_conda_has_every_pin_of_the_lock_and_no_other():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = {line.removesuffix("\\").strip() for line in lines if line and not line.startswith((" ", "#"))}
    (packages,) = [entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict)]
    assert len(packages) == len(set(packages)) > 100
    (alone,) = re.findall(r"^pip install --no-deps (\S+)$", AFTER, re.MULTILINE)
    assert {*packages, alone} == locked
    assert alone not in packages
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]
    assert [entry for entry in CONDA["dependencies"] if isinstance(entry, str)] == ["python=3.11", "pip", "pyaudio"]


def test_all_environments_have_a_python_that_the_project_allows():
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", allowed).groups()
    debian = re.search(r"^From: debian:(\w+)-slim$", RECIPE, re.MULTILINE)[1]
    assert python_of_conda() == DEBIAN_PYTHON[debian]
    assert int(low) <= int(python_of_conda().partition(".")[2]) < int(high)


def test_the_container_is_made_of_both_locks_with_hashes():
    files = re.search(r"^%files\n((?:    .*\n)+)", RECIPE, re.MULTILINE)[1].split()
    assert files[::2] == ["requirements.lock", "requirements-cuda.lock"]
    assert all((ROOT / file).is_file() for file in files[::2])
    assert files[1::2] == [f"/opt/doppelgangers/{file}" for file in files[::2]]
    (loop,) = re.findall(r"for lock in (.*); do\n *\S+/pip install (.*)\n", RECIPE)
    assert loop[0].split() == [file.removesuffix(".lock") for file in files[::2]]
    assert {"--require-hashes", "--no-deps"} <= set(loop[1].split())
    assert loop[1].endswith("-r /opt/doppelgangers/$lock.lock")


def test_the_makefile_renews_them_and_no_image_gets_into_the_repository():
    lock = re.search(r"^lock: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert lock.splitlines()[-1] == "\t.venv/bin/python envs/write_environment.py"
    assert "*.sif" in (ROOT / ".gitignore").read_text().splitlines()
