"""Jobs that a run left behind, with a squeue and a scancel of the test; tests/workflow/test_slurm.py has a real SLURM."""

import os

import pytest

from doppelgangers.errors import UserError
from doppelgangers.workflow import slurm


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A function that sets what squeue answers: lines for one call, then for the next."""
    monkeypatch.setattr(slurm, "LOOK_S", 0.01)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    (tmp_path / "bin").mkdir()

    def script(name, text):
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def answers(*calls, status=0):
        for number, lines in enumerate(calls):
            (tmp_path / f"answer{number}").write_text("".join(f"{line}\n" for line in lines))
        script("scancel", f'echo "$@" >> {tmp_path}/cancelled')
        script(
            "squeue",
            f"cd {tmp_path}; n=$(cat called 2>/dev/null || echo 0); echo $((n + 1)) > called\n"
            f"if [ {status} != 0 ]; then echo 'slurm_load_jobs error' >&2; exit {status}; fi\n"
            "if [ -e answer$n ]; then cat answer$n; fi",
        )
        return tmp_path

    return answers


def test_jobs_of_snakemake_in_this_folder_are_told_from_others(queue, tmp_path):
    queue(
        [
            f"1|RUNNING|{tmp_path}|rule_pretrain_wildcards_voice|0.25",
            f"2|PENDING|{tmp_path}/|group_7",
            f"3|RUNNING|{tmp_path}|another program",
            "4|RUNNING|/elsewhere|rule_pretrain",
        ]
    )
    assert slurm.jobs_in(tmp_path) == {"1": "RUNNING", "2": "PENDING"}


def test_a_run_beside_jobs_of_another_is_refused_with_what_to_do(queue, tmp_path):
    queue([f"11|RUNNING|{tmp_path}|rule_pretrain", f"12|PENDING|{tmp_path}|rule_pretrain"], [])
    with pytest.raises(UserError, match=r"11 12\. Run make, .*scancel 11 12"):
        slurm.refuse_beside_jobs(tmp_path)
    slurm.refuse_beside_jobs(tmp_path)  # they have ended


def test_jobs_that_wait_are_cancelled_and_those_that_run_are_waited_for_and_named_once(queue, tmp_path, caplog):
    runs, waits = f"11|RUNNING|{tmp_path}|rule_pretrain", f"12|PENDING|{tmp_path}|rule_pretrain"
    queue([runs, waits], [runs], [runs], [])
    slurm.settle_jobs(tmp_path)
    assert (tmp_path / "cancelled").read_text() == "--state=PENDING 12\n"
    assert (tmp_path / "called").read_text() == "4\n"
    assert [record.getMessage().count("11 (RUNNING)") for record in caplog.records] == [1]


def test_a_slurm_that_does_not_answer_stops_the_run(queue, tmp_path, monkeypatch):
    queue(status=1)
    with pytest.raises(UserError, match="slurm_load_jobs error"):
        slurm.settle_jobs(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(UserError, match=r"squeue.*try again where squeue works"):
        slurm.refuse_beside_jobs(tmp_path)
