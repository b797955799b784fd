"""Artificial recordings, as files and decoded."""

import io

import numpy as np
import pandas as pd
import soundfile

FORMATS = {"wav": "WAV", "flac": "FLAC", "ogg": "OGG", "mp3": "MP3", "aiff": "AIFF", "au": "AU"}


def noise(samples, seed, channels=1):
    """Sound (T, channels) of uniform noise between -0.5 and 0.5."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels)).astype(np.float32)


def encoded(sound, rate_hz=16000, format="WAV", subtype=None):
    """Content of a sound file."""
    file = io.BytesIO()
    soundfile.write(file, sound, rate_hz, format=format, subtype=subtype)
    return file.getvalue()


def sound_files(count, samples=3200, folder="some/where"):
    """Name -> content of wav files of noise at 16 kHz, each one sample longer than the one before."""
    return {f"{folder}/{i:02d}.wav": encoded(noise(samples + i, seed=i)) for i in range(count)}


def write_decoded(folder, lengths, shards=1):
    """Write recordings of random samples as decoding does, shards and recordings.csv; returns its path and the sounds."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    sounds = [random.integers(-30000, 30000, length, dtype=np.int16) for length in lengths]
    rows = []
    for number, part in enumerate(np.array_split(np.arange(len(sounds)), shards)):
        shard, start = f"sounds-{number:05d}.pcm", 0
        np.concatenate([sounds[i] for i in part]).tofile(folder / shard)
        for i in part.tolist():
            rows.append((f"{i}.wav", shard, start, len(sounds[i])))
            start += len(sounds[i])
    pd.DataFrame(rows, columns=["path", "shard", "start", "samples"]).to_csv(folder / "recordings.csv", index=False)
    return folder / "recordings.csv", sounds
