"""The tagger aisfx: sound effects by what causes them (Ma and Lerch, ISMIR 2022; weights CC BY 4.0).

The network and its front-end are written from the paper and from the weights in the package's wheel, whose own code is not
used: it wants an old numpy and reads files only. The front-end was Essentia's, whose bands are a fixed matrix.
"""

import importlib.metadata
from pathlib import Path

import numpy as np
import torch
from numpy._core.multiarray import scalar
from torch import nn
from torch.nn.functional import max_pool2d, pad

from doppelgangers.analysis.taggers.mel import mel_triangles
from doppelgangers.analysis.taggers.tagger import Tagger
from doppelgangers.errors import UserError
from doppelgangers.files import checksum

PACKAGE, WEIGHTS = "aisfx", "aisfx/models/checkpoint.pth"
SHA256 = "499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5"
WINDOW, HOP, BANDS = 2048, 1024, 96
LOG_SCALE = 1e4  # log10(10^4 mel + 1)
LARGEST = 9.457798957824707  # of the log-mel spectra that it was trained on, which it is divided by
BLOCK_FRAMES, BLOCK_HOP = 100, 50  # 2.3 s; shorter sounds are padded with silence
LEAST_CLASSES = 50  # of the libraries that have all kinds of sounds; the others have 3 to 27, such as cartoons only
CHANNELS = (1, 64, 128, 256, 512)
POOLED = (2, 2, 2, 1)  # frames and bands after each block of convolutions


class AisfxTagger(Tagger):
    """A convolutional network with a classifier for each of nine libraries of sound effects, on the log-mel spectrum.

    Its heads are those of the four libraries that have all kinds of sounds, 78, 79, 69 and 81 classes.

    Args:
        classes: of each library, in the order of the checkpoint.
    """

    rate_hz, outputs, batch_sounds = 44100, "softmax", 8

    window: torch.Tensor
    mel: torch.Tensor

    def __init__(self, classes: list[int]):
        super().__init__()
        self.embedding_net = nn.ModuleDict(
            {f"conv_block{i}": ConvolutionBlock(*CHANNELS[i - 1 : i + 1]) for i in range(1, len(CHANNELS))}
        )
        self.fc = nn.ModuleList(classifier(CHANNELS[-1], count) for count in classes)
        self.heads = [i for i, count in enumerate(classes) if count >= LEAST_CLASSES]
        mel = mel_triangles(rate_hz=self.rate_hz, fft=WINDOW, bands=BANDS, low_hz=0, high_hz=self.rate_hz / 2)
        self.register_buffer("mel", (mel / mel.sum(0)).float(), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=False), persistent=False)

    def log_mel(self, audio: torch.Tensor) -> torch.Tensor:
        """Log-mel frames around every 1,024th sample: audio (B, T) at 44.1 kHz -> (B, F, 96), F = 1 + ceil(T / 1024)."""
        frames = 1 + -(-audio.shape[1] // HOP)
        padded = pad(audio, (WINDOW // 2, (frames - 1) * HOP + WINDOW // 2 - audio.shape[1]))
        spectrum = torch.fft.rfft(padded.unfold(1, WINDOW, HOP) * self.window)
        return torch.log10(LOG_SCALE * (spectrum.abs().square() @ self.mel) + 1) / LARGEST

    def embed(self, blocks: torch.Tensor) -> torch.Tensor:
        """Blocks of log-mel frames (N, 100, 96) -> (N, 512)."""
        features = blocks[:, None]
        for convolutions, pooled in zip(self.embedding_net.values(), POOLED, strict=True):
            features = max_pool2d(convolutions(features), pooled)
        return features.mean(dim=3).amax(dim=2)

    def forward(self, audio: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Mean over the whole blocks of a sound, which overlap by half; as in `Tagger`."""
        log_mel = self.log_mel(audio)
        log_mel = pad(log_mel, (0, 0, 0, max(0, BLOCK_FRAMES - log_mel.shape[1])))
        blocks = log_mel.unfold(1, BLOCK_FRAMES, BLOCK_HOP).transpose(2, 3)
        embeddings = self.embed(blocks.flatten(0, 1))
        logits = [self.fc[i](embeddings).unflatten(0, blocks.shape[:2]).mean(dim=1) for i in self.heads]
        return logits, embeddings.unflatten(0, blocks.shape[:2]).mean(dim=1)


class ConvolutionBlock(nn.Module):
    """Two convolutions of 3 x 3, each with batch normalisation and ReLU: (N, in, F, M) -> (N, out, F, M)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.bn2(self.conv2(self.bn1(self.conv1(features)).relu())).relu()


def classifier(width: int, classes: int) -> nn.Sequential:
    """Logits (N, classes) of embeddings (N, width)."""
    half, quarter = width // 2, width // 4
    return nn.Sequential(nn.Linear(width, half), nn.ReLU(), nn.Linear(half, quarter), nn.ReLU(), nn.Linear(quarter, classes))


def load(_weights: str = "") -> AisfxTagger:
    """The tagger with the weights of the installed package; nothing else is looked at.

    Raises:
        UserError: when the package is not installed, or its weights are not those of version 0.1.2.
    """
    path = find_weights()
    if checksum(path) != SHA256:
        raise UserError(f"{path} is not the checkpoint of aisfx 0.1.2: install that version again (make setup)")
    old_name = (scalar, "numpy.core.multiarray.scalar")
    with torch.serialization.safe_globals([old_name, np.dtype, np.dtypes.Int64DType]):
        weights, libraries = torch.load(path, weights_only=True, map_location="cpu")
    tagger = AisfxTagger([classes for _, classes in libraries.values()])
    tagger.load_state_dict(weights)
    return tagger.eval()


def find_weights() -> Path:
    """The checkpoint in the installed package.

    Raises:
        UserError: when the package is not installed.
    """
    try:
        path = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(WEIGHTS)))
    except importlib.metadata.PackageNotFoundError as error:
        raise UserError(f"analysis.taggers: {PACKAGE} is not installed: run make setup, or leave it out") from error
    if not path.is_file():
        raise UserError(f"{path}, the weights of the tagger {PACKAGE}, is missing: install {PACKAGE} again (make setup)")
    return path
