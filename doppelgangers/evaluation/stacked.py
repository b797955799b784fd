"""Networks of the same layers, trained as one: the weights of a layer stack into one tensor."""

from collections.abc import Sequence

import torch
from torch.nn.functional import batch_norm as batch_norm_of_one


def forward(
    networks: list[torch.nn.Sequential], x: torch.Tensor, share: torch.Tensor | None, generator: torch.Generator
) -> torch.Tensor:
    """Training pass of M networks of the same layers: x (M, D, B) -> logits (M, C, B).

    `share` (M, B) weights the columns of a mean, 0 where there is no clip; None where all models have B clips.
    """
    for layers in zip(*networks, strict=True):
        match layers[0]:
            case torch.nn.Linear(bias=None):
                x = torch.bmm(stack(layers, "weight"), x)
            case torch.nn.Linear():
                x = torch.baddbmm(stack(layers, "bias")[..., None], stack(layers, "weight"), x)
            case torch.nn.BatchNorm1d():
                x = batch_norm(layers, x, share)
            case torch.nn.Dropout(p=p) if p > 0:
                x = x.mul_(torch.empty_like(x).bernoulli_(1 - p, generator=generator).div_(1 - p))
            case torch.nn.ReLU():
                x = x.relu_()
    return x


def stack(layers: Sequence[torch.nn.Module], name: str) -> torch.Tensor:
    return torch.stack([getattr(layer, name) for layer in layers])


def batch_norm(layers: Sequence[torch.nn.BatchNorm1d], x: torch.Tensor, share: torch.Tensor | None) -> torch.Tensor:
    """Normalize x (M, H, B) over the clips, and move the running moments of the layers; `share` as in `forward`."""
    scale, shift, mean, variance = (stack(layers, name) for name in ("weight", "bias", "running_mean", "running_var"))
    momentum, eps = layers[0].momentum, layers[0].eps
    if share is None:  # models and channels as the channels of one
        moving = mean.flatten(), variance.flatten()
        flat = x.reshape(1, -1, x.shape[-1])
        x = batch_norm_of_one(flat, *moving, scale.flatten(), shift.flatten(), True, momentum, eps).view_as(x)
    else:
        share, clips = share[..., None], (share > 0).sum(dim=1, keepdim=True)
        found_mean = torch.bmm(x, share)
        x = x - found_mean
        found_variance = torch.bmm(x.square(), share)
        x = x * (scale[..., None] * torch.rsqrt(found_variance + eps)) + shift[..., None]
        rate = momentum * (clips > 1)  # one clip has no variance, and would only spoil the running one
        unbiased = found_variance.detach()[..., 0] * clips / (clips - 1).clamp(min=1)
        mean, variance = torch.lerp(mean, found_mean.detach()[..., 0], rate), torch.lerp(variance, unbiased, rate)
    for i, layer in enumerate(layers):
        layer.running_mean.copy_(mean[i])
        layer.running_var.copy_(variance[i])
    return x
