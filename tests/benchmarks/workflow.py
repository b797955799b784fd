"""Speed of planning the workflow."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import COMPARED, in_turn, print_table, seconds
from tests.conftest import ROOT

ONE_RULE = 'rule all:\n    output: "table.csv"\n    shell: "touch {output}"\n'


def dry_run(repeats: int) -> None:
    """Snakemake's plan of the results table, and its plan of a workflow of one rule."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Snakefile").write_text(ONE_RULE)
        cells = in_turn(lambda: plan_seconds(ROOT, "results/table.csv"), lambda: plan_seconds(folder, "table.csv"), repeats)
    print_table("dry run: seconds of snakemake -n", ("", "ours", "one rule", *COMPARED), [["results/table.csv", *cells]])


def plan_seconds(folder: Path | str, target: str) -> float:
    """Wall time of one dry run for a file."""
    command = [Path(sys.executable).with_name("snakemake"), "-n", "--cores", "all", target]
    return seconds(lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True))
