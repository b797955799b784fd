"""Speed of planning the workflow."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measure import COMPARED, alone, in_turn, print_table, seconds
from tests.conftest import ROOT

ONE_RULE = 'rule all:\n    output: "table.csv"\n    shell: "touch {output}"\n'


LICENCES = ["esc50", "urbansound8k", "vivae", "fsd50k"]
TENFOLD = {
    "architectures": ["voice", "voicefm", "parametric", "percussive", "additive"],
    "deltas": [f"{number / 20:g}" for number in range(15)],
    "augmentations": ["none", "waveform", "spec"],
    "seeds": [0, 1],
    "further": [],
}


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


def grids(repeats: int) -> None:
    """Plans of the paper's grid with its baselines, and of ten times that, with no result and with all results there."""
    rows = []
    for name, encoders in (("the paper's", {}), ("ten times that", TENFOLD)):
        with tempfile.TemporaryDirectory() as folder:
            options = options_of(Path(folder), encoders)
            missing = alone(lambda options=options: in_python("snakemake", "-n", *options)[0], repeats)
            jobs = in_python("tests.benchmarks.stand_ins", *options)[1].splitlines()[-1]
            there = alone(lambda options=options: in_python("snakemake", "-n", *options)[0], repeats)
        rows.append([name, jobs, missing, there])
    print_table("planning: seconds of snakemake -n", ("grid", "jobs", "no results", "all there"), rows)


def options_of(folder: Path, encoders: dict) -> list[str]:
    """Options of Snakemake for the paper's grid with other encoders, in a folder of its own."""
    sounds, overlay = folder / "sounds", folder / "overlay.json"
    sounds.mkdir()
    (sounds / "empty.wav").touch()
    recordings = {"vggsound": {"path": str(sounds)}}
    content = {"encoders": encoders, "recordings": recordings, "downloads": {"noncommercial": LICENCES}}
    overlay.write_text(json.dumps(content))
    files = [str(ROOT / "configs/paper.yaml"), str(ROOT / "configs/real.yaml"), str(overlay)]
    return ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--cores", "2", "--configfile", *files]


def in_python(module: str, *options: str) -> tuple[float, str]:
    """Wall time of a module that is run, and what it prints."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", module, *options]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - begun, printed
