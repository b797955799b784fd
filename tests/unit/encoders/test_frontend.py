import numpy as np
import torch

from doppelgangers.encoders.frontend import LogMel, patch_count


def oracle(audio):
    """VGGish log-mel, frame by frame and band by band, from its published description."""
    window = [0.5 - 0.5 * np.cos(2 * np.pi * n / 400) for n in range(400)]
    mel = lambda hz: 1127 * np.log(1 + hz / 700)  # noqa: E731
    edges = np.linspace(mel(125), mel(7500), 66)
    frames = []
    for start in range(0, len(audio) - 400 + 1, 160):
        padded = np.zeros(512)
        padded[:400] = audio[start : start + 400] * window
        magnitude = np.abs(np.fft.rfft(padded))
        bands = np.zeros(64)
        for band in range(64):
            low, centre, high = edges[band : band + 3]
            for k in range(1, 257):
                position = mel(k * 16000 / 512)
                if low < position < high:
                    share = (position - low) / (centre - low) if position <= centre else (high - position) / (high - centre)
                    bands[band] += share * magnitude[k]
        frames.append(np.log(bands + 0.01))
    return np.array(frames)


def test_log_mel_equals_the_oracle():
    rng = np.random.default_rng(0)
    t = np.arange(16000) / 16000
    audio = 0.3 * np.sin(2 * np.pi * 440 * t) + 0.1 * rng.standard_normal(16000)
    expected = oracle(audio)
    assert expected.shape == (98, 64)
    frontend = LogMel()
    np.testing.assert_allclose(frontend.frames(torch.tensor(audio, dtype=torch.float32)), expected, atol=2e-4)
    patch = frontend(torch.tensor(audio, dtype=torch.float32))
    np.testing.assert_allclose(patch, expected[None, :96], atol=2e-4)


def test_patches_do_not_overlap_and_batches_do_not_mix():
    audio = torch.randn(3, 5 * 16000, generator=torch.Generator().manual_seed(0))
    frontend = LogMel()
    patches = frontend(audio)
    assert patches.shape == (3, 5, 96, 64)
    torch.testing.assert_close(patches[1, 2], frontend.frames(audio[1])[192:288])


def test_short_sounds_are_padded_with_silence():
    audio = torch.ones(1000)
    padded = torch.nn.functional.pad(audio, (0, 15000))
    torch.testing.assert_close(LogMel()(audio), LogMel()(padded))
    assert [patch_count(n) for n in (1, 15600, 16000, 2 * 16000, 80000)] == [1, 1, 1, 2, 5]
