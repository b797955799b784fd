"""Speed of pretraining and of the linear probe."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from doppelgangers.encoder import Encoder
from doppelgangers.frontend import LogMel
from doppelgangers.linear import Run, fit_linear, linear_schedule
from doppelgangers.losses import align_uniform
from doppelgangers.pairs import generate_pairs
from doppelgangers.pretrain import open_pairs, pretrain
from tests.benchmarks.measure import COMPARED, in_turn, print_table, seconds

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
STEPS, BATCH_PAIRS, STORED_PAIRS = 40, 128, 1280
WIDTH, LEARNING_RATE, WEIGHT_DECAY, SEED = 0.25, 1e-3, 1e-6, 0
PAIRS = {"architecture": "voice", "delta": 0.25}
GENERATOR = {"seed": 0, "perturbation": "gaussian", "duration_s": 1.0, "control_rate_hz": 480}
TRAINING = {
    **PAIRS,
    "generator": GENERATOR,
    "source": "store",
    "pairs": STEPS * BATCH_PAIRS,
    "batch_pairs": BATCH_PAIRS,
    "seed": SEED,
    "width": WIDTH,
    "optimizer": "adamw",
    "learning_rate": LEARNING_RATE,
    "weight_decay": WEIGHT_DECAY,
    "schedule": "constant",
    "warmup": 0.0,
    "milestones": [],
    "log_every_steps": 10,
}

CLIPS, FEATURES, CLASSES, FOLDS = 2000, 512, 50, 5
PROBE = {"epochs": 10, "batch_clips": 32, "learning_rate": 1e-3, "weight_decay": 0.01, "warmup": 0.1, "seed": 0}


def training(repeats: int) -> None:
    """`pretrain` with all that it does between steps, and the bare steps on batches that are in memory."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, "pairs", "manifest.json")
        seconds(lambda: generate_pairs(store, count=STORED_PAIRS, shard_pairs=STORED_PAIRS, **PAIRS, **GENERATOR))
        read = open_pairs("store", store, **PAIRS, generator=GENERATOR, batch=BATCH_PAIRS, seed=SEED)
        batches = [read(step).to(DEVICE) for step in range(STEPS)]
        cells = in_turn(lambda: pretrain_speed(Path(folder), store), lambda: bare_speed(batches), repeats)
    title = f"training: pairs per second, {STEPS} steps of {BATCH_PAIRS} pairs, width {WIDTH}"
    print_table(title, ("", "ours", "bare loop", *COMPARED), [["pretrain", *cells]])


def pretrain_speed(folder: Path, store: Path) -> float:
    """Pairs per second of one training, without its set-up, as it writes them itself."""
    history = folder / "history.csv"
    seconds(lambda: pretrain(folder / "encoder.safetensors", history, store=store, **TRAINING))
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
            loss = sum(align_uniform(*model(log_mel[:, 0]).chunk(2)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()  # waits for the GPU

    return len(batches) * BATCH_PAIRS / seconds(loop)


def probe(repeats: int) -> None:
    """All folds as one batched problem, and one fold after another."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((CLIPS, FEATURES), dtype=np.float32), np.arange(CLIPS) % CLASSES
    folds = np.array_split(rng.permutation(CLIPS), FOLDS)
    turns = [folds[k:] + folds[:k] for k in range(FOLDS)]
    runs = [Run(np.concatenate(train), valid, test) for test, valid, *train in turns]
    cells = in_turn(
        lambda: FOLDS / seconds(lambda: fit_linear([x] * FOLDS, y, runs, standardize=False, **PROBE)),
        lambda: FOLDS / seconds(lambda: [fit_alone(x, y, run, **PROBE) for run in runs]),
        repeats,
    )
    title = f"probe: folds per second, {FOLDS} folds of {CLIPS} x {FEATURES} features, {PROBE['epochs']} epochs"
    print_table(title, ("", "ours", "one by one", *COMPARED), [["fit_linear", *cells]])


def fit_alone(
    x: np.ndarray,
    y: np.ndarray,
    run: Run,
    *,
    epochs: int,
    batch_clips: int,
    learning_rate: float,
    weight_decay: float,
    warmup: float,
    seed: int,
) -> torch.Tensor:
    """Test scores of one fold by the same protocol, as a plain loop over a linear layer."""
    torch.manual_seed(seed)
    x, y = torch.tensor(x, device=DEVICE), torch.tensor(y, device=DEVICE)
    train, valid, test = (torch.tensor(rows, device=DEVICE) for rows in (run.train, run.valid, run.test))
    layer = torch.nn.Linear(FEATURES, CLASSES, device=DEVICE)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=learning_rate, weight_decay=weight_decay)
    schedule = LambdaLR(optimizer, linear_schedule(epochs * -(-len(train) // batch_clips), warmup))
    best = torch.inf
    for _ in range(epochs):
        for rows in train[torch.randperm(len(train), device=DEVICE)].split(batch_clips):
            optimizer.zero_grad()
            cross_entropy(layer(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            loss = cross_entropy(layer(x[valid]), y[valid]).item()
            if loss < best:
                best, scores = loss, torch.softmax(layer(x[test]), dim=1)
    return scores.cpu()
