"""The paper's augmentations of sounds (torch-audiomentations) and of log-mel patches (SpecAugment), each decided by a seed."""

import contextlib
import dataclasses
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import julius
import numpy as np
import torch
import torchaudio
from torch.nn.functional import pad
from torch_audiomentations import ApplyImpulseResponse, Compose, HighPassFilter, LowPassFilter, PitchShift, Shift, convolve
from torch_audiomentations.utils.object_dict import ObjectDict
from torch_pitch_shift import pitch_shift

from doppelgangers.audio import decode, resample
from doppelgangers.datasets.archive import Tree
from doppelgangers.datasets.audio_files import audio_files

Seed = int | list[int]

PROBABILITY = 0.5  # of each step (paper)
CHUNK = 100  # sounds that share their parameters in mode per_batch, as in the authors' code
# Sounds that are transposed at once. The spectrum of one takes 2.3 MB, and a dozen such arrays are in use at a time: on a CPU,
# four sounds at once are the fastest, three times as fast as a hundred.
PITCH_SOUNDS = {"cpu": 4, "cuda": 64}


class Augment(torch.nn.Module):
    """High-pass, low-pass, transposition, shift and reverberation, in this order, each with a probability of 0.5.

    Args:
        rate_hz: sample rate of the sounds.
        impulse_responses: folder or archive of sound files to convolve with; None leaves that step out.
        mode: "per_batch", in which the sounds of a chunk share their random parameters, or "per_example".
        chunk: number of sounds that are augmented together.

    Raises:
        UserError: when there are no impulse responses, or one is damaged.
    """

    def __init__(self, rate_hz: int, impulse_responses: Path | None = None, mode: str = "per_batch", chunk: int = CHUNK):
        super().__init__()
        options = {"p": PROBABILITY, "mode": mode, "sample_rate": rate_hz, "output_type": "dict"}
        steps = [
            BatchedHighPass(20.0, 800.0, **options),
            BatchedLowPass(1200.0, 8000.0, **options),
            # ASSUME: as upstream: only ratios that the library resamples fast, which at 16 kHz are 125/128 and 128/125
            # (±0.41 semitones).
            GroupedPitchShift(-2.0, 2.0, **options),
            Shift(-0.25, 0.25, shift_unit="fraction", rollover=True, **options),
        ]
        if impulse_responses is not None:
            steps.append(Reverberation(read_impulse_responses(impulse_responses, rate_hz), **options))
        self.steps = Compose(steps, output_type="dict")
        self.chunk = chunk

    @torch.no_grad()
    def forward(self, sounds: torch.Tensor, seed: Seed) -> torch.Tensor:
        """Augmented sounds: (N, T) -> a new tensor (N, T). On a CPU the same seed gives the same result."""
        with seeded(seed, sounds.device):
            return torch.cat([self.steps(chunk[:, None]).samples[:, 0] for chunk in sounds.split(self.chunk)])


class SpecAugment(torch.nn.Module):
    """Masks over log-mel patches, as the authors' code has them: four over bands and two over frames, drawn for each patch.

    Their patches are (frames, bands), while torchaudio takes the last axis for time: its four "time masks" of up to 40 meet the
    bands, and its two "frequency masks" of up to 20 the frames. p is no probability: it bounds a mask to 0.4 of its axis, and
    every mask is drawn. So one hides 0 to 24 of the 64 bands, or 0 to 19 of the 96 frames, all widths equally likely.

    Args:
        mode: what is masked becomes the mean of all patches ("per_batch", as the authors' for synthetic sounds), or of its own
            patch ("per_example", as theirs for recordings).
    """

    def __init__(self, mode: str = "per_batch"):
        super().__init__()
        self.mode = mode
        self.masks = torchaudio.transforms.SpecAugment(
            n_time_masks=4, time_mask_param=40, n_freq_masks=2, freq_mask_param=20, iid_masks=True, p=0.4, zero_masking=True
        )

    @torch.no_grad()
    def forward(self, patches: torch.Tensor, seed: Seed) -> torch.Tensor:
        """Masked patches: (N, 96, 64) -> a new tensor (N, 96, 64). On a CPU the same seed gives the same result."""
        filling = patches.mean() if self.mode == "per_batch" else patches.mean(dim=(1, 2), keepdim=True)
        with seeded(seed, patches.device):
            return torch.where(self.masks(torch.ones_like(patches)) > 0, patches, filling)


class BatchedLowPass(LowPassFilter):
    """The library's low-pass filter, with all filters of a batch applied at once."""

    def apply_transform(self, samples: torch.Tensor, **others) -> ObjectDict:
        return ObjectDict(samples=low_pass(samples, self.transform_parameters["cutoff_freq"], self.sample_rate), **others)


class BatchedHighPass(HighPassFilter):
    """The library's high-pass filter (the sound minus its low-pass), with all filters of a batch applied at once."""

    def apply_transform(self, samples: torch.Tensor, **others) -> ObjectDict:
        low = low_pass(samples, self.transform_parameters["cutoff_freq"], self.sample_rate)
        return ObjectDict(samples=samples - low, **others)


def low_pass(samples: torch.Tensor, cutoffs_hz: torch.Tensor, rate_hz: int) -> torch.Tensor:
    """The low-pass filters of julius, which the library uses too: samples (B, C, T), cutoffs (B,) -> (B, C, T)."""
    # The library converts the frequency to mel and back, which may round it up to more than half the sample rate.
    filters = [
        julius.LowPassFilters([min(cutoff / rate_hz, 0.5)]).get_buffer("filters")[0, 0] for cutoff in cutoffs_hz.tolist()
    ]
    half = max(map(len, filters)) // 2
    kernels = torch.stack([pad(taps, [half - len(taps) // 2] * 2) for taps in filters])[:, None].to(samples.device)
    return convolve(pad(samples, (half, half), mode="replicate"), kernels, mode="valid")  # the filters are symmetric


class GroupedPitchShift(PitchShift):
    """The library's transposition, applied at once to sounds that have drawn the same ratio."""

    def apply_transform(self, samples: torch.Tensor, **others) -> ObjectDict:
        # A ratio for each sound; in mode per_batch a chunk is one sound of many channels.
        drawn = self.transform_parameters["transpositions"]
        channels, size = samples.shape[1], PITCH_SOUNDS.get(samples.device.type, PITCH_SOUNDS["cuda"])
        sounds = samples.reshape(-1, 1, samples.shape[-1])
        shifted = torch.empty_like(sounds)
        for ratio in set(drawn):
            rows = torch.tensor([i * channels + c for i, own in enumerate(drawn) if own == ratio for c in range(channels)])
            for part in rows.to(samples.device).split(size):
                shifted[part] = pitch_shift(sounds[part], ratio, self.sample_rate)
        return ObjectDict(samples=shifted.reshape(samples.shape), **others)


class Reverberation(ApplyImpulseResponse):
    """The library's convolution with impulse responses, which are in memory here: torchaudio no longer reads files.

    Args:
        responses: impulse responses, (1, L) each.
        options: those of the library's class.
    """

    def __init__(self, responses: list[torch.Tensor], **options):
        super().__init__(["in memory.wav"], convolve_mode="full", compensate_for_propagation_delay=False, **options)
        self.ir_paths, self.audio = range(len(responses)), responses.__getitem__

    def randomize_parameters(self, samples: torch.Tensor, **others) -> None:
        super().randomize_parameters(samples, **others)
        # The part of a response beyond the length of the sound has no effect, because the result is cut to that length.
        self.transform_parameters["ir"] = self.transform_parameters["ir"][..., : samples.shape[-1]]


def read_impulse_responses(path: Path, rate_hz: int) -> list[torch.Tensor]:
    """All sound files of a folder or archive, in mono and at `rate_hz`: (1, L) float32 each.

    Raises:
        UserError: when there are none, or one is damaged.
    """
    with tempfile.TemporaryDirectory() as scratch, Tree([path], Path(scratch, "unpacked")) as tree:
        names = audio_files(tree)
        tree.select(names)
        return [torch.from_numpy(resample(*decode(tree.read(name), name), rate_hz))[None] for name in names]


@contextlib.contextmanager
def seeded(seed: Seed, device: torch.device) -> Iterator[None]:
    """Seed the generators of torch and Python, from which alone the libraries draw, and restore their states at the end."""
    number = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    python = random.getstate()
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        try:
            random.seed(number)
            torch.default_generator.manual_seed(number)  # torch.manual_seed would seed all GPUs too
            if on_gpu:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(number)
            yield
        finally:
            random.setstate(python)


class Augmenters(NamedTuple):
    """An augmentation at work, before and after the front-end; both functions leave shape and device as they are.

    Attributes:
        sounds: takes (N, 2, T) and a seed; the two views are augmented independently.
        patches: takes log-mel patches (N, 96, 64) and a seed.
    """

    sounds: Callable[[torch.Tensor, Seed], torch.Tensor]
    patches: Callable[[torch.Tensor, Seed], torch.Tensor]


def unchanged(x: torch.Tensor, seed: Seed) -> torch.Tensor:
    """x."""
    return x


def of_sounds(mode: str) -> Callable[[Path | None, int], Augmenters]:
    """A function that builds `Augment` in a mode, as an entry of `AUGMENTATIONS`."""

    def build(impulse_responses: Path | None, rate_hz: int) -> Augmenters:
        augment = Augment(rate_hz, impulse_responses, mode)

        def views(pairs: torch.Tensor, seed: Seed) -> torch.Tensor:
            return torch.stack([augment(pairs[:, view], [*np.atleast_1d(seed).tolist(), view]) for view in (0, 1)], dim=1)

        return Augmenters(views, unchanged)

    return build


# name -> function of (impulse responses, sample rate)
AUGMENTATIONS: dict[str, Callable[[Path | None, int], Augmenters]] = {
    "none": lambda impulse_responses, rate_hz: Augmenters(unchanged, unchanged),
    "waveform": of_sounds("per_batch"),
    "waveform_per_example": of_sounds("per_example"),
    "spec": lambda impulse_responses, rate_hz: Augmenters(unchanged, SpecAugment("per_batch")),
    "spec_per_example": lambda impulse_responses, rate_hz: Augmenters(unchanged, SpecAugment("per_example")),
}


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What is done to the views of pairs; a plain value, which other processes can receive and build themselves.

    Attributes:
        name: of an entry of `AUGMENTATIONS`.
        impulse_responses: folder or archive for "waveform" and "waveform_per_example"; None leaves reverberation out.
    """

    name: str
    impulse_responses: Path | None = None

    def build(self, rate_hz: int) -> Augmenters:
        """Make it ready for sounds of a sample rate.

        Raises:
            UserError: when there are no impulse responses, or one is damaged.
        """
        return AUGMENTATIONS[self.name](self.impulse_responses, rate_hz)
