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
from torch.distributed.elastic.rendezvous import RendezvousError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from doppelgangers.errors import UserError

AFFECTS_RESULTS = False  # it starts processes; what they do is given to it

log = logging.getLogger(__name__)

WAIT_S = 600.0  # of processes and machines for each other: one that hangs is an error after that
PROGRESS_S = 10  # between two lines of a progress bar, which is no bar where lines of several processes are written
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
TOLD_TO_END = (128 + signal.SIGTERM, -signal.SIGTERM)  # exit status of a process that was told to end


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
        wait_s: how long a process or a machine waits for the others.
    """

    work: Callable
    arguments: tuple
    ranks: int
    nodes: int
    device: torch.device
    threads: int
    endpoint: str
    wait_s: float

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
    wait_s: float = WAIT_S,
) -> None:
    """Run `work(rank, *arguments)` for the ranks 0 .. ranks - 1: one in this process, more in processes of their own.

    When one of them ends with an error, so do all, and when this process is told to end (SIGTERM), so are they.

    Args:
        work, ranks, arguments, device, nodes, wait_s: as in `Group`.
        folder: one that all machines see, if there are several; files for the processes are there while they run.

    Raises:
        UserError: that of a process; when one was killed or hangs; when not all machines come together.
        RuntimeError: with the traceback of a process that failed otherwise.
        SystemExit: when the processes were told to end.
    """
    if ranks == 1:
        work(0, *arguments)
        return
    shared = Path(folder) if folder is not None and nodes > 1 else None
    if shared is not None:
        shared.mkdir(parents=True, exist_ok=True)
        for left in shared.glob("ranks.*"):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="ranks.", dir=shared, ignore_cleanup_errors=True) as place:
        file = Path(place, "group.pickle").resolve()
        threads = max(1, torch.get_num_threads() * nodes // ranks)
        endpoint = f"{socket.gethostname()}:{free_port()}" if nodes > 1 else "127.0.0.1:0"
        group = Group(work, arguments, ranks, nodes, device, threads, endpoint, wait_s)
        file.write_bytes(pickle.dumps(group))
        with other_nodes(group, file):
            run_ranks(file)


def free_port() -> int:
    """A port that no program of this machine listens on."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def other_nodes(group: Group, file: Path) -> Iterator[None]:
    """Start the share of the other machines of a SLURM job with srun; elsewhere, say what has to be started there."""
    others, command = group.nodes - 1, run_module("doppelgangers.pretraining.launch", file)
    if not others:
        yield
        return
    if not ("SLURM_JOB_ID" in os.environ and shutil.which("srun")):
        log.warning("waiting for %d more machines, at most %d s; start there: %s", others, group.wait_s, shlex.join(command))
        yield
        return
    this = os.environ.get("SLURMD_NODENAME", socket.gethostname())
    spread = [f"--nodes={others}", f"--ntasks={others}", "--ntasks-per-node=1", f"--exclude={this}"]
    if group.device.type == "cuda":  # else it would ask for those of the whole job
        spread.append(f"--gpus={others * group.ranks // group.nodes}")
    with subprocess.Popen(["srun", "--overlap", "--kill-on-bad-exit=1", *spread, *command]) as process:
        try:
            yield
        except BaseException:
            process.terminate()
            raise
        finally:
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()


def run_module(module: str, *arguments: object) -> list[str]:
    """A command that runs a module with this Python, where modules are looked for as in this process and nowhere else."""
    search = [str(Path(place).resolve()) for place in sys.path]
    program = f"import runpy, sys; sys.path[:] = {search!r}; runpy.run_module({module!r}, None, '__main__', True)"
    return [sys.executable, "-P", "-c", program, *map(str, arguments)]


def run_ranks(file: Path) -> None:
    """Start this machine's processes of a group and wait for their end; raises as `launch`."""
    group = Group.read(file)
    config = LaunchConfig(
        min_nodes=group.nodes,
        max_nodes=group.nodes,
        nproc_per_node=group.ranks // group.nodes,
        run_id=file.parent.name,
        role="",
        log_line_prefix_template="${role_name}",  # that is, none: torch says of errors which process they come from
        rdzv_backend="c10d",
        rdzv_endpoint=group.endpoint,
        rdzv_configs={"join_timeout": int(group.wait_s)},
        max_restarts=0,
        local_addr="127.0.0.1" if group.nodes == 1 else None,
        logs_specs=DefaultLogsSpecs(log_dir=str(file.parent / "logs"), tee=Std.ALL),
    )
    command = run_module("doppelgangers.pretraining.rank", file, os.getpid())
    os.environ.setdefault("TQDM_MININTERVAL", str(PROGRESS_S))
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
        except RendezvousError as error:
            ended = UserError(
                f"the {group.nodes} machines of pretrain.nodes did not come together within {group.wait_s:.0f} s "
                f"({type(error).__name__}: {error}): see whether each was started, and can reach {group.endpoint}"
            )
        finally:
            with contextlib.suppress(ValueError):  # only the main thread receives signals
                for number, handler in handlers.items():
                    signal.signal(number, handler)
    if ended:
        raise ended


def cause(error: ChildFailedError, folder: Path) -> BaseException:
    """Why a group ended: the user's problem, else a process that said nothing, else the first exception.

    When one process is gone, the others fail as well, because they miss it; what they say is not the reason then.
    """
    files = sorted(folder.rglob("error.json"), key=lambda path: path.stat().st_mtime_ns)
    told = [json.loads(path.read_text())["message"] for path in files]
    if problems := [text for message in told if (text := message["message"].removeprefix("UserError: ")) != message["message"]]:
        return UserError(problems[0])
    failures = sorted(error.failures.items())
    for rank, failure in failures:
        code = failure.exitcode
        if code not in TOLD_TO_END and not Path(failure.error_file).is_file():
            how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended without a word (exit status {code})"
            return UserError(
                f"process {rank} of the training {how}, and the others were ended; that happens when memory runs "
                "out, or when somebody ends it: run it again, and it continues from its checkpoint; if it happens again, lower "
                "pretrain.batch_pairs or encoder.width"
            )
    if told:
        return RuntimeError(f"a process of the training failed:\n{told[0]['extraInfo']['py_callstack']}")
    return SystemExit(TOLD_TO_END[0])


if __name__ == "__main__":
    run_ranks(Path(sys.argv[1]))
