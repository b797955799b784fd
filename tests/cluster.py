"""A real SLURM on this machine: a controller and two nodes, `one` and `two`, each with two GPUs that are none, on the loopback.

It needs root and Debian's packages slurmctld, slurmd, slurm-client and munge.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

NODES = ("one", "two")
# Where Snakemake's plug-in lets the programs of SLURM look for their configuration, whatever SLURM_CONF says.
CONFIGURATION = Path("/etc/slurm")

SLURM = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthInfo=socket={folder}/munge.sock
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={ports[0]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# A job that takes more memory than it asked for is ended.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
# A node that says nothing for so long is down; it is up again when it says something.
SlurmdTimeout=5
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=10
# A job of `urgent` may take the place of others, which wait then.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=8 RealMemory=64000 Gres=gpu:2
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=8 RealMemory=64000 Gres=gpu:2
PartitionName=cpu Nodes=one,two Default=YES MaxTime=4-0 PriorityTier=1
PartitionName=gpu Nodes=one,two MaxTime=4-0 PriorityTier=1
PartitionName=urgent Nodes=one,two MaxTime=60 PriorityTier=9 PreemptMode=OFF
"""


class Cluster:
    """SLURM with its state, logs and configuration in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def start(self) -> None:
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        host = os.uname().nodename.partition(".")[0]
        (self.folder / "slurm.conf").write_text(SLURM.format(host=host, folder=self.folder, ports=free_ports(3)))
        devices = "".join(f"Name=gpu File={file}\n" for file in ("/dev/null", "/dev/zero"))
        (self.folder / "gres.conf").write_text(devices)
        CONFIGURATION.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf"):
            (CONFIGURATION / name).unlink(missing_ok=True)  # of tests that were killed
            (CONFIGURATION / name).symlink_to(self.folder / name)
        (self.folder / "key").write_bytes(os.urandom(1024))
        (self.folder / "key").chmod(0o600)
        files = {
            "key-file": "key",
            "socket": "munge.sock",
            "pid-file": "munged.pid",
            "log-file": "munged.log",
            "seed-file": "seed",
        }
        self.call("munged", "--force", *(f"--{option}={self.folder / file}" for option, file in files.items()))
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        wait_for(lambda: self.states() == dict.fromkeys(NODES, "idle"), "the nodes")

    def start_controller(self) -> None:
        self.call("slurmctld")

    def start_node(self, node: str) -> None:
        self.call("slurmd", "-N", node)

    def kill_controller(self) -> None:
        self.process("slurmctld").kill()

    def kill_node(self, node: str) -> None:
        """As when its power fails: its daemon and all that runs on it is gone at once."""
        daemon = self.process(f"slurmd-{node}")
        # Those that watch over its jobs are no children of it, but have its log open. They go before the jobs, or they would
        # tell the controller how these ended.
        watchers = [
            process for process in psutil.process_iter() if uses(process, "slurmstepd", f"{self.folder}/slurmd-{node}.log")
        ]
        jobs = [child for watcher in watchers for child in watcher.children(recursive=True)]
        for process in (daemon, *watchers, *jobs):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(int((self.folder / f"{name}.pid").read_text()))

    def stop(self) -> None:
        subprocess.run(["scancel", "--user=root"], env=self.environment, capture_output=True, timeout=30)
        for name in ("slurmd-one", "slurmd-two", "slurmctld", "munged"):
            try:
                process = self.process(name)
                process.send_signal(signal.SIGTERM)
                process.wait(10)
            except (OSError, ValueError, psutil.NoSuchProcess):
                continue
            except psutil.TimeoutExpired:
                process.kill()
        for name in ("slurm.conf", "gres.conf"):
            link = CONFIGURATION / name
            if link.is_symlink() and link.readlink() == self.folder / name:
                link.unlink()

    def call(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def states(self) -> dict[str, str]:
        """Node -> its state."""
        return dict(
            line.split()
            for line in self.call("sinfo", "--noheader", "--Node", "--partition=cpu", "--format=%N %T").splitlines()
        )

    def jobs(self, folder: Path) -> list[dict[str, str]]:
        """All jobs of Snakemake in a folder, also those that ended, as SLURM knows them; `rule` is one more entry."""
        found = []
        for text in self.call("scontrol", "show", "job", "--oneliner").splitlines():
            job = dict(entry.split("=", 1) for entry in text.split() if "=" in entry)
            if job.get("WorkDir") == str(folder) and job.get("Comment", "").startswith("rule_"):
                found.append({**job, "rule": job["Comment"].removeprefix("rule_").partition("_wildcards")[0]})
        return found


def free_ports(count: int) -> list[int]:
    """Ports on which no program of this machine listens."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def uses(process: psutil.Process, name: str, path: str) -> bool:
    """Whether a process has a name, and a file open."""
    try:
        return process.name() == name and any(file.path == path for file in process.open_files())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def wait_for(condition: Callable[[], object], what: str, seconds: float = 120) -> object:
    """What `condition` says, once it is true of something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.2)
    return found


def missing() -> str:
    """Why there can be no cluster here; empty if there can."""
    if absent := [program for program in ("slurmctld", "slurmd", "squeue", "munged") if not shutil.which(program, path=SEARCH)]:
        return f"{', '.join(absent)} not found: apt-get install slurmctld slurmd slurm-client munge"
    if os.geteuid() != 0:
        return "a cluster of SLURM needs root"
    there = CONFIGURATION / "slurm.conf"
    if there.exists() and "ClusterName=tests" not in there.read_text():
        return f"this machine has a SLURM of its own ({CONFIGURATION}/slurm.conf)"
    return ""


SEARCH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
