"""Whether a batch fits into memory; this is found out before the training begins."""

import math
from collections.abc import Callable

import psutil
import torch

from doppelgangers.encoders.frontend import FFT, HOP, WINDOW
from doppelgangers.errors import UserError

AFFECTS_RESULTS = False  # it may refuse a training, but does not change it

PER_SQUARE = 32  # bytes for each two pairs of a batch: uniformity compares all with all, in float32
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


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available


def require_memory(batch_pairs: int, per_pair: float, device: torch.device, ranks: int = 1) -> None:
    """Refuse a batch that does not fit into memory.

    Args:
        batch_pairs: pairs per step, over all ranks together.
        per_pair: bytes, from `bytes_per_pair`.
        device: of each rank.
        ranks: number of GPUs that share the batch.

    Raises:
        UserError: saying how many pairs fit.
    """
    free = free_bytes(device)
    each = per_pair / ranks
    needed = MARGIN * (each * batch_pairs + PER_SQUARE * batch_pairs**2)
    if needed > free:
        fits = (math.sqrt(each**2 + 4 * PER_SQUARE * free / MARGIN) - each) / (2 * PER_SQUARE)
        raise UserError(
            f"pretrain.batch_pairs = {batch_pairs} needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are "
            f"free: the largest batch that fits is about {int(fits)} pairs; lower it, or encoder.width"
        )
