"""One training in several processes, each with its part of the batch (torch.distributed)."""

import datetime

import jax
import torch
import torch.distributed as dist
from torch import nn

from doppelgangers.errors import UserError
from doppelgangers.pretraining.settings import PretrainSettings


def choose_device(settings: PretrainSettings) -> tuple[torch.device, int]:
    """The kind of device of a training, and the number of processes that share its batch.

    Raises:
        UserError: when this machine has fewer GPUs than its share of those that the settings ask for.
    """
    gpus, ranks, nodes = settings.gpus, settings.ranks, settings.nodes
    found = torch.cuda.device_count()
    wanted = min(found, 1) if gpus == "auto" else gpus
    here = -(-wanted // nodes)
    if here > found:
        raise UserError(
            f"pretrain.gpus = {wanted}, and torch finds {found} GPUs here{'' if nodes == 1 else f', where {here} are needed'}: "
            "lower it, set it to auto, or run where there are "
            "more (nvidia-smi and CUDA_VISIBLE_DEVICES say which ones a program may use)"
        )
    if wanted:
        return torch.device("cuda"), wanted
    return torch.device("cpu"), 1 if ranks == "auto" else ranks


def join_group(device: torch.device, number: int, patience: datetime.timedelta) -> None:
    """Connect this process to the others of its group, as torch's launcher describes it in the environment.

    Args:
        device: of all processes.
        number: of this process on its machine, and of its GPU.
        patience: how long a process waits for the others.
    """
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(number)
        jax.config.update("jax_cuda_visible_devices", str(number))
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=patience)


def any_rank(here: bool) -> bool:
    """Whether something holds for any rank; all wait for each other, on the CPU."""
    if not dist.is_initialized():
        return here
    found = torch.tensor(int(here))
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found)


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
