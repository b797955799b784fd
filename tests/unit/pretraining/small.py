"""A small training, for tests."""

import torch

from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.learner import Learner
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.synthesis.generate import PairRecipe

CPU = torch.device("cpu")
WIDTH = 0.0625
RECIPE = PairRecipe("voice", 0.05)
TRAINING = PretrainSettings(
    pairs=128,
    batch_pairs=16,
    objective="align_uniform",
    temperature=0.1,
    optimizer="adamw",
    learning_rate=1e-3,
    weight_decay=1e-6,
    schedule="cosine",
    warmup=0.1,
    milestones=[0.775],
    log_every_steps=2,
)


def changed(**changes):
    """TRAINING with other values, which are checked."""
    return PretrainSettings(**{**TRAINING.model_dump(), **changes})


def small_learner(settings=TRAINING, rank=0, ranks=1, width=WIDTH, seed=0):
    """A learner without augmentation on the CPU."""
    options = {"width": width, "seed": seed, "augmentation": Augmentation("none"), "device": CPU}
    return Learner(settings, **options, rank=rank, ranks=ranks)
