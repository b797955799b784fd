"""Speed of what is done to real recordings before training: decoding, cutting views, augmenting."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.pretraining.augment import Augmentation
from doppelgangers.pretraining.crops import RecordingPairs
from doppelgangers.pretraining.recordings import decode_recordings
from tests.benchmarks.measure import figure, print_table, seconds
from tests.recorded import write_decoded

CLIPS, CLIP_S, CLIP_HZ = 12, 10, 44100
STORED, BATCH_PAIRS, BATCHES = 2000, 768, 10
PAIRS, SEEDS = 16, 12  # augmented at once, and how often: the random draws differ much in cost
FORMATS = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3"}
VIEWS = {"crop": {}, "jitter": {"views": "jitter"}, "2 layers": {"layers": 2}, "5 layers": {"layers": 5}}
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def recordings(repeats: int) -> None:
    """Each step by itself, per second of wall time and per second of CPU time."""
    header = ("", "per second", "per core")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = [[name, *speeds(decoder(Path(folder), name, format), CLIPS, repeats)] for name, format in FORMATS.items()]
        print_table(f"decoding: stereo clips of {CLIP_S} s at {CLIP_HZ} Hz, one thread", header, rows)
        manifest, _ = write_decoded(Path(folder, "stored"), [CLIP_S * RATE_HZ] * STORED)
        rows = [[name, *speeds(reader(manifest, options), BATCHES * BATCH_PAIRS, repeats)] for name, options in VIEWS.items()]
        print_table(f"views: pairs of 1 s, {BATCH_PAIRS} at once, of {STORED} recordings of {CLIP_S} s", header, rows)
        responses = write_responses(Path(folder, "responses"))
        names = ("waveform", "waveform_per_example")
        rows = [[name, *speeds(augmenter(name, responses), SEEDS * 2 * PAIRS, repeats)] for name in names]
        rows.append(["spec", *speeds(masker(), 2 * BATCH_PAIRS, repeats)])
        print_table(f"augmentation: sounds of 1 s or their patches, {DEVICE.type}, one thread", header, rows)
    torch.set_num_threads(threads)


def speeds(work, count: int, repeats: int) -> list[str]:
    """How many of `count` things a second of wall time and a second of CPU time do, after one turn that does not count."""
    turns = []
    for _ in range(repeats + 1):
        begun = time.process_time()
        turns.append((count / seconds(work), count / (time.process_time() - begun)))
    return [figure(statistics.median(column)) for column in zip(*turns[1:], strict=True)]


def decoder(folder: Path, name: str, format: str):
    """A function that decodes a folder of clips, every time it is called."""
    random = np.random.default_rng(0)
    (folder / name).mkdir()
    for i in range(CLIPS):
        clip = random.normal(0, 0.1, (CLIP_S * CLIP_HZ, 2)).astype(np.float32)
        soundfile.write(folder / name / f"{i}.{name}", clip, CLIP_HZ, format=format)

    def decode() -> None:
        with tempfile.TemporaryDirectory() as out:
            settings = {"path": folder / name, "limit_files": 0, "tolerate_files": 0, "seed": 0, "threads": 1}
            decode_recordings(Path(out, "recordings.csv"), **settings)

    return decode


def reader(manifest: Path, options: dict):
    """A function that reads some batches."""
    pairs = RecordingPairs(manifest, seed=0, samples=RATE_HZ, **options)
    return lambda: [pairs.read(np.arange(i * BATCH_PAIRS, (i + 1) * BATCH_PAIRS)) for i in range(BATCHES)]


def write_responses(folder: Path) -> Path:
    """Twenty impulse responses of one second that decay like those of rooms."""
    folder.mkdir()
    decay = np.exp(-np.arange(RATE_HZ) / 2000) * 0.1
    for i in range(20):
        soundfile.write(folder / f"{i}.wav", np.random.default_rng(i).normal(0, 1, RATE_HZ) * decay, RATE_HZ)
    return folder


def augmenter(name: str, responses: Path):
    """A function that augments pairs under several seeds, the same each time."""
    augmentation = Augmentation(name, responses).build(RATE_HZ)
    pairs = torch.randn(PAIRS, 2, RATE_HZ, generator=torch.Generator().manual_seed(0)).to(DEVICE) * 0.1
    return lambda: sum(augmentation.sounds(pairs, seed).sum() for seed in range(SEEDS)).item()  # waits for the GPU


def masker():
    """A function that masks patches."""
    augmentation = Augmentation("spec").build(RATE_HZ)
    patches = torch.randn(2 * BATCH_PAIRS, 96, 64, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    return lambda: augmentation.patches(patches, 0).sum().item()
