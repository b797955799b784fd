"""One training in several processes, each with its part of the batch (torch.distributed)."""

import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import jax
import torch
import torch.distributed as dist
from torch import nn

from doppelgangers.errors import UserError


def choose_device(gpus: int | Literal["auto"]) -> tuple[torch.device, int]:
    """The kind of device, and how many of it, that a setting asks for.

    Args:
        gpus: how many GPUs; 0 for the CPU; "auto" for one GPU where there is one, and the CPU otherwise.

    Raises:
        UserError: when there are fewer GPUs.
    """
    found = torch.cuda.device_count()
    wanted = min(found, 1) if gpus == "auto" else gpus
    if wanted > found:
        raise UserError(
            f"pretrain.gpus = {wanted}, and torch finds {found} GPUs here: lower it, set it to auto, or run where there are "
            "more (nvidia-smi and CUDA_VISIBLE_DEVICES say which ones a program may use)"
        )
    return (torch.device("cuda"), wanted) if wanted else (torch.device("cpu"), 1)


def launch(work: Callable, ranks: int, *arguments) -> None:
    """Run `work(rank, *arguments)` for the ranks 0 .. ranks - 1: rank 0 in this process, each other in one of its own.

    Args:
        work: a function at the top level of a module, because other processes have to find it.
        ranks: number of processes; with 1, no other process is started.
        arguments: plain values, because other processes have to receive them.

    Raises:
        Whatever rank 0 raises; torch.multiprocessing's ProcessRaisedException when another rank fails.
    """
    if ranks == 1:
        work(0, *arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder, "meeting").as_uri()
        others = torch.multiprocessing.spawn(run_rank, (ranks, meeting, work, arguments), ranks - 1, join=False)
        try:
            join_group(0, ranks, meeting)
            try:
                work(0, *arguments)
            except RuntimeError:
                others.join(timeout=10)  # raises the error of another process, if that is why this one failed
                raise
            while not others.join():
                pass
        finally:
            for process in others.processes:
                process.kill()
            if dist.is_initialized():
                dist.destroy_process_group()


def run_rank(number: int, ranks: int, meeting: str, work: Callable, arguments: tuple) -> None:
    """Do the part of one process that `launch` started."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # rank 0 decides when all processes end, and ends this one
    join_group(number + 1, ranks, meeting)
    work(number + 1, *arguments)
    dist.destroy_process_group()


def join_group(rank: int, ranks: int, meeting: str) -> None:
    """Connect to the other processes; where there are GPUs, each process takes its own."""
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(rank)
    if gpu and rank:  # in rank 0 JAX may be in use already, on the first GPU, where it belongs
        jax.config.update("jax_cuda_visible_devices", str(rank))
    dist.init_process_group("nccl" if gpu else "gloo", init_method=meeting, rank=rank, world_size=ranks)


class SumOverRanks(torch.autograd.Function):
    """Sum of a tensor over all ranks. Its gradient is the sum over all ranks too, because each of them uses the sum."""

    @staticmethod
    def forward(_, x: torch.Tensor) -> torch.Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_, gradient: torch.Tensor) -> torch.Tensor:
        return SumOverRanks.forward(_, gradient)


def gather(embeddings: torch.Tensor) -> torch.Tensor:
    """The embeddings (N, D) of all ranks, in order: (ranks N, D). Gradients flow to those of this rank only."""
    if not dist.is_initialized():
        return embeddings
    parts = [torch.empty_like(embeddings) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, embeddings.detach())
    parts[dist.get_rank()] = embeddings
    return torch.cat(parts)


def ranks_of_group() -> int:
    """How many processes train together; averaging over them divides the gradients of the joint loss by this number."""
    return dist.get_world_size() if dist.is_initialized() else 1


class JointBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the batches of all ranks, as over one batch.

    torch's SyncBatchNorm computes the same, but on GPUs only. This one runs on CPUs too, so that the code that runs on several
    GPUs can be tested without one.
    """

    # None only where a batch normalisation keeps no statistics, which those of the encoder do.
    running_mean: torch.Tensor
    running_var: torch.Tensor
    num_batches_tracked: torch.Tensor
    momentum: float

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not (self.training and dist.is_initialized()):
            return super().forward(x)
        ranks = dist.get_world_size()
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = SumOverRanks.apply(wide.mean(dim=(0, 2, 3))) / ranks
        centred = wide - mean[:, None, None]
        variance = SumOverRanks.apply(centred.square().mean(dim=(0, 2, 3))) / ranks
        with torch.no_grad():
            count = ranks * x.numel() / x.shape[1]
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
            self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


def join_batch_norms(model: nn.Module) -> None:
    """Make every batch normalisation of a model compute its statistics over all ranks."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = JointBatchNorm
