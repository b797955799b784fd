"""`make plan`: what a run would do and cost, before anything starts (docs/costs.md). It takes what `snakemake` takes."""

import collections
import dataclasses
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake import cli
from snakemake.workflow import Workflow

from doppelgangers.datasets.records import DOWNLOADS
from doppelgangers.workflow import machine
from doppelgangers.workflow.checks import place_of

HEADER = ("job", "to run", "of", "core h", "GPU h", "longest h", "asks GB", "writes GB")
ROW = "{:<23}{:>8}{:>7}{:>10}{:>10}{:>11}{:>10}{:>11}".format
NOTE = """core h: threads times hours of the jobs without a GPU. asks GB: memory that the largest asks for, twice what it needs.
These are estimates, from jobs that were measured on a CPU, and for a GPU from what the paper says: docs/costs.md."""


@dataclasses.dataclass(frozen=True)
class Planned:
    """A job that would run.

    Attributes:
        rule: its name.
        hours: of wall time.
        threads, gpus: that it holds meanwhile.
        memory_gb: that it asks for.
        folder: of its outputs, results or resources.
        written_gb: by which they grow the folder.
    """

    rule: str
    hours: float
    threads: int
    gpus: int
    memory_gb: float
    folder: str
    written_gb: float

    @property
    def core_hours(self) -> float:
        return 0 if self.gpus else self.threads * self.hours

    @property
    def gpu_hours(self) -> float:
        return self.gpus * self.hours


def main(arguments: list[str]) -> None:
    """Let Snakemake plan a run, and print what it would cost.

    Snakemake has no place for this, so this steps in between its plan and what it does with it, in a dry run. That the method
    is called so holds for the version in the lock, and a test would tell.
    """
    _, asked = cli.parse_args(arguments)
    elsewhere = asked.executor not in (None, "local")
    if elsewhere:  # the jobs may have GPUs, which the rules cannot know in a dry run
        machine.has_gpu = lambda: True
    build = Workflow._build_dag

    def build_and_print(workflow: Any) -> None:
        build(workflow)
        print(report(workflow, asked.jobs if elsewhere else None))
        sys.exit()  # without Snakemake's own list of the jobs

    Workflow._build_dag = build_and_print
    cli.main(["--dry-run", "--quiet", "host", "progress", *arguments])


def report(workflow: Any, jobs_at_a_time: int | None = None) -> str:
    """The plan of a workflow whose graph of jobs is built, as text.

    Args:
        workflow: Snakemake's.
        jobs_at_a_time: of a cluster; None for a run on this machine.
    """
    every = [job for job in workflow.dag.jobs if job.rule.name != "all"]
    planned = {job: plan(job, workflow.globals["costs"]()) for job in every if workflow.dag.needrun(job)}
    if not planned:
        return "Nothing is to be done."
    counts = collections.Counter(job.rule.name for job in every)
    lines = [ROW(*HEADER)]
    for rule in [rule.name for rule in workflow.rules if rule.name in {one.rule for one in planned.values()}]:
        lines.append(row(rule, [one for one in planned.values() if one.rule == rule], counts[rule]))
    lines += [row("all", planned.values(), len(every)), ""]
    fetched = sum(one.written_gb for one in planned.values() if one.rule == "download")
    lines += [f"To download: {fetched:,.2f} GB", *disks(planned.values())]
    chain_h = longest_chain_h(workflow.dag, planned)
    return "\n".join([*lines, least_time(planned.values(), chain_h, workflow, jobs_at_a_time), "", NOTE])


def plan(job: Any, costs: Any) -> Planned:
    """What a job of Snakemake's would cost. Of a download, what is there already is only checked."""
    rule, wildcards = job.rule.name, job.wildcards_dict
    cost = costs.of(rule, wildcards)
    if rule == "download" and Path(DOWNLOADS, wildcards["dataset"], wildcards["file"]).exists():
        cost = dataclasses.replace(cost, serial_s=0, disk_mb=0)
    new = not all(Path(file).exists() for file in job.output)
    return Planned(
        rule=rule,
        hours=cost.wall_s(job.threads) / 3600,
        threads=job.threads,
        gpus=cost.gpus,
        memory_gb=job.resources.mem_mb / 1000,
        folder=str(job.output[0]).partition("/")[0],
        written_gb=cost.disk_mb / 1000 if new else 0,
    )


def row(name: str, planned: Iterable[Planned], there: int) -> str:
    """A line of the table: some of the jobs, of those that there are."""
    mine = list(planned)
    totals = [f"{sum(values):,.2f}" for values in zip(*((one.core_hours, one.gpu_hours) for one in mine), strict=True)]
    largest = [f"{max(one.hours for one in mine):,.2f}", f"{max(one.memory_gb for one in mine):,.2f}"]
    return ROW(name, len(mine), there, *totals, *largest, f"{sum(one.written_gb for one in mine):,.2f}")


def disks(planned: Iterable[Planned]) -> list[str]:
    """For each disk, what the jobs write there and what is free."""
    needed: dict[int, float] = collections.defaultdict(float)
    places = {folder: place_of(folder) for folder in ("resources", "results")}
    for one in planned:
        needed[places[one.folder].stat().st_dev] += one.written_gb
    named = collections.defaultdict(list)
    for folder, place in places.items():
        named[place.stat().st_dev].append(folder)
    free = {place.stat().st_dev: shutil.disk_usage(place).free / 1e9 for place in places.values()}
    return [
        f"Disk of {' and '.join(named[disk])}: {needed[disk]:,.2f} GB needed, {free[disk]:,.2f} GB free"
        + (": TOO LITTLE" if needed[disk] > free[disk] else "")
        for disk in named
    ]


def longest_chain_h(dag: Any, planned: dict[Any, Planned]) -> float:
    """Hours of those jobs that wait for one another, where that takes longest."""
    ends: dict[Any, float] = {}
    for level in dag.toposorted(set(planned)):
        for job in level:
            ends[job] = planned[job].hours + max(
                (ends[before] for before in dag.dependencies[job] if before in ends), default=0
            )
    return max(ends.values())


def least_time(planned: Iterable[Planned], chain_h: float, workflow: Any, jobs_at_a_time: int | None) -> str:
    """Hours that a run takes at least: of its longest chain of jobs, and of work that is shared without a gap."""
    mine = list(planned)
    bounds = {"the longest chain of jobs": chain_h}
    if jobs_at_a_time:
        bounds[f"{jobs_at_a_time} jobs at a time"] = sum(one.hours for one in mine) / jobs_at_a_time
    else:
        gpus = workflow.global_resources.get("gpu")
        if gpus and gpus.value and any(one.gpus for one in mine):
            bounds[f"{gpus.value} GPU" + "s" * (gpus.value > 1)] = sum(one.gpu_hours for one in mine) / gpus.value
        bounds[f"{workflow.cores} cores"] = sum(one.core_hours for one in mine) / workflow.cores
    parts = ", ".join(f"{hours:,.2f} of {name}" for name, hours in bounds.items())
    return f"Time: at least {max(bounds.values()):,.2f} h ({parts})"


if __name__ == "__main__":
    main(sys.argv[1:])
