"""Speed of pretraining."""

import csv
import tempfile
from pathlib import Path
from typing import Any

import torch

from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import LogMel
from doppelgangers.pretraining.losses import align_uniform
from doppelgangers.pretraining.pretrain import pretrain
from doppelgangers.pretraining.settings import PretrainSettings
from doppelgangers.pretraining.sources import Store
from doppelgangers.synthesis.generate import PairRecipe
from doppelgangers.synthesis.pairs import generate_pairs
from tests.benchmarks.measure import COMPARED, in_turn, print_table, seconds

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
STEPS, BATCH_PAIRS, STORED_PAIRS = 40, 128, 1280
WIDTH, LEARNING_RATE, WEIGHT_DECAY, SEED = 0.25, 1e-3, 1e-6, 0
RECIPE = PairRecipe("voice", 0.25)
TRAINING = PretrainSettings(
    pairs=STEPS * BATCH_PAIRS,
    batch_pairs=BATCH_PAIRS,
    learning_rate=LEARNING_RATE,
    weight_decay=WEIGHT_DECAY,
    schedule="constant",
    warmup=0.0,
    log_every_steps=STEPS,
)
STAGE = {
    "name": "voice-0.25",
    "seed": SEED,
    "recipe": RECIPE,
    "augmentation": "none",
    "impulse_responses": None,
    "width": WIDTH,
}


def training(repeats: int) -> None:
    """`pretrain` with everything that it does between steps, and the steps alone, on batches that are in memory."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "pairs", "manifest.json")
        seconds(lambda: generate_pairs(store, recipe=RECIPE, count=STORED_PAIRS, shard_pairs=STORED_PAIRS))
        pairs = Store(store).open(BATCH_PAIRS, SEED)
        batches = [pairs.read(pairs.order(step)).to(DEVICE) for step in range(STEPS)]
        cells = in_turn(lambda: pretrain_speed(Path(folder), store), lambda: bare_speed(batches), repeats)
    title = f"training: pairs per second, {STEPS} steps of {BATCH_PAIRS} pairs, width {WIDTH}"
    print_table(title, ("", "ours", "bare loop", *COMPARED), [["pretrain", *cells]])


def pretrain_speed(folder: Path, store: Path, **changes: Any) -> float:
    """Pairs per second of one training, without its set-up, from its own history."""
    history = folder / "history.csv"
    training = TRAINING.model_copy(update=changes)
    seconds(lambda: pretrain(folder / "encoder.safetensors", history, **STAGE, store=store, training=training))
    with open(history, newline="") as file:
        return float(list(csv.DictReader(file))[-1]["pairs_per_s"])


def bare_speed(batches: list[torch.Tensor]) -> float:
    """Pairs per second of the same training as a plain loop."""
    model = Encoder(WIDTH, SEED).to(DEVICE, memory_format=torch.channels_last).train()
    frontend = LogMel().to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)

    def loop() -> None:
        for sounds in batches:
            with torch.no_grad():
                log_mel = frontend(sounds.transpose(0, 1).flatten(0, 1))
            loss = sum(align_uniform(*(model(view) for view in log_mel[:, 0].chunk(2))))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()  # waits for the GPU

    return len(batches) * BATCH_PAIRS / seconds(loop)
