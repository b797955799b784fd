"""The tagger aisfx against the published code of its package, whose front-end is Essentia's."""

import importlib.metadata

import numpy as np
import pytest
import soundfile
import torch
from essentia.standard import MelBands

from doppelgangers.analysis.taggers import aisfx
from doppelgangers.analysis.taggers.mel import mel_triangles
from doppelgangers.errors import UserError

RATE_HZ = 44100
# Of libraries of sound effects, in the order of the checkpoint; the first four have all kinds of sounds.
CLASSES = [78, 79, 69, 81, 10, 27, 3, 23, 8]


@pytest.fixture(scope="module")
def tagger():
    return aisfx.load()


@pytest.fixture(scope="module")
def published(tagger):
    """The published network with the weights of ours, whose names are the same."""
    from aisfx.models.cnn2d import CrossNet, EmbeddingNet

    network = CrossNet(EmbeddingNet("max", 3, 1, 64), {str(i): (i, count) for i, count in enumerate(CLASSES)}, "cpu")
    network.load_state_dict(tagger.state_dict())
    return network.eval()


def published_log_mel(file, samples):
    """Log-mel frames of the package's own code; Essentia hangs on samples that are not finite."""
    from aisfx.preprocessing import spectrogram_normalize
    from aisfx.spectrogram.spectrogram_essentia import compute_spectrogram

    assert np.isfinite(samples).all()
    soundfile.write(file, samples, RATE_HZ, subtype="FLOAT")
    options = {"block_size": 2048, "hop_size": 1024, "n_mels": 96, "f_min": 0.0, "f_max": 22050.0}
    return spectrogram_normalize(compute_spectrogram(filename=str(file), sr=float(RATE_HZ), **options))


def noise(samples):
    rng = np.random.default_rng(samples)
    envelope = np.exp(-np.linspace(0, 5, samples))  # from loud to soft
    return (rng.uniform(-1, 1, samples) * envelope).astype(np.float32)


def test_bands_are_essentias():
    bands = MelBands(
        inputSize=1025,
        numberBands=96,
        sampleRate=RATE_HZ,
        lowFrequencyBound=0,
        highFrequencyBound=22050,
        warpingFormula="htkMel",
        weighting="warping",
        normalize="unit_sum",
        type="power",
        log=False,
    )
    theirs = np.stack([bands(row) for row in np.eye(1025, dtype=np.float32)])
    ours = mel_triangles(rate_hz=RATE_HZ, fft=2048, bands=96, low_hz=0, high_hz=RATE_HZ / 2)
    np.testing.assert_allclose((ours / ours.sum(0)).numpy(), theirs, atol=2e-6)


# A frame lies around every 1,024th sample, so lengths around a multiple of it have different numbers of frames.
@pytest.mark.parametrize("samples", [1000, 44032, 44033, 44100, 132300])
def test_log_mel_frames_are_the_published_ones(tagger, tmp_path, samples):
    sound = noise(samples)
    theirs = published_log_mel(tmp_path / "sound.wav", sound)
    ours = tagger.log_mel(torch.from_numpy(sound)[None])[0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


# 1 s is shorter than a block of 100 frames and padded; 3 s is one block and a part, which is left out; 4.4 s is two blocks.
@pytest.mark.parametrize("seconds", [1, 3, 4.4])
def test_logits_and_embeddings_are_the_published_ones(tagger, published, tmp_path, seconds):
    from aisfx.preprocessing import blocking

    sound = noise(int(seconds * RATE_HZ))
    blocks = torch.Tensor(blocking(published_log_mel(tmp_path / "sound.wav", sound), 100, 50, True))
    with torch.inference_mode():
        logits, embedding = tagger(torch.from_numpy(sound)[None])
        embeddings = published.get_embedding(blocks)
        theirs = [head(embeddings).mean(0) for head in published.fc[:4]]
    torch.testing.assert_close(embedding[0], embeddings.mean(0), atol=1e-4, rtol=0)
    for ours, other in zip(logits, theirs, strict=True):
        torch.testing.assert_close(ours[0], other, atol=1e-3, rtol=0)


def test_sounds_at_16_khz_are_tagged_each_by_itself(tagger):
    sounds = np.stack([noise(16000), noise(16000)[::-1]])
    logits, embedding = tagger.tag(sounds)
    assert [head.shape for head in logits] == [(2, count) for count in CLASSES[:4]]
    assert embedding.shape == (2, 512)
    alone, _ = tagger.tag(sounds[1:])
    np.testing.assert_allclose(alone[0][0], logits[0][1], atol=1e-3)
    assert np.abs(logits[0][0] - logits[0][1]).max() > 0.1


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(UserError, match=r"analysis\.taggers: aisfx is not installed"):
        aisfx.load()


@pytest.mark.parametrize("content", [None, b"another checkpoint"])
def test_other_weights_are_refused(monkeypatch, tmp_path, content):
    class Distribution:
        def locate_file(self, _path):
            return tmp_path / "checkpoint.pth"

    monkeypatch.setattr(importlib.metadata, "distribution", lambda _name: Distribution())
    if content:
        (tmp_path / "checkpoint.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"is not the checkpoint of aisfx 0\.1\.2" if content else "is missing"):
        aisfx.load()
