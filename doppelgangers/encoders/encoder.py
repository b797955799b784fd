"""The paper's encoder: torchvision's ResNet18 with 512 outputs and, in place of its first convolution, one with one channel."""

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

EMBEDDING_SIZE = 512


class Encoder(ResNet):
    """ResNet18 on log-mel patches.

    Args:
        width: factor of the numbers of channels; 1.0 is the paper's (64, 128, 256, 512), 0.25 can be trained on a laptop. The
            embedding has 512 numbers at any width.
        seed: of the initial weights, which have torchvision's distribution (Kaiming normal for convolutions) but for those of
            the first convolution, which have torch's own.
    """

    def __init__(self, width: float = 1.0, seed: int = 0):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=EMBEDDING_SIZE)
            channels = [max(1, round(width * base)) for base in (64, 128, 256, 512)]
            self.inplanes = channels[0]
            self.bn1 = nn.BatchNorm2d(channels[0])
            for stage, planes in enumerate(channels, start=1):
                setattr(self, f"layer{stage}", self._make_layer(BasicBlock, planes, 2, stride=1 if stage == 1 else 2))
            self.fc = nn.Linear(channels[-1], EMBEDDING_SIZE)
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            # After the others, as the authors exchange it in a finished network: with a bias, and not initialized like them.
            self.conv1 = nn.Conv2d(1, channels[0], kernel_size=7, stride=2, padding=3)

    def forward(self, log_mel: torch.Tensor) -> torch.Tensor:
        """Embed patches: log-mel (N, 96, 64) -> (N, 512)."""
        return super().forward(log_mel.unsqueeze(1))
