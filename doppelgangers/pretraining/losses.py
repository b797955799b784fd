"""Objectives: alignment + uniformity (Wang & Isola 2020), which is the paper's, and NT-Xent (Chen et al. 2020)."""

import math
from collections.abc import Callable

import torch

TERMS = ("align", "uniform", "loss")  # what a step is measured by, in this order


def align(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean squared distance between the two views of a pair.

    Args:
        a, b: L2-normalised embeddings of the views, (N, D).
    """
    return (a - b).square().sum(dim=1).mean()


def uniform(x: torch.Tensor) -> torch.Tensor:
    """log of the mean of exp(-2 d^2) over the pairs i < j of one view.

    The squared distances come from one matrix product (on the unit sphere d^2 = 2 - 2 x.y), which is faster than a
    list of pairwise distances and needs no square root, whose gradient is infinite at 0.

    Args:
        x: L2-normalised embeddings, (N, D), N >= 2.
    """
    exponent = 4.0 * (x @ x.T) - 4.0  # -2 d^2
    # Every pair appears twice off the diagonal, which does not change the mean. Selecting these entries, instead of masking
    # the diagonal, would make the program wait until the GPU has counted them.
    itself = torch.eye(len(x), dtype=torch.bool, device=x.device)
    return torch.logsumexp(exponent.masked_fill(itself, -torch.inf).flatten(), dim=0) - math.log(len(x) * (len(x) - 1))


def align_uniform(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both terms for embeddings (N, D) of two views, normalised here; uniformity is the mean over both views."""
    a, b = torch.nn.functional.normalize(a, dim=1), torch.nn.functional.normalize(b, dim=1)
    return align(a, b), (uniform(a) + uniform(b)) / 2


def nt_xent(a: torch.Tensor, b: torch.Tensor, temperature: float) -> torch.Tensor:
    """SimCLR's loss (Chen et al. 2020): which of the 2N - 1 other views is the other view of the same pair?

    Mean over the 2N views i, with the other view j of its pair, of -log(exp(s_ij / t) / sum over k != i of exp(s_ik / t)),
    where s is the cosine similarity.

    Args:
        a, b: embeddings of the views, (N, D), N >= 2, normalised here.
        temperature: t > 0.
    """
    views = torch.nn.functional.normalize(torch.cat([a, b]), dim=1)
    itself = torch.eye(len(views), dtype=torch.bool, device=views.device)
    similarity = (views @ views.T / temperature).masked_fill(itself, -torch.inf)
    other = torch.arange(len(views), device=views.device).roll(len(a))
    return torch.nn.functional.cross_entropy(similarity, other)


# (embeddings a, embeddings b, align, uniform, temperature) -> loss
OBJECTIVES: dict[str, Callable[..., torch.Tensor]] = {
    "align_uniform": lambda a, b, align, uniform, temperature: align + uniform,
    "nt_xent": lambda a, b, align, uniform, temperature: nt_xent(a, b, temperature),
}
