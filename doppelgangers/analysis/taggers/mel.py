"""Triangular bands on the mel scale, of which the front-ends of the taggers have different numbers and norms."""

import torch

from doppelgangers.encoders.frontend import hz_to_mel


def mel_triangles(*, rate_hz: int, fft: int, bands: int, low_hz: float, high_hz: float) -> torch.Tensor:
    """Weight of each frequency in each band, (fft // 2 + 1, bands) float64: triangles of height 1 on the mel scale.

    These are Kaldi's bands, and Essentia's with htkMel and the weighting "warping" before they are made to sum to 1.
    """
    edges = torch.linspace(hz_to_mel(low_hz).item(), hz_to_mel(high_hz).item(), bands + 2, dtype=torch.float64)
    bins = hz_to_mel(torch.arange(fft // 2 + 1, dtype=torch.float64) * rate_hz / fft)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp(min=0)
