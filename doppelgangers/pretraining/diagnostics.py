"""How much of their space the embeddings use."""

import torch

AFFECTS_RESULTS = False  # it only describes a training

DEAD = 0.01  # of 1 / sqrt(D): such a dimension has a ten-thousandth of its even share of the variance


def effective_rank(x: torch.Tensor) -> float:
    """exp of the entropy of the normalised singular values (Roy & Vetterli 2007), from 1 to min(N, D).

    exp(-sum p_k log p_k), p = s / sum(s), of the rows, normalised to length 1 and not centred; 1 if all are alike.

    Args:
        x: embeddings, (N, D).
    """
    x = torch.nn.functional.normalize(x.double(), dim=1)
    gram = x.T @ x if x.shape[0] > x.shape[1] else x @ x.T  # its eigenvalues are faster to compute than singular values of x
    singular = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    return torch.special.entr(singular / singular.sum()).sum().exp().item()


def dead_share(x: torch.Tensor) -> float:
    """Share of the dimensions that hardly vary over the batch, once the rows are normalised to length 1.

    Where vectors are spread evenly over the sphere, each dimension has a standard deviation of 1 / sqrt(D), so the
    threshold, `DEAD` / sqrt(D), means the same at any D: 4.4e-4 at D = 512. Float32 rounds a thousand times finer, and an
    encoder before any training has no dimension below 0.3 / sqrt(D).

    Args:
        x: embeddings, (N, D), N >= 2.
    """
    deviation = torch.nn.functional.normalize(x.float(), dim=1).std(dim=0, correction=0)
    return (deviation < DEAD / x.shape[1] ** 0.5).float().mean().item()
