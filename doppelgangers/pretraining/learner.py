"""An encoder and what a step of its training takes."""

import collections
import math
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import RATE_HZ, LogMel
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.distributed import gather, join_batch_norms, ranks_of_group
from doppelgangers.pretraining.losses import OBJECTIVES, align_uniform
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.pretraining.stopwatch import Stopwatch

HELD_BATCHES = 4  # the program may be ahead of the GPU by at most this many batches


class TwoViews(nn.Module):
    """An encoder that takes one view after the other, so that batch normalisation sees each alone, as in the authors' code."""

    def __init__(self, encoder: Encoder, compiled: bool):
        super().__init__()
        self.encoder = encoder
        self.embed = torch.compile(encoder) if compiled else encoder

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.embed(a), self.embed(b)


class Learner:
    """An encoder with all that a step of its training takes.

    Args:
        settings: of the optimisation.
        width: of the encoder.
        seed: of the initial weights and of augmentations.
        augmentation: of the views.
        device: of this rank.
        rank, ranks: number of this process, and how many there are.
    """

    def __init__(
        self,
        settings: PretrainSettings,
        *,
        width: float,
        seed: int,
        augmentation: Augmentation,
        device: torch.device,
        rank: int = 0,
        ranks: int = 1,
    ):
        self.settings, self.seed, self.device, self.rank = settings, seed, device, rank
        self.encoder = Encoder(width, seed).to(device, memory_format=torch.channels_last).train()
        self.views: nn.Module = TwoViews(self.encoder, settings.compile)
        if ranks > 1:
            join_batch_norms(self.encoder)
            self.views = DistributedDataParallel(self.views)
        self.frontend = LogMel().to(device)
        self.held: collections.deque = collections.deque()
        self.augmenters = augmentation.build(RATE_HZ)
        rates = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
        self.update = OPTIMIZERS[settings.optimizer](self.encoder.parameters(), **rates)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.update, learning_rate_factor(settings))

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    def patches(self, sounds: torch.Tensor, number: int) -> list[torch.Tensor]:
        """Augmented log-mel patches (N, 96, 64) of each view of sounds (N, 2, T), in the step of this number."""
        seed = [self.seed, number, self.rank]
        # ASSUME: a training sound is one patch; of a longer one the first patch is used.
        log_mel = self.frontend(self.augmenters.sounds(sounds, seed).transpose(0, 1))[:, :, 0]
        return [self.augmenters.patches(view, [*seed, i]) for i, view in enumerate(log_mel)]

    def loss(self, patches: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """(align, uniform, loss) as (3,), and the embeddings of both views (2N, D), over the batches of all ranks."""
        a, b = map(gather, self.embed(patches))
        return self.terms(a, b)

    def alone(self, patches: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The same over the batch of this rank, without a word to the others."""
        return self.terms(*self.embed(patches))

    def embed(self, patches: list[torch.Tensor]) -> list[torch.Tensor]:
        """Embeddings of each view (N, D)."""
        half = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            views = self.views(*patches)
        return [view.float() if half else view for view in views]

    def terms(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What `loss` returns, of the embeddings of both views (N, D)."""
        align, uniform = align_uniform(a, b)
        loss = OBJECTIVES[self.settings.objective](a, b, align, uniform, self.settings.temperature)
        return torch.stack([align, uniform, loss]), torch.cat([a, b])

    def step(self, sounds: torch.Tensor, number: int, watch: Stopwatch) -> tuple[torch.Tensor, torch.Tensor]:
        """One update on sounds (N, 2, T); returns what `loss` returns, still on the device and without gradients."""
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
        self.schedule.step()
        watch.end("backward")
        return terms.detach(), embeddings.detach()

    def hold(self, sounds: torch.Tensor) -> None:
        """Keep sounds until the GPU has read them: they are JAX's, which would reuse their memory for the next batch."""
        event = torch.cuda.Event()
        event.record()
        self.held.append((sounds, event))
        while self.held and (self.held[0][1].query() or len(self.held) > HELD_BATCHES):
            self.held[0][1].synchronize()
            self.held.popleft()

    def largest(self) -> torch.Tensor:
        """Largest magnitude of all numbers in a checkpoint, still on the device; nan if one of them is."""
        moments = [value for state in self.update.state.values() for value in state.values()]
        tensors = [
            value for value in (*self.encoder.state_dict().values(), *moments) if value.is_floating_point() and value.ndim
        ]
        return nn.utils.get_total_norm(tensors, torch.inf)

    def state(self) -> dict:
        """What a checkpoint has to contain; with SGD without momentum that is the weights and little else."""
        return {
            "model": self.encoder.state_dict(),
            "optimizer": self.update.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, state: dict) -> None:
        """Continue from what `state` returned."""
        self.encoder.load_state_dict(state["model"])
        self.update.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def sgd(parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> torch.optim.Optimizer:
    """SGD without momentum, the paper's."""
    return torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay)


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {"adamw": torch.optim.AdamW, "sgd": sgd}


def steps_of(settings: PretrainSettings) -> int:
    """Number of steps of a training; pairs that do not fill a batch are left out."""
    return settings.pairs // settings.batch_pairs


def learning_rate_factor(settings: PretrainSettings) -> Callable[[int], float]:
    """Factor of the learning rate at step i, counted from 0: linear warm-up, then the schedule of the settings."""
    steps = steps_of(settings)
    rise = round(settings.warmup * steps)

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        if settings.schedule == "cosine":
            return (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2
        if settings.schedule == "step":
            return 0.1 ** sum(step >= share * steps for share in settings.milestones)
        return 1.0

    return factor
