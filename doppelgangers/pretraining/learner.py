"""An encoder and what a step of its training takes."""

import collections
import dataclasses
import math

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import RATE_HZ, LogMel
from doppelgangers.pretraining.augment import build_augmentation
from doppelgangers.pretraining.distributed import gather, join_batch_norms, ranks_of_group
from doppelgangers.pretraining.losses import OBJECTIVES, align_uniform
from doppelgangers.pretraining.stopwatch import Stopwatch

HELD_BATCHES = 4  # by which the program may be ahead of the GPU


@dataclasses.dataclass(frozen=True)
class Settings:
    """How an encoder is trained.

    Attributes:
        width: of the encoder.
        seed: of the initial weights, of the order of stored pairs, and of crops and augmentations.
        pairs: seen in all; the last step that would go beyond is left out.
        batch_pairs: per step, over all GPUs together.
        objective: a name of `losses.OBJECTIVES`; align and uniform are measured under each.
        temperature: of nt_xent.
        optimizer: a name of `OPTIMIZERS`.
        learning_rate, weight_decay, schedule, warmup, milestones: of the optimisation.
        log_every_steps: steps between two rows of the history.
        gpus: as in `distributed.choose_device`.
        precision: "float32", or "bfloat16" for the encoder's products (weights, losses and updates stay in float32).
        compile: let torch.compile make machine code of the encoder.
    """

    width: float
    seed: int
    pairs: int
    batch_pairs: int
    objective: str
    temperature: float
    optimizer: str
    learning_rate: float
    weight_decay: float
    schedule: str
    warmup: float
    milestones: list[float]
    log_every_steps: int
    gpus: int | str
    precision: str
    compile: bool

    @property
    def steps(self) -> int:
        return self.pairs // self.batch_pairs


class TwoViews(nn.Module):
    """An encoder that takes one view after the other, so that batch normalisation sees each by itself, as the authors' does."""

    def __init__(self, encoder: Encoder, compiled: bool):
        super().__init__()
        self.encoder = encoder
        self.embed = torch.compile(encoder) if compiled else encoder

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.embed(a), self.embed(b)


class Learner:
    """An encoder with all that a step of its training takes.

    Args:
        settings: of the training.
        augmentation: arguments of `augment.build_augmentation`.
        device: of this rank.
        rank, ranks: of this process, and how many there are.
    """

    def __init__(
        self,
        settings: Settings,
        augmentation: dict,
        device: torch.device,
        rank: int = 0,
        ranks: int = 1,
    ):
        self.settings, self.device, self.rank = settings, device, rank
        self.encoder = Encoder(settings.width, settings.seed).to(device, memory_format=torch.channels_last).train()
        self.views = TwoViews(self.encoder, settings.compile)
        if ranks > 1:
            join_batch_norms(self.encoder)
            self.views = DistributedDataParallel(self.views)
        self.frontend = LogMel().to(device)
        self.held: collections.deque = collections.deque()
        self.augmentation = build_augmentation(**augmentation, rate_hz=RATE_HZ)
        rates = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
        self.update = OPTIMIZERS[settings.optimizer](self.encoder.parameters(), **rates)
        factor = learning_rate_schedule(settings.schedule, settings.steps, settings.warmup, settings.milestones)
        self.rate = torch.optim.lr_scheduler.LambdaLR(self.update, factor)

    def patches(self, sounds: torch.Tensor, number: int) -> list[torch.Tensor]:
        """The log-mel patches (N, 96, 64) of each view, augmented, of sounds (N, 2, T)."""
        seed = [self.settings.seed, number, self.rank]
        # ASSUME: a training sound is one patch; of a longer one the first patch is used.
        log_mel = self.frontend(self.augmentation.sounds(sounds, seed).transpose(0, 1))[:, :, 0]
        return [self.augmentation.patches(view, [*seed, i]) for i, view in enumerate(log_mel)]

    def loss(self, patches: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """(align, uniform, loss) as (3,), and the embeddings of both views (2N, D), over the batches of all ranks."""
        half = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            views = self.views(*patches)
        a, b = (gather(view.float() if half else view) for view in views)
        align, uniform = align_uniform(a, b)
        loss = OBJECTIVES[self.settings.objective](a, b, align, uniform, self.settings.temperature)
        return torch.stack([align, uniform, loss]), torch.cat([a, b])

    def step(self, sounds: torch.Tensor, number: int, watch: Stopwatch) -> tuple[torch.Tensor, torch.Tensor]:
        """One update on sounds (N, 2, T); returns what `loss` does, still on the device and without gradients."""
        with torch.no_grad():
            patches = self.patches(sounds.to(self.device, non_blocking=True), number)
        if sounds.is_cuda:
            self.hold(sounds)
        watch.end("frontend")
        return self.learn(patches, watch)

    def learn(self, patches: list[torch.Tensor], watch: Stopwatch) -> tuple[torch.Tensor, torch.Tensor]:
        """The part of a step after the front-end."""
        terms, embeddings = self.loss(patches)
        watch.end("forward")
        self.update.zero_grad(set_to_none=True)
        (terms[2] * ranks_of_group()).backward()
        self.update.step()
        self.rate.step()
        watch.end("backward")
        return terms.detach(), embeddings.detach()

    def hold(self, sounds: torch.Tensor) -> None:
        """Keep sounds until the GPU has read them. They are JAX's, which would give their memory to the next batch before."""
        event = torch.cuda.Event()
        event.record()
        self.held.append((sounds, event))
        while self.held and (self.held[0][1].query() or len(self.held) > HELD_BATCHES):
            self.held[0][1].synchronize()
            self.held.popleft()

    def state(self) -> dict:
        """What a checkpoint has to hold; of SGD without momentum that is the weights and little else."""
        return {"model": self.encoder.state_dict(), "optimizer": self.update.state_dict(), "schedule": self.rate.state_dict()}

    def restore(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.encoder.load_state_dict(state["model"])
        self.update.load_state_dict(state["optimizer"])
        self.rate.load_state_dict(state["schedule"])


def sgd(parameters, lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """SGD without momentum, the paper's."""
    return torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay)


OPTIMIZERS = {"adamw": torch.optim.AdamW, "sgd": sgd}


def learning_rate_schedule(schedule: str, steps: int, warmup: float, milestones: list[float]):
    """Factor of the learning rate at step i: linear warm-up, then the named shape."""
    rise = round(warmup * steps)

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        if schedule == "cosine":
            return (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2
        if schedule == "step":
            return 0.1 ** sum(step >= share * steps for share in milestones)
        return 1.0

    return factor
