"""One training in several processes, each with its part of the batch, through torch.distributed."""

import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import jax
import torch
import torch.distributed as dist
from torch import nn

from doppelgangers.errors import UserError


def choose_device(gpus: int | str) -> tuple[torch.device, int]:
    """The kind of device, and how many of it, that a setting asks for.

    Args:
        gpus: "auto" for one GPU where there is one and else the CPU; 0 for the CPU; or how many GPUs.

    Raises:
        UserError: when there are fewer GPUs.
    """
    found = torch.cuda.device_count()
    if gpus == "auto":
        gpus = min(found, 1)
    if gpus > found:
        raise UserError(
            f"pretrain.gpus = {gpus}, and torch finds {found} GPUs here: lower it, set it to auto, or run where there are more "
            "(nvidia-smi and CUDA_VISIBLE_DEVICES say which ones a program may use)"
        )
    return (torch.device("cuda"), gpus) if gpus else (torch.device("cpu"), 1)


def launch(work: Callable, ranks: int, *arguments) -> None:
    """Run `work(rank, *arguments)` for the ranks 0 .. ranks - 1: the first here, each other in a process of its own.

    Args:
        work: a function of a module, because other processes have to find it.
        ranks: number of processes; with 1, nothing else is started.

    Raises:
        Whatever rank 0 raises; torch.multiprocessing's ProcessRaisedException for what another one does.
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
                others.join(timeout=10)  # raises what made another process break off, which is why this one could not go on
                raise
            while not others.join():
                pass
        finally:
            for process in others.processes:
                process.kill()
            if dist.is_initialized():
                dist.destroy_process_group()


def run_rank(number: int, ranks: int, meeting: str, work: Callable, arguments: tuple) -> None:
    """What a started process does."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # rank 0 decides when all end, and ends this one
    join_group(number + 1, ranks, meeting)
    work(number + 1, *arguments)
    dist.destroy_process_group()


def join_group(rank: int, ranks: int, meeting: str) -> None:
    """Meet the other processes; with GPUs each takes its own."""
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(rank)
    if gpu and rank:  # rank 0 may have JAX in use already, on the first GPU as it should
        jax.config.update("jax_cuda_visible_devices", str(rank))
    dist.init_process_group("nccl" if gpu else "gloo", init_method=meeting, rank=rank, world_size=ranks)


class SumOverRanks(torch.autograd.Function):
    """Sum of a tensor over all ranks; so is its gradient, because what each rank makes of the sum depends on every rank."""

    @staticmethod
    def forward(_, x: torch.Tensor) -> torch.Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_, gradient: torch.Tensor) -> torch.Tensor:
        return SumOverRanks.forward(_, gradient)


def gather(embeddings: torch.Tensor) -> torch.Tensor:
    """The embeddings (N, D) of all ranks in order, (ranks N, D); each is differentiated in the rank that it is from."""
    if not dist.is_initialized():
        return embeddings
    parts = [torch.empty_like(embeddings) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, embeddings.detach())
    parts[dist.get_rank()] = embeddings
    return torch.cat(parts)


def ranks_of_group() -> int:
    """How many processes train together. The gradients that they average are those of the joint loss divided by this."""
    return dist.get_world_size() if dist.is_initialized() else 1


class JointBatchNorm(nn.BatchNorm2d):
    """Batch normalisation over the batches of all ranks, as over one batch.

    torch's own SyncBatchNorm computes the same, on GPUs only; this one runs wherever the group does, so that what is tested
    without a GPU is what runs on several.
    """

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
    """Let every batch normalisation of a model take its statistics over all ranks."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = JointBatchNorm
