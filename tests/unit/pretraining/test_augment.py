import random

import numpy as np
import pytest
import torch
import torch_audiomentations
import torchaudio

from doppelgangers.errors import UserError
from doppelgangers.pretraining import augment
from doppelgangers.pretraining.augment import (
    AUGMENTATIONS,
    Augment,
    Augmentation,
    BatchedHighPass,
    BatchedLowPass,
    GroupedPitchShift,
    Reverberation,
    SpecAugment,
)
from tests.archives import write_folder, write_zip
from tests.recorded import encoded, noise

RATE, T = 16000, 4000
ALWAYS = {"p": 1.0, "sample_rate": RATE, "output_type": "dict"}
MODES = ("per_batch", "per_example")


def sounds(count, samples=T, seed=0):
    return torch.randn(count, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.fixture
def responses(tmp_path):
    decay = np.exp(-np.arange(4000) / 500, dtype=np.float32)[:, None]
    files = {f"Audio/{i}.wav": encoded(noise(4000, seed=i) * decay, rate) for i, rate in enumerate((16000, 32000))}
    return write_folder(tmp_path / "responses", files)


def states():
    return random.getstate(), torch.get_rng_state().tolist(), np.random.get_state()[1].tolist()


@pytest.mark.parametrize("mode", MODES)
def test_the_seed_decides_and_nothing_else(responses, mode):
    x = sounds(6)
    before = x.clone()
    module = Augment(RATE, responses, mode, chunk=3)
    first = module(x, [3, 4])
    random.seed(9)
    torch.manual_seed(9)
    states_before = states()
    again = module(x, [3, 4])
    assert states() == states_before
    assert torch.equal(first, again)
    assert torch.equal(first, Augment(RATE, responses, mode, chunk=3)(x, [3, 4]))
    assert not torch.equal(first, module(x, [3, 5]))
    assert torch.equal(x, before)
    assert first.shape == x.shape
    for seed in range(3):
        assert torch.isfinite(module(x, seed)).all()


def test_generators_are_put_back_after_an_error():
    states_before = states()
    with pytest.raises(AttributeError):
        Augment(RATE)("no sound", 0)
    with pytest.raises(ZeroDivisionError), augment.seeded(0, torch.device("cpu")):
        torch.rand(1), random.random(), 1 / 0
    assert states() == states_before


def test_a_chunk_shares_its_parameters_and_examples_do_not():
    x = sounds(1).repeat(12, 1)
    shared = [Augment(RATE, mode="per_batch", chunk=6)(x, seed) for seed in range(4)]
    for y in shared:
        assert torch.allclose(y[:6], y[:1], atol=1e-5)
        assert torch.allclose(y[6:], y[6:7], atol=1e-5)
    assert any(not torch.allclose(y[0], y[6], atol=1e-3) for y in shared)
    own = Augment(RATE, mode="per_example")(x, 0)
    distinct = {tuple(sound[::250].mul(1000).round().tolist()) for sound in own}
    assert len(distinct) > 6  # unchanged with a probability of 1/16 each


@pytest.mark.parametrize(
    ("ours", "theirs", "low_hz", "high_hz"),
    [
        (BatchedHighPass, torch_audiomentations.HighPassFilter, 20.0, 800.0),
        (BatchedLowPass, torch_audiomentations.LowPassFilter, 1200.0, 8000.0),
        (GroupedPitchShift, torch_audiomentations.PitchShift, -2.0, 2.0),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_batched_steps_do_what_the_librarys_own_do(ours, theirs, low_hz, high_hz, mode):
    x = sounds(9)[:, None]
    results = []
    for step in (ours, theirs):
        with augment.seeded(1, x.device):
            results.append(step(low_hz, high_hz, mode=mode, **ALWAYS)(x.clone()).samples)
    torch.testing.assert_close(*results, atol=2e-6, rtol=1e-4)
    assert not torch.allclose(results[0], x, atol=1e-3)


def test_filters_take_away_what_they_should():
    time = torch.arange(RATE) / RATE
    tones = torch.stack([torch.sin(2 * torch.pi * hz * time) for hz in (10, 1000, 7900)])[:, None]
    low = augment.low_pass(tones, torch.full((3,), 2000.0), RATE)[..., 2000:-2000].square().mean(-1).sqrt() * 2**0.5
    assert low.flatten().tolist() == pytest.approx([1, 1, 0], abs=0.01)
    edge = augment.low_pass(tones, torch.full((3,), 8000.001), RATE)  # rounded to beyond half the rate
    assert torch.isfinite(edge).all()


def test_transposition_moves_a_tone_by_the_drawn_ratio():
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(RATE) / RATE)[None, None]
    found = set()
    for seed in range(8):
        with augment.seeded(seed, tone.device):
            shifted = GroupedPitchShift(-2.0, 2.0, mode="per_example", **ALWAYS)(tone).samples
        found.add(torch.fft.rfft(shifted[0, 0]).abs().argmax().item())
    assert all(min(abs(hz - 1000 * ratio) for ratio in (125 / 128, 128 / 125)) <= 2 for hz in found)
    assert len(found) == 2


@pytest.mark.parametrize("mode", MODES)
def test_reverberation_is_the_convolution_with_a_response(responses, mode):
    read = augment.read_impulse_responses(responses, RATE)
    assert [len(response[0]) for response in read] == [4000, 2000]
    x = sounds(6, samples=3000)
    with augment.seeded(0, x.device):
        y = Reverberation(read, mode=mode, **ALWAYS)(x[:, None]).samples[:, 0].numpy()
    for dry, wet in zip(x.numpy(), y, strict=True):
        candidates = [np.convolve(dry, response[0].numpy())[:3000] for response in read]
        assert min(np.abs(wet - candidate).max() for candidate in candidates) < 1e-4


def test_responses_come_from_an_archive_too_and_must_be_there(responses, tmp_path):
    files = {path.name: path.read_bytes() for path in responses.rglob("*.wav")}
    archive = write_zip(tmp_path / "responses.zip", files)
    for a, b in zip(*(augment.read_impulse_responses(path, RATE) for path in (responses, archive)), strict=True):
        assert torch.equal(a, b)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no audio file"):
        Augmentation("waveform", tmp_path / "empty").build(RATE)


def some_patches(count=40):
    """Log-mel patches, each at a level of its own."""
    random = torch.Generator().manual_seed(0)
    return torch.randn(count, 96, 64, generator=random) + 3 + torch.randn(count, 1, 1, generator=random)


def test_masks_are_those_of_the_authors_call():
    """SpecAugment is handed (batch, 1, 96 frames, 64 bands), and one sound at a time where the sounds are recordings."""
    options = {"n_time_masks": 4, "time_mask_param": 40, "n_freq_masks": 2, "freq_mask_param": 20, "iid_masks": True, "p": 0.4}
    patches = some_patches()
    with augment.seeded(5, patches.device):
        expected = torchaudio.transforms.SpecAugment(**options)(patches[:, None])[:, 0]
    torch.testing.assert_close(SpecAugment("per_batch")(patches, 5), expected)
    with augment.seeded(5, patches.device):
        expected = torchaudio.transforms.SpecAugment(**options)(patches[:1, None])[:, 0]
    torch.testing.assert_close(SpecAugment("per_example")(patches[:1], 5), expected)


def test_bands_and_frames_are_hidden_to_the_authors_widths():
    patches = some_patches(2000)
    hidden = SpecAugment()(patches, 0) != patches
    bands, frames = hidden.all(dim=1), hidden.all(dim=2)
    assert bands.sum(1).max() > 2 * 24  # four masks of bands, of at most 24 each
    assert 19 < frames.sum(1).max() <= 2 * 19  # two of frames
    # A mask is as often of one width as of any other, and masks may overlap: 1 - (1 - 12 / 64)^4, roughly, more at the middle.
    assert bands.float().mean().item() == pytest.approx(0.54, abs=0.02)
    assert frames.float().mean().item() == pytest.approx(0.19, abs=0.02)
    assert hidden.float().mean().item() == pytest.approx(0.63, abs=0.02)


def test_recordings_are_filled_each_with_its_own_mean():
    patches = some_patches()
    masked = SpecAugment("per_example")(patches, 5)
    assert torch.equal(masked != patches, SpecAugment("per_batch")(patches, 5) != patches)
    for ours, patch in zip(masked, patches, strict=True):
        hidden = ours != patch
        assert hidden.any()
        torch.testing.assert_close(ours[hidden], patch.mean().expand(int(hidden.sum())))


def test_masks_differ_among_patches_and_take_the_mean():
    patches = some_patches()
    before = patches.clone()
    masked = SpecAugment()(patches, 5)
    assert masked.shape == patches.shape
    assert torch.equal(patches, before)
    assert torch.equal(masked, SpecAugment()(patches, 5))
    assert not torch.equal(masked, SpecAugment()(patches, 6))
    hidden = masked != patches
    assert torch.allclose(masked[hidden], patches.mean())  # whole frames and whole bands only
    frames, bands = hidden.all(dim=2), hidden.all(dim=1)
    assert torch.equal(hidden, frames[:, :, None] | bands[:, None, :])
    assert len({tuple(row.tolist()) for row in frames}) > 30
    assert len({tuple(row.tolist()) for row in bands}) > 30


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_every_augmentation_has_both_calls_and_keeps_shapes(responses, name):
    pairs = sounds(4)[:, None].expand(-1, 2, -1).contiguous()
    patches = sounds(8, samples=96 * 64).reshape(8, 96, 64)
    augmentation = Augmentation(name, responses).build(RATE)
    changed = augmentation.sounds(pairs, [0, 7]), augmentation.patches(patches, [0, 7])
    assert [x.shape for x in changed] == [pairs.shape, patches.shape]
    assert torch.equal(changed[0], pairs) == (not name.startswith("waveform"))
    assert torch.equal(changed[1], patches) == (not name.startswith("spec"))
    if name.startswith("waveform"):
        assert not torch.equal(changed[0][:, 0], changed[0][:, 1])  # views are augmented independently
