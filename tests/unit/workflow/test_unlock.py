import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from doppelgangers.workflow.unlock import HOLDER, LOCKS, note_holder, unlock, whereabouts


@pytest.fixture
def locked(tmp_path):
    """A folder with Snakemake's locks."""
    (tmp_path / LOCKS).mkdir(parents=True)
    (tmp_path / LOCKS / "0.input.lock").write_text("results/table.csv\n")
    return tmp_path


def note(folder, **changes):
    """As a run that was killed would have left it."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    holder = {**whereabouts(), "process": ended.pid, "started": time.time() - 60, **changes}
    (folder / HOLDER).write_text(json.dumps(holder))


def test_the_lock_of_a_run_that_is_gone_is_lifted(locked):
    note(locked)
    unlock(locked)
    assert not (locked / LOCKS).exists()


def test_a_number_that_another_process_has_now_is_no_run(locked):
    note(locked, process=os.getpid())
    unlock(locked)
    assert not (locked / LOCKS).exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": "node17"}, r"process \d+ on node17, a run of 20"),
        ({"boot": "another"}, "a run of before the last start of "),
        ({"process_space": "pid:[1]"}, r"process \d+ on "),
        ({"process": os.getpid(), "started": psutil.Process().create_time()}, f"process {os.getpid()} on "),
    ],
    ids=["another host", "another start", "another container", "alive"],
)
def test_the_lock_of_a_run_that_may_be_alive_stays_and_it_is_named(locked, changes, said):
    note(locked, **changes)
    with pytest.raises(SystemExit, match=said):
        unlock(locked)
    assert (locked / LOCKS / "0.input.lock").exists()


def test_a_lock_of_which_nobody_noted_anything_stays(locked):
    with pytest.raises(SystemExit, match=r"a run that did not say who it is.*--unlock"):
        unlock(locked)
    note(locked)
    os.utime(locked / LOCKS / "0.input.lock", (time.time() + 9, time.time() + 9))  # a later run's
    with pytest.raises(SystemExit, match="a run that did not say who it is"):
        unlock(locked)
    assert (locked / LOCKS / "0.input.lock").exists()


def test_a_process_notes_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    note_holder(on_cluster=False)
    holder = json.loads((tmp_path / HOLDER).read_text())
    assert holder["process"] == os.getpid()
    assert psutil.Process(holder["process"]).create_time() == holder["started"]


def test_a_folder_without_a_lock_is_ready(tmp_path):
    unlock(tmp_path)
