"""VGGish log-mel front-end in torch (paper, appendix; Hershey et al. 2017)."""

import math

import torch

RATE_HZ = 16000
WINDOW = 400  # 25 ms
HOP = 160  # 10 ms
FFT = 512
BANDS = 64
LOW_HZ, HIGH_HZ = 125.0, 7500.0
LOG_OFFSET = 0.01
CPU_CHUNK = 16  # sounds at once on a CPU: the intermediate results stay in its cache, which is four times as fast
PATCH_FRAMES = 96  # 0.96 s
PATCH_SAMPLES = WINDOW + HOP * (PATCH_FRAMES - 1)  # the shortest sound that fills a patch has 15,600 samples


def hz_to_mel(hz: torch.Tensor | float) -> torch.Tensor:
    """Mel of a frequency in Hz, on the scale of HTK: 1127 ln(1 + f / 700)."""
    return 1127.0 * torch.log1p(torch.as_tensor(hz, dtype=torch.float64) / 700.0)


def mel_matrix() -> torch.Tensor:
    """Weight of each frequency in each band: triangles on the mel scale, (FFT // 2 + 1, BANDS) float32; that of 0 Hz is 0."""
    edges = torch.linspace(hz_to_mel(LOW_HZ).item(), hz_to_mel(HIGH_HZ).item(), BANDS + 2, dtype=torch.float64)
    bins = hz_to_mel(torch.linspace(0, RATE_HZ / 2, FFT // 2 + 1, dtype=torch.float64))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling).clamp(min=0)
    weights[0] = 0
    return weights.float()


class LogMel(torch.nn.Module):
    """log(mel + 0.01) of the magnitude spectrum, cut into patches of 96 frames without overlap."""

    window: torch.Tensor
    mel: torch.Tensor

    def __init__(self):
        super().__init__()
        window = torch.nn.functional.pad(torch.hann_window(WINDOW, periodic=True), (0, FFT - WINDOW))
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("mel", mel_matrix(), persistent=False)

    def frames(self, audio: torch.Tensor) -> torch.Tensor:
        """Log-mel frames: audio (..., T) at 16 kHz -> (..., F, BANDS), F = 1 + (T - 400) // 160."""
        sounds = audio.reshape(-1, audio.shape[-1])
        chunks = sounds.split(CPU_CHUNK) if audio.device.type == "cpu" else [sounds]
        frames = torch.cat([self.log_mel(chunk) for chunk in chunks])
        return frames.reshape(*audio.shape[:-1], *frames.shape[1:])

    def log_mel(self, sounds: torch.Tensor) -> torch.Tensor:
        """Log-mel frames of one chunk of sounds: (N, T) -> (N, F, BANDS)."""
        padded = torch.nn.functional.pad(sounds, (0, FFT - WINDOW))
        spectrum = torch.fft.rfft(padded.unfold(-1, FFT, HOP) * self.window)
        real, imaginary = torch.view_as_real(spectrum).unbind(-1)
        magnitude = torch.addcmul(real.square(), imaginary, imaginary).sqrt()  # abs() is slow: it guards against overflow
        return torch.log(magnitude @ self.mel + LOG_OFFSET)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Patches: audio (..., T) at 16 kHz -> (..., P, 96, 64).

        A sound shorter than a patch (15,600 samples) is padded with silence. The rest of a sound that does not fill a patch is
        left out, as VGGish does.
        """
        if audio.shape[-1] < PATCH_SAMPLES:
            audio = torch.nn.functional.pad(audio, (0, PATCH_SAMPLES - audio.shape[-1]))
        patches = patch_count(audio.shape[-1])
        used = WINDOW + HOP * (patches * PATCH_FRAMES - 1)
        return self.frames(audio[..., :used]).unflatten(-2, (patches, PATCH_FRAMES))


def patch_count(samples: int) -> int:
    """Number of patches of a sound of `samples` samples at 16 kHz; at least 1, because short sounds are padded."""
    frames = 1 + math.floor((max(samples, PATCH_SAMPLES) - WINDOW) / HOP)
    return frames // PATCH_FRAMES
