"""`make plan` and the resources of rules, against Snakemake itself."""

import json
import re
import subprocess
import sys

import pytest

from doppelgangers.workflow import forecast
from tests.workflow.parsed import parse, planned
from tests.workflow.test_reruns import BASE, JOBS, NAMES

pytestmark = pytest.mark.workflow


def plan(project, *arguments):
    command = [sys.executable, "-m", "doppelgangers.workflow.forecast", "--cores", "2", "all", "--configfile", "tiny.yaml"]
    result = subprocess.run([*command, *arguments], cwd=project.folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def rows(text):
    """Name of a rule -> the numbers of its row."""
    found = re.findall(r"^(\w+)((?: +[\d.,]+){7})$", text, re.M)
    return {name: [float(number.replace(",", "")) for number in numbers.split()] for name, numbers in found}


def test_the_plan_has_the_jobs_of_the_dry_run_and_the_costs_of_the_rules(project):
    text = plan(project)
    table, jobs = rows(text), project.jobs()
    assert {name: row[0] for name, row in table.items() if name != "all"} == jobs
    assert table["all"][:2] == [sum(jobs.values())] * 2
    # 1,024 pairs of two sounds of 1 s, 32 kB each; twice 1.7 GB, for JAX and a synthesizer that is compiled.
    assert table["generate_pairs"][-2:] == [3.8, 0.07]
    assert table["extract_features"][:2] == [2, 2]
    assert "To download: 0.00 GB" in text
    assert not project.path("results").exists()  # nothing was started


def test_the_plan_takes_overlays_and_a_cluster_as_snakemake_does(project, tmp_path):
    overlay = tmp_path / "more.yaml"
    encoders = {"deltas": ["0.05", "0.25"], "seeds": [0, 1]}
    overlay.write_text(json.dumps({"encoders": encoders, "pretrain": {"pairs": 18_000_000}, "encoder": {"width": 1}}))
    text = plan(project, str(overlay), "--executor", "slurm", "--jobs", "4")
    table = rows(text)
    assert table["pretrain"][:3] == [4, 4, 0]
    assert table["pretrain"][3] == pytest.approx(4 * 3, abs=0.05)  # GPU hours
    assert "4 jobs at a time" in text


def test_the_plan_sums_up_what_each_job_costs():
    config = {"encoders": {"seeds": [0, 1]}, "pretrain": {"pairs": 18_000_000, "gpus": 1}, "encoder": {"width": 1}}
    with planned(config) as workflow:
        text = forecast.report(workflow)
        jobs = [forecast.plan(job, workflow.globals["costs"]()) for job in workflow.dag.jobs if job.rule.name != "all"]
    table = rows(text)
    trained = [job for job in jobs if job.rule == "pretrain"]
    assert table["pretrain"][:3] == [len(trained), len(trained), 0]
    assert table["pretrain"][3] == pytest.approx(sum(job.gpu_hours for job in trained), abs=0.01)
    assert table["all"][4] == pytest.approx(max(job.hours for job in jobs), abs=0.01)
    assert table["all"][5] == pytest.approx(max(job.memory_gb for job in jobs), abs=0.01)
    assert table["all"][6] == pytest.approx(sum(job.written_gb for job in jobs), abs=0.01)
    assert table["pretrain"][3] > 0 < table["all"][6]
    needed = sum(float(gb.replace(",", "")) for gb in re.findall(r"([\d.,]+) GB needed", text))
    assert needed == pytest.approx(table["all"][6], abs=0.02)
    assert "1 cores" in text


def test_what_is_there_is_not_in_the_plan(finished, tmp_path):
    assert plan(finished).endswith("\nNothing is to be done.\n")
    overlay = tmp_path / "more.yaml"
    overlay.write_text("probe: {epochs: 4}\n")
    table = rows(plan(finished, str(overlay)))
    assert table["train_linear_probes"][:2] == [2, 2]
    assert "pretrain" not in table
    assert table["all"] == [10, 41, *table["all"][2:6], 0]  # what is replaced takes no more room
    assert finished.jobs(config=(overlay,)) == {
        "train_linear_probes": 2,
        "collect_scores": 1,
        "make_table": 1,
        "compare_scores": 1,
        "plot_scores": 1,
        "plot_comparisons": 1,
        "write_tables": 1,
        "judge_claims": 1,
        "write_report": 1,
    }


def test_what_a_job_asks_for_reruns_nothing_and_limits_no_local_run(finished):
    assert "mem_mb" not in finished.path("profiles/default/profile.yaml").read_text()
    asked = finished.run("--dry-run", "--set-resources", "pretrain:mem_mb=77", "generate_pairs:runtime=1")
    assert "Nothing to be done" in asked.stdout


@pytest.mark.parametrize("gpus", [0, 2])
def test_every_rule_asks_for_memory_and_time_and_the_cost_has_the_gpus_that_it_claims(gpus):
    rules = parse({**BASE, "pretrain": {"gpus": gpus}})
    for name, wildcards in JOBS:
        resources = rules[name].resources
        wanted = {**NAMES, **wildcards}
        named = {key: wanted[key] for key in rules[name].wildcard_names}
        first, second = ({key: value(rules[name], named, key, attempt) for key in ("mem_mb", "runtime")} for attempt in (1, 2))
        assert second == {key: 2 * number for key, number in first.items()}
        assert first["mem_mb"] > 100
        cost = rules[name].workflow.globals["costs"]().of(name, named)
        assert cost.gpus == (value(rules[name], named, "gpu", 1) if "gpu" in resources else 0)


def value(rule, wildcards, key, attempt):
    """A resource of a job, as Snakemake evaluates it."""
    return rule.resources[key].evaluate(wildcards, threads=1, attempt=attempt, rulename=rule.name).value
