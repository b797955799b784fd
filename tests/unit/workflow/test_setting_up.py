"""What is looked at before a run starts or an environment is set up."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from doppelgangers.errors import UserError
from doppelgangers.files import checksum
from doppelgangers.workflow.checks import check_interpreter
from tests.conftest import ROOT

BAD = [
    "with space",
    "it's",
    'say "hi"',
    "a&b",
    "a(b",
    "a)b",
    "a$b",
    "a;b",
    "a\\b",
    "a*b",
    "a?b",
    "a|b",
    "a<b",
    "a>b",
    "a`b",
    "a\tb",
]
GOOD = ["doppelgangers-0.1_x", "Doppelgänger", "a@b", "a+b", "a=b", "a,b", "a%20b", "a#b", "a~b", "a{b}", "a^b", "a!b"]


def make(folder, *arguments, lock="", **variables):
    """Run the project's Makefile in a folder, with another lock."""
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "requirements.lock").write_text(lock)
    (folder / "requirements-cuda.lock").write_text("")
    env = {**os.environ, **variables}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def shell_reads(path):
    """What bash makes of a path that is not quoted, as in Snakemake's commands; None where it is no command."""
    done = subprocess.run(["bash", "-c", f"printf '%s\\n' {path} x"], capture_output=True, text=True)
    return done.stdout.splitlines()[:-1] if done.returncode == 0 else None


@pytest.mark.parametrize("name", BAD)
def test_a_path_that_jobs_cannot_take_is_refused_before_anything_is_installed(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    folder.mkdir()
    result = make(folder, "setup", "PYTHON=false")
    assert result.returncode != 0
    assert f"the path {folder} has a space, a quote" in result.stdout
    assert "Nothing was installed: move this folder" in result.stdout
    assert "false" not in result.stdout
    monkeypatch.setattr(sys, "executable", str(folder / ".venv/bin/python"))
    with pytest.raises(UserError, match=r"has the character .* move the folder to a path without it"):
        check_interpreter()


def test_a_colon_is_refused_since_no_environment_can_have_one(tmp_path):
    (tmp_path / "a:b").mkdir()
    assert "Nothing was installed" in make(tmp_path / "a:b", "setup", "PYTHON=false").stdout


@pytest.mark.parametrize("name", GOOD)
def test_a_path_that_jobs_can_take_is_not_refused(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    folder.mkdir()
    assert shell_reads(folder) == [str(folder)]
    assert "false -c" in make(folder, "setup", "PYTHON=false").stdout  # it came to the first command
    monkeypatch.setattr(sys, "executable", str(folder / ".venv/bin/python"))
    check_interpreter()


def test_setting_up_does_not_depend_on_the_users_settings_of_pip(tmp_path):
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    elsewhere = str(tmp_path / "elsewhere")
    options = {"PIP_USER": "1", "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PYTHONUSERBASE": elsewhere}
    options |= {
        "PIP_TARGET": elsewhere,
        "PIP_PREFIX": elsewhere,
        "PIP_CONSTRAINT": str(tmp_path / "none.txt"),
        "PIP_DRY_RUN": "1",
    }
    wheel = tmp_path / "small-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("small.py", "")
        archive.writestr("small-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1\n")
        archive.writestr("small-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("small-1.dist-info/RECORD", "")
    lock = f"small @ {wheel.as_uri()} --hash=sha256:{checksum(wheel)}\n"
    result = make(tmp_path, "setup", f"PYTHON={sys.executable}", lock=lock, **options)
    assert result.returncode == 0, result.stdout
    assert (tmp_path / ".venv/installed").exists()
    assert len(list(tmp_path.glob(".venv/lib/python*/site-packages/small.py"))) == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_home_that_cannot_be_written_gets_a_cache_in_the_project(tmp_path):
    (tmp_path / "extra.mk").write_text("include Makefile\nshow:\n\t@echo cache=$$XDG_CACHE_HOME\n")
    (tmp_path / "home").mkdir()
    free = {"XDG_CACHE_HOME": ""}
    assert f"cache={tmp_path}/.snakemake/cache" in make(tmp_path, "-f", "extra.mk", "show", HOME="/proc/none", **free).stdout
    assert "cache=\n" in make(tmp_path, "-f", "extra.mk", "show", HOME=str(tmp_path / "home"), **free).stdout
