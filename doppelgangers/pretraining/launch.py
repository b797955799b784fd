"""Starting the processes of one training, on one machine or several, with torch's own launcher (torch.distributed.elastic).

Each process runs the module `rank`, and not the program that asked for it again, which may be a script of Snakemake. On a
further machine, `python -m doppelgangers.pretraining.launch GROUP` starts that machine's share.
"""

import contextlib
import dataclasses
import json
import logging
import os
import pickle
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from doppelgangers.errors import UserError

AFFECTS_RESULTS = False  # it starts processes; what they do is given to it

log = logging.getLogger(__name__)

JOIN_S = 600  # for machines to come together
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
TOLD_TO_END = 128 + signal.SIGTERM


@dataclasses.dataclass(frozen=True)
class Group:
    """Processes that work together: a plain value, which each of them reads from a file.

    Attributes:
        work: what rank r does, work(r, *arguments); at the top level of a module, because other processes have to find it.
        arguments: plain values, because other processes have to receive them.
        ranks: number of processes, over all machines.
        nodes: number of machines, each with as many of the processes.
        device: of the processes; with "cuda" each has a GPU of its own.
        threads: of torch, for each process.
        endpoint: host and port where machines meet.
    """

    work: Callable
    arguments: tuple
    ranks: int
    nodes: int
    device: torch.device
    threads: int
    endpoint: str

    @classmethod
    def read(cls, file: Path) -> "Group":
        """The group that a file describes."""
        return pickle.loads(Path(file).read_bytes())


def launch(
    work: Callable,
    ranks: int,
    *arguments,
    device: torch.device = torch.device("cpu"),  # noqa: B008
    nodes: int = 1,
    folder: Path | None = None,
) -> None:
    """Run `work(rank, *arguments)` for the ranks 0 .. ranks - 1: one in this process, more in processes of their own.

    When one of them ends with an error, so do all, and when this process is told to end (SIGTERM), so are they.

    Args:
        work, ranks, arguments, device, nodes: as in `Group`.
        folder: where files for the processes are put while they run; one that all machines see, if there are several.

    Raises:
        UserError: that of a process; or when one was killed.
        RuntimeError: with the traceback of a process that failed otherwise.
        SystemExit: when the processes were told to end.
    """
    if ranks == 1:
        work(0, *arguments)
        return
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ranks.", dir=folder, ignore_cleanup_errors=True) as place:
        file = Path(place, "group.pickle").resolve()
        threads = max(1, torch.get_num_threads() * nodes // ranks)
        endpoint = f"{socket.gethostname() if nodes > 1 else '127.0.0.1'}:{free_port() if nodes > 1 else 0}"
        file.write_bytes(pickle.dumps(Group(work, arguments, ranks, nodes, device, threads, endpoint)))
        with other_nodes(nodes - 1, file):
            run_ranks(file)


def free_port() -> int:
    """A port that no program of this machine listens on."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def other_nodes(count: int, file: Path) -> Iterator[None]:
    """Start the share of the other machines of a SLURM job with srun; elsewhere, say what has to be started there."""
    command = [*python(), "-m", "doppelgangers.pretraining.launch", str(file)]
    if not count:
        yield
        return
    if not ("SLURM_JOB_ID" in os.environ and shutil.which("srun")):
        log.warning("waiting for %d more machines, at most %d s; start there: %s", count, JOIN_S, shlex.join(command))
        yield
        return
    spread = [f"--nodes={count}", f"--ntasks={count}", "--ntasks-per-node=1", f"--exclude={socket.gethostname()}"]
    with subprocess.Popen(["srun", "--overlap", "--kill-on-bad-exit=1", *spread, *command]) as process:
        try:
            yield
            process.wait(timeout=60)
        finally:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()


def python() -> list[str]:
    """A command that runs this Python with the modules that this process finds, and no others."""
    search = os.pathsep.join(str(Path(place).resolve()) for place in sys.path)
    return ["env", f"PYTHONPATH={search}", sys.executable, "-P"]


def run_ranks(file: Path) -> None:
    """Start this machine's processes of a group and wait for their end; raises as `launch`."""
    group = Group.read(file)
    config = LaunchConfig(
        min_nodes=group.nodes,
        max_nodes=group.nodes,
        nproc_per_node=group.ranks // group.nodes,
        run_id=file.parent.name,
        role="rank",
        rdzv_backend="c10d",
        rdzv_endpoint=group.endpoint,
        rdzv_configs={"timeout": JOIN_S},
        max_restarts=0,
        local_addr="127.0.0.1" if group.nodes == 1 else None,
        logs_specs=DefaultLogsSpecs(log_dir=str(file.parent / "logs"), tee=Std.ALL),
    )
    command = [*python(), "-m", "doppelgangers.pretraining.rank", str(file)]
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    ended: BaseException | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the launcher leaves its files to the garbage collector
        try:
            elastic_launch(config, command[0])(*command[1:])
        except ChildFailedError as error:
            ended = cause(error, file.parent)
        except SignalException as error:
            ended = SystemExit(128 + error.sigval)
        finally:
            with contextlib.suppress(ValueError):  # only the main thread receives signals
                for number, handler in handlers.items():
                    signal.signal(number, handler)
    if ended:
        raise ended


def cause(error: ChildFailedError, folder: Path) -> BaseException:
    """Why a group ended: of all that its processes say, the user's problem, else a kill, else the first exception."""
    told = [json.loads(path.read_text())["message"] for path in folder.rglob("error.json")]
    told.sort(key=lambda message: int(message["extraInfo"]["timestamp"]))
    if problems := [text for message in told if (text := message["message"].removeprefix("UserError: ")) != message["message"]]:
        return UserError(problems[0])
    failures = sorted(error.failures.items())
    for rank, failure in failures:
        if failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM:
            name = signal.Signals(-failure.exitcode).name
            return UserError(
                f"process {rank} of the training was killed ({name}), and the others were ended; that happens when memory runs "
                "out, or when somebody ends it: run it again, and it continues from its checkpoint; if it happens again, lower "
                "pretrain.batch_pairs or encoder.width"
            )
    if told:
        return RuntimeError(f"a process of the training failed:\n{told[0]['extraInfo']['py_callstack']}")
    if {failure.exitcode for _, failure in failures} <= {TOLD_TO_END, -signal.SIGTERM}:
        return SystemExit(TOLD_TO_END)
    return RuntimeError(str(error))


if __name__ == "__main__":
    run_ranks(Path(sys.argv[1]))
