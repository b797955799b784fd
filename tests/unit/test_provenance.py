import hashlib
import os
import shutil
import subprocess
import sys

from doppelgangers.files import checksum, write_json
from doppelgangers.provenance import made_of, record_of, recorded_checksum, records_in
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
    (code / "doppelgangers/audio.py").write_text("")
    assert commit_of(code) == f"{ours}-dirty"


def noted(folder, *names):
    """Files with a record of theirs beside the first."""
    files = {}
    for name in names:
        (folder / name).write_text(f"this is {name}")
        files[name] = {"bytes": (folder / name).stat().st_size, "sha256": checksum(folder / name)}
    write_json(made_of(folder / names[0]), {"rule": names[0], "files": files})


def test_every_file_of_a_job_leads_to_the_record_of_that_job(tmp_path):
    noted(tmp_path, "a.csv", "b.npy")
    noted(tmp_path, "c.csv", "d.npy")
    (tmp_path / "mine").write_text("x")
    found = [record_of(tmp_path / name) for name in ("a.csv", "b.npy", "c.csv", "d.npy", "mine", "absent")]
    assert [record and record["rule"] for record in found] == ["a.csv", "a.csv", "c.csv", "c.csv", None, None]
    assert recorded_checksum(tmp_path / "b.npy") == hashlib.sha256(b"this is b.npy").hexdigest()
    assert recorded_checksum(tmp_path / "mine") == ""
    (tmp_path / "folder").mkdir()
    write_json(made_of(tmp_path / "folder"), {"rule": "folder", "files": {}})
    assert record_of(tmp_path / "folder")["rule"] == "folder"
    assert len(list(records_in(tmp_path))) == 3


def test_a_record_does_not_count_for_a_file_that_was_replaced(tmp_path):
    noted(tmp_path, "a.csv")
    later = made_of(tmp_path / "a.csv").stat().st_mtime_ns + 10**9
    os.utime(tmp_path / "a.csv", ns=(later, later))
    assert record_of(tmp_path / "a.csv")  # touched only
    (tmp_path / "a.csv").write_text("THIS is a.csv")
    os.utime(tmp_path / "a.csv", ns=(later, later))
    assert record_of(tmp_path / "a.csv") is None
    (tmp_path / "a.csv").write_text("longer than it was")
    os.utime(tmp_path / "a.csv", ns=(0, 0))
    assert record_of(tmp_path / "a.csv") is None
