"""Whether a batch fits into memory; this is found out before the training begins."""

import math
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from doppelgangers.encoders.frontend import FFT, HOP, WINDOW
from doppelgangers.errors import UserError

AFFECTS_RESULTS = False  # it may refuse a training, but does not change it

PER_SQUARE = 32  # bytes for each two pairs of a batch: uniformity compares all with all, in float32
# Names of files in a control group, for its limit and its use, and of cached files in its memory.stat.
VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
VERSION_2 = ("memory.max", "memory.current", "inactive_file")
MARGIN = 1.3  # for what is not counted: gradients of activations, workspaces, and memory that an allocator cannot use


def bytes_per_pair(loss_of: Callable[[torch.Tensor], torch.Tensor], samples: int, device: torch.device) -> float:
    """Memory that a training step holds for each pair: its sounds, their frames and spectra, and what the backward pass needs.

    Args:
        loss_of: sounds (N, 2, T) -> loss; run on two small batches, so that the weights cancel in the difference.
        samples: length of a sound, T.
        device: where to run it.
    """
    frames = samples // HOP
    front_end = frames * (WINDOW + 3 * (FFT // 2 + 1)) + 2 * samples  # windows, complex spectrum, magnitude; both sounds
    small, large = (saved_bytes(loss_of, torch.zeros(pairs, 2, samples, device=device)) for pairs in (4, 8))
    return (large - small) / 4 + 2 * 4 * front_end


def saved_bytes(loss_of: Callable[[torch.Tensor], torch.Tensor], sounds: torch.Tensor) -> int:
    """Size of what autograd keeps for the backward pass."""
    sizes: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss_of(sounds)
    return sum(sizes.values())


def free_bytes(device: torch.device) -> float:
    """Memory that is free on a device; on the CPU, what the limits of this process's control groups leave of it."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info()[0]
    return min(psutil.virtual_memory().available, free_in_groups())


def free_in_groups(own: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> float:
    """Bytes that the control groups of this process leave it, which containers and clusters set limits with; inf without any.

    Args:
        own: lists the groups of this process, one of version 2 ("0::/path") and one of version 1 for each kind of limit
            ("5:memory:/path"). Groups are nested, and the limit of each counts.
        mounted: where the groups are; in a container that is often the innermost group alone.
    """
    free = math.inf
    for line in own.read_text().splitlines() if own.exists() else []:
        _, kinds, path = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        top = mounted if not kinds else mounted / "memory"
        group = top / path.strip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(top):
                free = min(free, free_in_group(folder, *(VERSION_1 if kinds else VERSION_2)))
    return free


def free_in_group(folder: Path, limit: str, used: str, cached: str) -> float:
    """Bytes that one group leaves: its limit without what is used; cached files that nobody reads give way."""
    try:
        whole, taken = (folder / limit).read_text().strip(), int((folder / used).read_text())
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:
        return math.inf
    return math.inf if whole == "max" else max(0, int(whole) - taken + int(statistics.get(cached, 0)))


def require_memory(batch_pairs: int, per_pair: float, device: torch.device, ranks: int = 1, nodes: int = 1) -> None:
    """Refuse a batch that does not fit into memory.

    Args:
        batch_pairs: pairs per step, over all ranks together.
        per_pair: bytes, from `bytes_per_pair`.
        device: of each rank.
        ranks: number of processes that share the batch; on the CPU those of a machine share its memory.
        nodes: number of machines.

    Raises:
        UserError: saying how many pairs fit.
    """
    free = free_bytes(device) / (ranks // nodes if device.type == "cpu" else 1)
    each = per_pair / ranks
    needed = MARGIN * (each * batch_pairs + PER_SQUARE * batch_pairs**2)
    if needed > free:
        fits = (math.sqrt(each**2 + 4 * PER_SQUARE * free / MARGIN) - each) / (2 * PER_SQUARE)
        raise UserError(
            f"pretrain.batch_pairs = {batch_pairs} needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are "
            f"free: the largest batch that fits is about {int(fits)} pairs; lower it, or encoder.width"
        )
