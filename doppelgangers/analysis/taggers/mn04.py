"""The tagger mn04: a small network for the 527 classes of AudioSet (EfficientAT, Schmid et al. 2023; MIT licence).

It is a MobileNetV3 of 0.4 times its width with one input channel, a squeeze of its own and a further layer before the classes.
"""

import functools
from collections import OrderedDict

import torch
from torch import nn
from torch.nn.functional import pad
from torchvision.models.mobilenetv3 import InvertedResidual, InvertedResidualConfig, MobileNetV3

from doppelgangers.analysis.taggers.mel import mel_triangles
from doppelgangers.analysis.taggers.tagger import Tagger
from doppelgangers.errors import UserError

CLASSES = 527
WIDTH = 0.4
LAST_CHANNEL = 512
PRE_EMPHASIS = 0.97
WINDOW, HOP, FFT, BANDS, HIGH_HZ = 800, 320, 1024, 128, 15000.0
LOG_OFFSET, SHIFT, SCALE = 1e-5, 4.5, 5.0
# Table 1 of Howard et al. 2019: input channels, kernel, expanded and output channels, squeeze, activation, stride.
BLOCKS = (
    (16, 3, 16, 16, False, "RE", 1),
    (16, 3, 64, 24, False, "RE", 2),
    (24, 3, 72, 24, False, "RE", 1),
    (24, 5, 72, 40, True, "RE", 2),
    (40, 5, 120, 40, True, "RE", 1),
    (40, 5, 120, 40, True, "RE", 1),
    (40, 3, 240, 80, False, "HS", 2),
    (80, 3, 200, 80, False, "HS", 1),
    (80, 3, 184, 80, False, "HS", 1),
    (80, 3, 184, 80, False, "HS", 1),
    (80, 3, 480, 112, True, "HS", 1),
    (112, 3, 672, 112, True, "HS", 1),
    (112, 5, 672, 160, True, "HS", 2),
    (160, 5, 960, 160, True, "HS", 1),
    (160, 5, 960, 160, True, "HS", 1),
)


class Mn04Tagger(Tagger):
    """MobileNetV3 on the log-mel spectrum."""

    rate_hz, outputs, batch_sounds = 32000, "sigmoid", 32

    window: torch.Tensor
    mel: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        settings = [InvertedResidualConfig(*block, dilation=1, width_mult=WIDTH) for block in BLOCKS]
        block = functools.partial(InvertedResidual, se_layer=SqueezeExcitation)
        network = MobileNetV3(settings, LAST_CHANNEL, CLASSES, block=block)
        stem = network.features[0][0]
        network.features[0][0] = nn.Conv2d(1, stem.out_channels, 3, stride=2, padding=1, bias=False)
        self.features = network.features
        # Without parameters, in front, so that the names of weights are those of the file.
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *network.classifier)
        mel = mel_triangles(rate_hz=self.rate_hz, fft=FFT, bands=BANDS, low_hz=0, high_hz=HIGH_HZ)
        self.register_buffer("mel", mel.float(), persistent=False)
        edge = (FFT - WINDOW) // 2
        self.register_buffer("window", pad(torch.hann_window(WINDOW, periodic=False), (edge, edge)), persistent=False)

    def log_mel(self, audio: torch.Tensor) -> torch.Tensor:
        """Log-mel frames around every 320th sample: audio (B, T) at 32 kHz -> (B, 128, F), F = 1 + (T - 1) // 320."""
        emphasised = audio[:, 1:] - PRE_EMPHASIS * audio[:, :-1]
        padded = pad(emphasised, (FFT // 2, FFT // 2), mode="reflect")
        power = torch.fft.rfft(padded.unfold(1, FFT, HOP) * self.window).abs().square()
        return (torch.log(power @ self.mel + LOG_OFFSET) + SHIFT).transpose(1, 2) / SCALE

    def forward(self, audio: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """As in `Tagger`; sounds have to be 17 ms at least."""
        features = self.features(self.log_mel(audio)[:, None])
        return [self.classifier(features)], features.mean(dim=(2, 3))


class SqueezeExcitation(nn.Module):
    """Scale each channel by what a small network makes of the means of all: (N, C, F, T) -> (N, C, F, T)."""

    def __init__(self, channels: int, squeezed: int):
        super().__init__()
        layers = {"fc1": nn.Linear(channels, squeezed), "relu": nn.ReLU(), "fc2": nn.Linear(squeezed, channels)}
        self.conc_se_layers = nn.ModuleList([nn.Sequential(OrderedDict(layers))])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        scale = self.conc_se_layers[0](features.mean(dim=(2, 3))).sigmoid()
        return features * scale[:, :, None, None]


def load(weights: str) -> Mn04Tagger:
    """The tagger with the weights of a file.

    Args:
        weights: `mn04_as_mAP_432.pt` of EfficientAT's release v0.0.1.

    Raises:
        UserError: when the file does not hold these weights.
    """
    tagger = Mn04Tagger()
    try:
        tagger.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    except Exception as error:  # of torch, zipfile or pickle, whatever is wrong with the file
        raise UserError(
            f"{weights} does not hold the weights of mn04 ({str(error).splitlines()[0]}): it has to be mn04_as_mAP_432.pt of "
            "EfficientAT's release v0.0.1; see datasets.efficientat"
        ) from error
    return tagger.eval()
