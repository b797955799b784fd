"""Linear probes, many trained together as one batched problem.

The runs of a task (its folds, times the seeds of an encoder) share a shape, so their weights stack into one tensor
(R, D, C): a step of all of them is one batched matrix product and one AdamW update, which is element-wise and so
exactly what each run alone would do.
"""

import dataclasses
import math

import numpy as np
import torch
from tqdm import tqdm


@dataclasses.dataclass(frozen=True)
class Run:
    """One probe: the rows of `features` that it trains on, chooses its epoch on, and is scored on."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


@dataclasses.dataclass(frozen=True)
class Fit:
    """What a run ended with: class scores of its test rows (N, C), and the epoch that validation chose (from 1)."""

    test_scores: np.ndarray
    epoch: int
    valid_loss: float


def fit_linear(
    features: list[np.ndarray],
    targets: np.ndarray,
    runs: list[Run],
    *,
    epochs: int,
    batch_clips: int,
    learning_rate: float,
    weight_decay: float,
    warmup: float,
    standardize: bool,
    seed: int,
    title: str = "probe",
) -> list[Fit]:
    """Train one linear layer per run with the ARCH protocol, corrected: validation chooses the epoch.

    AdamW; the learning rate rises linearly over the first `warmup` of the steps and falls linearly to 0 at the last.
    An epoch is cut into the same number of batches for every run, ceil(largest training set / batch_clips), as equal
    as can be, so runs of slightly different size stay in step and every clip is seen once an epoch.

    Args:
        features: one matrix (N, D) per run; runs may share one.
        targets: class indices (N,) for one label a clip (cross-entropy), or 0/1 (N, C) for several (binary
            cross-entropy).
        runs: row indices, see `Run`.
        epochs, batch_clips, learning_rate, weight_decay, warmup: of the protocol.
        standardize: scale features to zero mean and unit variance of each run's training rows first.
        seed: of the initial weights (torch's default for a linear layer) and of the order of the clips. Run r of any
            list draws from (seed, r).
        title: of the progress bar.

    Returns:
        one `Fit` per run, in order.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    multilabel = targets.ndim == 2
    y = torch.as_tensor(targets, dtype=torch.float32 if multilabel else torch.int64, device=device)
    classes = targets.shape[1] if multilabel else int(targets.max()) + 1
    if standardize:
        features = [scale(matrix, matrix[run.train]) for matrix, run in zip(features, runs, strict=True)]
    x = [torch.as_tensor(matrix, dtype=torch.float32, device=device) for matrix in features]

    dimension = x[0].shape[1]
    generators = [np.random.default_rng([seed, r]) for r in range(len(runs))]
    bound = 1 / math.sqrt(dimension)
    weight = np.stack([g.uniform(-bound, bound, (dimension + 1, classes)) for g in generators])
    weight = torch.tensor(weight, dtype=torch.float32, device=device, requires_grad=True)  # the last row is the bias

    steps = math.ceil(max(len(run.train) for run in runs) / batch_clips)
    optimizer = torch.optim.AdamW([weight], lr=learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, linear_schedule(epochs * steps, warmup))

    def loss_of(logits: torch.Tensor, y: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mean loss of each run, (R,), over the rows where mask (R, B) is 1."""
        if multilabel:
            each = torch.nn.functional.binary_cross_entropy_with_logits(logits, y, reduction="none").mean(dim=-1)
        else:
            each = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view_as(mask)
        return (each * mask).sum(dim=1) / mask.sum(dim=1)

    padded, mask = pad([run.train for run in runs])
    x_train, y_train = gather(x, padded), y[padded]
    valid_rows, valid_mask = pad([run.valid for run in runs])
    x_valid, y_valid, valid_mask = gather(x, valid_rows), y[valid_rows], valid_mask.to(device)
    run_index = torch.arange(len(runs), device=device)[:, None]

    best_loss = torch.full((len(runs),), torch.inf, device=device)
    best_epoch = torch.zeros(len(runs), dtype=torch.int64, device=device)
    best_weight = weight.detach().clone()
    for epoch in tqdm(range(1, epochs + 1), desc=title, unit="epoch"):
        for rows in batches([len(run.train) for run in runs], steps, generators):
            rows, mask = pad(rows)
            rows, mask = rows.to(device), mask.to(device)
            logits = linear(x_train[run_index, rows], weight)
            optimizer.zero_grad()
            loss_of(logits, y_train[run_index, rows], mask).sum().backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            valid_loss = loss_of(linear(x_valid, weight), y_valid, valid_mask)
            better = valid_loss < best_loss
            best_loss = torch.where(better, valid_loss, best_loss)
            best_epoch = torch.where(better, epoch, best_epoch)
            best_weight = torch.where(better[:, None, None], weight, best_weight)

    fits = []
    for r, run in enumerate(runs):
        logits = linear(x[r][torch.as_tensor(run.test, device=device)], best_weight[r])
        scores = torch.sigmoid(logits) if multilabel else torch.softmax(logits, dim=-1)
        fits.append(Fit(scores.cpu().numpy(), int(best_epoch[r]), float(best_loss[r])))
    return fits


def linear(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """x (..., B, D) times weight (..., D + 1, C), whose last row is the bias."""
    return x @ weight[..., :-1, :] + weight[..., -1:, :]


def scale(x: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Columns of x shifted and scaled by the mean and deviation of `by`; one that is constant there is only shifted."""
    std = by.std(axis=0)
    return (x - by.mean(axis=0)) / np.where(std > 0, std, 1.0)


def linear_schedule(total: int, warmup: float):
    """Factor of the learning rate at step i: up over the first `warmup * total` steps, then down to 0 at `total`."""
    rise = max(1, round(warmup * total))
    return lambda step: min((step + 1) / rise, (total - step) / max(1, total - rise))


def batches(sizes: list[int], steps: int, generators: list[np.random.Generator]):
    """One epoch: for each step, a list with each run's positions; every position once, batches as equal as can be."""
    orders = [np.array_split(g.permutation(size), steps) for size, g in zip(sizes, generators, strict=True)]
    return zip(*orders, strict=True)


def pad(rows: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """Stack lists of different length: indices (R, L), filled up with 0, and a mask (R, L) that is 0 there."""
    length = max(map(len, rows))
    index = np.stack([np.pad(r, (0, length - len(r))) for r in rows])
    mask = np.stack([np.arange(length) < len(r) for r in rows])
    return torch.as_tensor(index), torch.as_tensor(mask, dtype=torch.float32)


def gather(x: list[torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    """Rows (R, L) of each run's own matrix -> (R, L, D)."""
    return torch.stack([matrix[index] for matrix, index in zip(x, rows.to(x[0].device), strict=True)])
