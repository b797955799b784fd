import shutil
import subprocess
import sys

from tests.conftest import ROOT


def git(folder, *arguments):
    command = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit_of(code, **environment):
    """What the code in a folder says of its own commit."""
    command = [sys.executable, "-c", "from doppelgangers.provenance import commit; print(commit())"]
    environment = {"PYTHONPATH": str(code), "PATH": "/usr/bin:/bin", **environment}
    return subprocess.run(command, cwd=code.parent, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_that_of_the_repository_of_the_code_and_of_no_other(tmp_path):
    other, code = tmp_path / "other", tmp_path / "other/code"
    shutil.copytree(ROOT / "doppelgangers", code / "doppelgangers", ignore=shutil.ignore_patterns("__pycache__"))
    git(tmp_path, "init", "-q", str(other))
    git(other, "commit", "-q", "--allow-empty", "-m", "theirs")
    git(other, "tag", "-m", "theirs", "other-v9")
    assert commit_of(code) == ""  # a copy without a history of its own
    git(tmp_path, "init", "-q", str(code))
    git(code, "add", "doppelgangers")
    git(code, "commit", "-q", "-m", "ours")
    ours = git(code, "rev-parse", "--short", "HEAD")
    assert commit_of(code) == ours
    assert commit_of(code, GIT_DIR=str(other / ".git")) == ours
    (code / "doppelgangers/errors.py").write_text("")
    assert commit_of(code) == f"{ours}-dirty"
