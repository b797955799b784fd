"""Speed of training by what threads of torch do that wait, alone and beside another program on the same cores."""

import contextlib
import functools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from doppelgangers.synthesis.pairs import generate_pairs
from tests.benchmarks.learning import RECIPE, STORED_PAIRS, WIDTH, pretrain_speed
from tests.benchmarks.measure import COMPARED, figure, in_turn, print_table, seconds

ROOT = Path(__file__).resolve().parents[2]  # not from conftest, which gives torch one thread that sleeps
OWN = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"GOMP_SPINCOUNT": "10000"},
    {"GOMP_SPINCOUNT": "3000"},
    {"GOMP_SPINCOUNT": "1000"},
    {"OMP_WAIT_POLICY": "passive"},
)
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"  # no longer than the benchmark


def threads(repeats: int) -> None:
    """`pretrain` under each setting, which torch reads as it loads; all in turn, so that a slow minute hits all."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "pairs", "manifest.json")
        seconds(lambda: generate_pairs(store, recipe=RECIPE, count=STORED_PAIRS, shard_pairs=STORED_PAIRS))
        turns = [[pairs_per_s(setting, folder, store) for setting in SETTINGS] for _ in range(repeats)]
        with busy_program():
            beside = [[pairs_per_s(setting, folder, store) for setting in SETTINGS] for _ in range(repeats)]
    rows = [
        [" ".join(f"{name}={value}" for name, value in setting.items()) or "torch's default", *map(median, speeds)]
        for setting, *speeds in zip(SETTINGS, zip(*turns, strict=True), zip(*beside, strict=True), strict=True)
    ]
    print_table("threads that wait: pairs per second of pretrain", ("", "alone", "beside a busy program"), rows)


def side_by_side(repeats: int) -> None:
    """`pretrain` with a thread for each core, and as many trainings at once with one thread each, in float32 and bfloat16."""
    cores = os.cpu_count() or 1
    rows = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cores) as pool:
        store = Path(folder, "pairs", "manifest.json")
        seconds(lambda: generate_pairs(store, recipe=RECIPE, count=STORED_PAIRS, shard_pairs=STORED_PAIRS))
        places = [Path(folder, str(number)) for number in range(cores)]
        for place in places:
            place.mkdir()

        def several(precision: str) -> float:
            one = functools.partial(pairs_per_s, {"OMP_NUM_THREADS": "1"}, store=store, precision=precision)
            return sum(pool.map(one, map(str, places)))

        def single(precision: str) -> float:
            return pairs_per_s({"OMP_NUM_THREADS": str(cores)}, folder, store, precision)

        for precision in ("float32", "bfloat16"):
            cells = in_turn(functools.partial(several, precision), functools.partial(single, precision), repeats)
            rows.append([precision, *cells])
    title = f"{cores} trainings side by side: pairs per second of all, width {WIDTH}"
    print_table(title, ("", "one thread each", f"one training, {cores} threads", *COMPARED), rows)


def pairs_per_s(setting: dict[str, str], folder: str, store: Path, precision: str = "float32") -> float:
    """Speed of a training in a process of its own, which has this in its environment."""
    command = [sys.executable, "-m", "tests.benchmarks.threads", folder, str(store), precision]
    clean = {name: value for name, value in os.environ.items() if name not in OWN}
    run = subprocess.run(command, cwd=ROOT, env={**clean, **setting}, check=True, capture_output=True, text=True)
    return float(run.stdout)


@contextlib.contextmanager
def busy_program() -> Iterator[None]:
    """A program that keeps one core busy."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as program:
        try:
            yield
        finally:
            program.kill()


def median(speeds: tuple[float, ...]) -> str:
    return figure(statistics.median(speeds))


if __name__ == "__main__":
    print(pretrain_speed(Path(sys.argv[1]), Path(sys.argv[2]), precision=sys.argv[3]))
