"""The tagger mn04 against torchaudio's Kaldi bands and torch's transform, and on real recordings."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import torchaudio

from doppelgangers.analysis.taggers.mn04 import Mn04Tagger, load
from doppelgangers.audio import resample
from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError
from tests.efficientat import WEIGHTS, class_numbers, needs_weights

ESC10_RECORDINGS = os.environ.get("ESC10_RECORDINGS", "")
# Number of ESC-10's folder -> the classes of AudioSet that are the same thing.
SAME = {
    "001": ["Dog", "Bark"],
    "002": ["Rain", "Raindrop", "Rain on surface"],
    "003": ["Ocean", "Waves, surf"],
    "004": ["Baby cry, infant cry"],
    "005": ["Tick-tock", "Tick", "Clock"],
    "006": ["Sneeze"],
    "007": ["Helicopter"],
    "008": ["Chainsaw"],
    "009": ["Crowing, cock-a-doodle-doo", "Chicken, rooster"],
    "010": ["Fire", "Crackle"],
}


def test_log_mel_frames_are_those_of_torch_and_torchaudio():
    audio = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (2, 32001)).astype(np.float32))
    emphasised = audio.diff() + (1 - 0.97) * audio[:, :-1]
    window = torch.hann_window(800, periodic=False)
    spectrum = torch.stft(emphasised, 1024, hop_length=320, win_length=800, window=window, return_complex=True)
    bands, _ = torchaudio.compliance.kaldi.get_mel_banks(128, 1024, 32000.0, 0.0, 15000.0, 100.0, -500.0, 1.0)
    mel = torch.nn.functional.pad(bands, (0, 1)) @ spectrum.abs().square()
    expected = (torch.log(mel + 1e-5) + 4.5) / 5
    # Kaldi's bands are float32, which is 1e-5 of a height there.
    torch.testing.assert_close(Mn04Tagger().log_mel(audio), expected, atol=1e-4, rtol=0)


def test_the_network_has_the_size_of_the_published_one():
    """README of EfficientAT: mn04_as has 0.983 million parameters (cut off, not rounded)."""
    assert sum(weights.numel() for weights in Mn04Tagger().parameters()) // 1000 == 983


@needs_weights
@pytest.mark.slow
@pytest.mark.skipif(not ESC10_RECORDINGS, reason="ESC10_RECORDINGS is not set: the recordings of ESC-10 are not at hand")
def test_it_recognises_real_recordings():
    """Nobody trained it on ESC-10: wrong bands, a wrong scale or activation would cost most of this."""
    tagger, classes = load(str(WEIGHTS)), class_numbers()
    outputs = [[classes[name] for name in names] for names in SAME.values()]
    right = []
    for truth, number in enumerate(SAME):
        for path in sorted(Path(ESC10_RECORDINGS).glob(f"{number} - */*.ogg"))[::4]:
            samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            (logits,), _ = tagger.tag(resample(samples.mean(axis=1), rate_hz, RATE_HZ)[None])
            right.append(np.argmax([logits[0, numbers].max() for numbers in outputs]) == truth)
    assert len(right) == 100
    assert np.mean(right) >= 0.9  # of all 400 recordings 95.8 %


@needs_weights
def test_sounds_are_tagged_each_by_itself():
    tagger = load(str(WEIGHTS))
    sounds = np.random.default_rng(0).uniform(-1, 1, (3, 16000)).astype(np.float32)
    sounds[1] *= np.sin(np.arange(16000) / 50)
    (logits,), embedding = tagger.tag(sounds)
    assert logits.shape == (3, 527)
    assert embedding.shape == (3, 384)
    (alone,), alone_embedding = tagger.tag(sounds[1:2])
    np.testing.assert_allclose(alone[0], logits[1], atol=1e-3)
    np.testing.assert_allclose(alone_embedding[0], embedding[1], atol=1e-3)


@needs_weights
def test_white_noise_is_static_or_white_noise():
    tagger, classes = load(str(WEIGHTS)), class_numbers()
    (logits,), _ = tagger.tag(np.random.default_rng(0).uniform(-1, 1, (1, 32000)).astype(np.float32))
    noises = {"Static", "White noise", "Noise", "Hiss", "Radio", "Steam", "Pink noise", "Spray", "Waterfall"}
    assert logits[0].argmax() in {classes[name] for name in noises}


@pytest.mark.parametrize("damage", ["missing", "garbage", "other"])
def test_other_weights_are_refused(tmp_path, damage):
    file = tmp_path / "weights.pt"
    if damage == "garbage":
        file.write_bytes(b"not weights")
    elif damage == "other":
        torch.save(torch.nn.Linear(2, 2).state_dict(), file)
    with pytest.raises(UserError, match=r"weights\.pt does not hold the weights of mn04 .* datasets\.efficientat"):
        load(str(file))


@pytest.mark.parametrize("sounds", [np.zeros(16000), np.zeros((0, 16000)), np.zeros((1, 0)), np.full((1, 16000), np.nan)])
def test_what_is_not_sounds_is_refused(sounds):
    with pytest.raises(ValueError, match="finite and"):
        Mn04Tagger().eval().tag(sounds)
