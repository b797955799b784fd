"""The cost of a job, and what the job asks a cluster for."""

import dataclasses
import math

# A job asks for its cost times this, and for twice as much at each further attempt: processors differ by a factor of 2, and a
# job that is killed at its limit costs more than one that has room.
SAFETY = 2
LEAST_RUNTIME_MIN = 5  # that a job asks for: on a cluster, torch and JAX come from a disk that others use too
START_S = 6.0  # of every job: Snakemake, Python and its libraries; with them on a warm disk
# Of a job on a cluster beside its own process: Snakemake, which starts Snakemake, which starts the script, 130 MB each.
AROUND_MB = 400


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a job needs.

    Attributes:
        memory_mb: of the machine, not of a GPU; without files that are mapped into it, which the system takes back.
        core_s: work of processors without a GPU, which the job's threads share.
        serial_s: work that they do not share.
        gpu_s: work of GPUs in place of `core_s`, where the job has some.
        gpus: how many it has.
        disk_mb: outputs.
    """

    memory_mb: float
    core_s: float = 1.0
    serial_s: float = 0.0
    gpu_s: float = 0.0
    gpus: int = 0
    disk_mb: float = 0.1

    def wall_s(self, threads: int) -> float:
        """How long the job takes."""
        return START_S + self.serial_s + (self.gpu_s / self.gpus if self.gpus else self.core_s / threads)

    def request_mb(self, attempt: int) -> int:
        """Memory that the job asks for, in MB; the first attempt is 1."""
        return math.ceil(SAFETY * self.memory_mb + AROUND_MB) * 2 ** (attempt - 1)

    def request_min(self, threads: int, attempt: int) -> int:
        """Time that the job asks for, in minutes."""
        return max(LEAST_RUNTIME_MIN, math.ceil(SAFETY * self.wall_s(threads) / 60)) * 2 ** (attempt - 1)
