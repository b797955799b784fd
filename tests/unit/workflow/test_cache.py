"""The folder that clones share: entries are whole, checked, and those of one job only."""

import asyncio
import os
import shutil
import types

import pytest
from snakemake.exceptions import CacheMissException, WorkflowError

from doppelgangers.errors import UserError
from doppelgangers.files import checksum, write_json
from doppelgangers.workflow import cache
from doppelgangers.workflow.cache import (
    SharedCache,
    check_entry,
    check_inputs,
    drop_links_to_deleted_entries,
    entry_of,
    require_cache,
)

CARD = "results/encoders/voice/seed=0/encoder.json"


class Names(dict):
    """Named values, as a job of Snakemake has them."""

    def __getattr__(self, name):
        return self[name]


def a_job(folder, seed="0", rate=0.1, inputs=(), output=CARD):
    """What the cache asks of a job of Snakemake."""
    script = folder / "pretrain.py"
    script.write_text("train()")
    return types.SimpleNamespace(
        rule=types.SimpleNamespace(name="pretrain", script="pretrain.py", basedir=folder),
        dag=types.SimpleNamespace(workflow=types.SimpleNamespace(sourcecache=None)),
        wildcards=Names(setting="voice", seed=seed),
        params=Names(config={"pretrain": {"rate": rate}}, code="pretrain 0123"),
        input=list(inputs),
        output=[output],
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder, with an empty cache elsewhere."""
    (tmp_path / "work").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o2770)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "get_source", lambda path, _, folder, *__: (path, (folder / path).read_text()))
    return tmp_path / "work"


def make(folder, text="made here", output=CARD):
    """The files of a job and their record, as `job` leaves them."""
    files = {}
    for path in (folder / output, (folder / output).with_name("side.bin")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}: {path.name}")
        files[path.name] = {"bytes": path.stat().st_size, "sha256": checksum(path)}
    write_json(folder / f"{output}.made.json", {"files": files, "rule": "pretrain"})


def run(action, job):
    asyncio.run(action(job))


def test_what_one_run_stores_another_takes_with_all_that_was_made(folder, tmp_path, monkeypatch):
    make(folder)
    run(SharedCache().store, a_job(folder))
    (entry,) = (tmp_path / "cache").iterdir()
    assert {path.name for path in entry.iterdir()} == {"encoder.json", "side.bin", "encoder.json.made.json"}
    assert entry.stat().st_mode & 0o7777 == 0o2770
    assert {path.stat().st_mode & 0o777 for path in entry.iterdir()} == {0o440}
    assert (folder / CARD).read_text() == "made here: encoder.json"
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    run(SharedCache().fetch, a_job(other))
    assert entry_of(other / CARD) == entry
    assert (other / CARD).with_name("side.bin").read_text() == "made here: side.bin"
    check_inputs([CARD, "of/my/own"])


def test_of_two_runs_that_end_together_the_first_one_stays_and_both_read_it(folder, tmp_path):
    job = a_job(folder)
    make(folder, "first")
    run(SharedCache().store, job)
    make_again = folder / CARD
    shutil.rmtree(make_again.parent)
    make(folder, "second")
    run(SharedCache().store, job)
    assert (folder / CARD).read_text() == "first: encoder.json"
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_every_difference_gives_another_entry(folder, monkeypatch):
    make(folder / "earlier", output="store.json")
    jobs = [a_job(folder), a_job(folder, seed="1"), a_job(folder, rate=0.2), a_job(folder, inputs=["earlier/store.json"])]
    keys = {SharedCache().key(job) for job in jobs}
    make(folder / "earlier", "other bytes", output="store.json")
    keys.add(SharedCache().key(jobs[-1]))
    monkeypatch.setattr(cache, "versions", lambda: {"torch": "0.1", "snakemake": "9"})
    keys.add(SharedCache().key(jobs[0]))
    assert len(keys) == 6
    monkeypatch.setattr(cache, "versions", lambda: {"torch": "0.1", "snakemake": "10"})
    assert SharedCache().key(jobs[0]) in keys  # how a job is started does not count


def test_where_a_clone_lies_does_not_count(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    assert SharedCache().key(a_job(folder)) == SharedCache().key(a_job(other))


def test_what_has_no_record_is_not_taken_for_something_known(folder):
    make(folder, output="results/pairs/voice/manifest.json")
    job = a_job(folder, inputs=["results/pairs/voice/manifest.json"])
    assert SharedCache().key(job)
    (folder / "results/pairs/voice/manifest.json.made.json").unlink()
    with pytest.raises(WorkflowError, match=r"results/pairs/voice/manifest\.json has no record"):
        SharedCache().key(job)


@pytest.mark.parametrize("fault", ["changed", "missing", "without a record", "record cut off"])
def test_a_damaged_entry_is_named_and_not_used(folder, tmp_path, fault):
    make(folder)
    job = a_job(folder)
    run(SharedCache().store, job)
    (entry,) = (tmp_path / "cache").iterdir()
    side, record = entry / "side.bin", entry / "encoder.json.made.json"
    for path in (side, record):
        path.chmod(0o600)
    if fault == "changed":
        times = side.stat()
        side.write_text("Made here: side.bin")  # as long
        os.utime(side, ns=(times.st_atime_ns, times.st_mtime_ns))
    elif fault == "record cut off":
        record.write_text(record.read_text()[:20])
    else:
        (side if fault == "missing" else record).unlink()
    with pytest.raises(UserError, match=f"{entry} is damaged .*: delete that folder and run again"):
        check_inputs([CARD])  # though it was checked before
    for path in (folder / CARD).parent.iterdir():
        path.unlink()
    with pytest.raises(WorkflowError, match=f"{entry} is damaged"):
        run(SharedCache().fetch, job)
    assert not (folder / CARD).exists()
    shutil.rmtree(entry)
    with pytest.raises(CacheMissException):
        run(SharedCache().fetch, job)


def test_an_entry_is_read_once_and_again_when_it_was_written(folder, tmp_path, monkeypatch):
    make(folder)
    run(SharedCache().store, a_job(folder))
    (entry,) = (tmp_path / "cache").iterdir()
    read = []
    monkeypatch.setattr(cache, "checksum", lambda path: read.append(path.name) or checksum(path))
    check_entry(entry)
    assert read == []
    os.utime(entry / "side.bin")
    check_entry(entry)
    assert sorted(read) == ["encoder.json", "side.bin"]


def test_links_to_a_deleted_entry_are_no_results_and_those_to_a_lost_disk_stop_the_run(folder, tmp_path):
    make(folder)
    run(SharedCache().store, a_job(folder))
    mine = (folder / CARD).with_name("mine")
    mine.symlink_to("/nowhere/at/all")
    drop_links_to_deleted_entries()
    assert (folder / CARD).exists()
    (tmp_path / "cache").rename(tmp_path / "unmounted")
    with pytest.raises(UserError, match=rf"link to the cache {tmp_path}/cache, which is not there: mount it"):
        drop_links_to_deleted_entries()
    assert (folder / CARD).is_symlink()
    (tmp_path / "unmounted").rename(tmp_path / "cache")
    for entry in (tmp_path / "cache").iterdir():
        shutil.rmtree(entry)
    drop_links_to_deleted_entries()
    assert list((folder / CARD).parent.iterdir()) == [mine]


def test_a_cache_that_cannot_be_used_is_found_before_anything_is_computed(folder, monkeypatch):
    require_cache()
    for location, said in (
        ("", "set the environment variable SNAKEMAKE_OUTPUT_CACHE"),
        ("/no/such", "/no/such is not a folder"),
    ):
        monkeypatch.setenv("SNAKEMAKE_OUTPUT_CACHE", location)
        with pytest.raises(UserError, match=said):
            require_cache()
