"""Speed of pretraining."""

import csv
import tempfile
from pathlib import Path

import torch

from doppelgangers.encoders.encoder import Encoder
from doppelgangers.encoders.frontend import LogMel
from doppelgangers.pretraining.losses import align_uniform
from doppelgangers.pretraining.pretrain import pretrain
from doppelgangers.pretraining.sources import open_pairs
from doppelgangers.synthesis.pairs import generate_pairs
from tests.benchmarks import loop
from tests.benchmarks.measure import COMPARED, in_turn, print_table, seconds

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
STEPS, BATCH_PAIRS, STORED_PAIRS = 40, 128, 1280
WIDTH, LEARNING_RATE, WEIGHT_DECAY, SEED = 0.25, 1e-3, 1e-6, 0
PAIRS = {"architecture": "voice", "delta": 0.25}
GENERATOR = loop.GENERATOR
TRAINING = {
    "pairs": STEPS * BATCH_PAIRS,
    "batch_pairs": BATCH_PAIRS,
    "objective": "align_uniform",
    "temperature": 0.1,
    "optimizer": "adamw",
    "learning_rate": LEARNING_RATE,
    "weight_decay": WEIGHT_DECAY,
    "schedule": "constant",
    "warmup": 0.0,
    "milestones": [],
    "log_every_steps": STEPS,
    "gpus": "auto",
    "precision": "float32",
    "compile": False,
}
STAGE = {"name": "voice-0.25", **PAIRS, "augmentation": "none", "seed": SEED, "generator": GENERATOR, "width": WIDTH}


def training(repeats: int) -> None:
    """`pretrain` with all that it does between steps, and the bare steps on batches that are in memory."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "pairs", "manifest.json")
        seconds(lambda: generate_pairs(store, count=STORED_PAIRS, shard_pairs=STORED_PAIRS, **PAIRS, generator=GENERATOR))
        pairs = open_pairs("store", BATCH_PAIRS, SEED, manifest=store)
        batches = [pairs.read(pairs.order(step)).to(DEVICE) for step in range(STEPS)]
        cells = in_turn(lambda: pretrain_speed(Path(folder), store), lambda: bare_speed(batches), repeats)
    title = f"training: pairs per second, {STEPS} steps of {BATCH_PAIRS} pairs, width {WIDTH}"
    print_table(title, ("", "ours", "bare loop", *COMPARED), [["pretrain", *cells]])


def pretrain_speed(folder: Path, store: Path) -> float:
    """Pairs per second of one training, without its set-up, as it writes them itself."""
    history = folder / "history.csv"
    stage = {**STAGE, "source": "store", "store": store, "impulse_responses": None, "training": TRAINING}
    seconds(lambda: pretrain(folder / "encoder.safetensors", history, **stage))
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
