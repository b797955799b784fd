"""What a job of each rule costs: memory, time, room for its outputs. Rules ask a cluster for it, and `make plan` adds it up.

Where no other source is named, a figure was measured on two cores of an AMD EPYC, at times with other work beside: seconds and
peak_memory_mb in the records of jobs (logs/), at the scales of tests/tiny.yaml and of config.yaml with fewer pairs. What is
called an estimate was not measured; nothing has been measured on a GPU.
"""

import re
from collections.abc import Mapping

from doppelgangers.workflow.config import Config
from doppelgangers.workflow.cost import Cost
from doppelgangers.workflow.costs_of_analysis import AnalysisCosts
from doppelgangers.workflow.plan import columns_of, datasets_of, seeds_of, settings_of, synthetic_encoders, tasks_of

PATCH_S, PATCH_MB = 0.96, 96 * 64 * 2 / 1e6  # of log-mel
FEATURE_MB = 512 * 4 / 1e6
SOUND_MB_PER_S = 16_000 * 2 / 1e6
# Memory of a process with torch, and with torch and JAX: 756 and 969 MB at the smallest. With CUDA: an estimate.
TORCH_MB, JAX_MB, CUDA_MB = 800, 1_000, 1_500
COMPILING_MB = 700  # a synthesizer: 893 (percussive) to 1,645 MB (parametric) in all
# A pair of a batch, in a step of training without a GPU, by width of the encoder: 2.4, 5.5 and 7.6 MB at 0.25, 0.5 and 1.
PAIR_MB, PAIR_MB_PER_WIDTH = 0.6, 7.2
PROBE_MB = 850
PEER_MB = 4_000  # an encoder of somebody else: an estimate
DECODING_MB = 1_500  # 920 MB for sounds of 30 s at 44.1 kHz and two threads (docs/benchmarks.md); sixteen: an estimate

# Pairs of sounds of 1 s that a core renders in a second, docs/benchmarks.md; SynthAX's own code takes 4 to 12 times as long.
RENDERED = {"voice": 2_100, "voicefm": 1_400, "parametric": 800, "percussive": 2_200, "additive": 1_100}
SLOWER = {"fast": 1, "synthax": 8}
COMPILING_S = {"voice": 12, "voicefm": 18, "parametric": 40, "percussive": 10, "additive": 12}

# Seconds of a core for a pair in training, by width: 437 pairs/s at 0.25 (docs/benchmarks.md) and about 50 at 1, on two cores;
# and for a patch that is embedded: 13,532, 3,934, 1,170 and 341 a second at 0.0625, 0.25, 0.5 and 1, on two cores.
PAIR_S, PAIR_S_PER_SQUARE = 0.002, 0.038
PATCH_CORE_S, PATCH_CORE_S_PER_SQUARE = 0.0001, 0.0058
AUGMENTING_S = {"none": 0, "spec": 0.0002, "spec_per_example": 0.0002, "waveform": 1 / 80, "waveform_per_example": 1 / 80}

# A pair on one GPU at full width, estimates: the paper has 1 to 2 hours on two V100s for 18 million pairs, so 3 hours of one,
# and 4 with augmentations; on recordings 6 to 8 hours and more. A narrower encoder is taken to need a quarter at least.
PAIR_GPU_S, RECORDED_PAIR_GPU_S, AUGMENTED, LEAST_SHARE = 3 * 3600 / 18e6, 12 * 3600 / 18e6, 4 / 3, 0.25
PATCH_GPU_S = PAIR_GPU_S / 6 + PATCH_MB / 200  # an estimate: a third of a pair's two patches; a disk that gives 200 MB/s

# Sound at 44.1 kHz that is decoded and resampled: 68 clips of 10 s a second with two threads (docs/benchmarks.md).
CLIP_S_PER_CORE_S = 340
RECORDINGS_PER_CORE_S = 50  # of 10 s: 85 wav, 58 flac, 44 ogg, 57 mp3 (docs/benchmarks.md)
READ_MB_PER_S = 70  # of an archive: a .tar.gz is listed at 169 MB/s, then unpacked at 135
FETCHED_MB_PER_S = 5  # what a network and a host give: an assumption
RECORDING_S, UNKNOWN_RECORDINGS = 10.0, 100_000  # VGGSound's, and where the configuration does not limit their number

# Seconds of a core for a clip, a fold and an epoch: 2.7, 3.4 and 11.1 us with 6, 50 and 300 classes; for a clip, an MLP and an
# epoch: 68 and 118 us with 6 and 300 classes.
LINEAR_S, LINEAR_S_PER_CLASS = 2.5e-6, 0.028e-6
MLP_S, MLP_S_PER_CLASS = 68e-6, 0.17e-6
# Estimates: share of the epochs that it may train for, and a GPU in cores. For the small steps of linear probes it is one core.
MLP_EPOCHS, MLP_GPU_SPEED = 1 / 3, 10

# What the catalogue does not say: sizes of archives, in MB, as others tell them (VIVAE's is a guess); clips; classes and folds.
ARCHIVE_MB = {"esc50": 650, "vivae": 200, "vocal_imitation": 7_500, "libricount": 833, "fsdd": 16}
CLIPS = {"notes": 3_584, "drums": 987, "fsdd": 3_000}
SHAPES = {
    **{"pitch": (88, 8), "family": (16, 8), "percussion": (47, 7), "esc50": (50, 5), "urbansound8k": (10, 10)},
    **{"vivae": (6, 11), "fsd50k": (200, 1), "nsynth_pitch": (88, 1), "crema_d": (6, 5), "vocal_imitation": (302, 3)},
    **{
        "libricount": (11, 5),
        "crema_d_unseen_actors": (6, 5),
        "spoken_digit": (10, 6),
        "speaker": (6, 5),
        "instrument": (112, 4),
    },
}
# Of the user's own tasks, whose files are not looked at: a middling dataset. --set-resources or a profile may say better.
OWN_ARCHIVE_MB, OWN_CLIPS, OWN_SHAPE = 1_000, 6_000, (50, 5)


class Costs(AnalysisCosts):
    """The cost of every job of a configuration: a method for each rule, which takes the wildcards of a job.

    `gpus` are those of a job that can use one, 0 or 1; pretrain.gpus says otherwise for trainings.
    """

    def __init__(self, config: Config, gpus: int) -> None:
        self.config = config
        self.datasets = datasets_of(config)
        self.tasks = columns_of(config, tasks_of(config))
        self.synthetic = synthetic_encoders(config)
        self.gpus = gpus
        self.cuda_mb = CUDA_MB if gpus else 0
        self.synthesis_mb = JAX_MB + COMPILING_MB + self.cuda_mb
        self.encoder_mb = 46 * config.encoder.width**2 + 1  # of its weights

    def of(self, rule: str, wildcards: Mapping[str, str]) -> Cost:
        """What a job of a rule costs."""
        return getattr(self, rule)(**wildcards)

    def generate_pairs(self, architecture: str, delta: str) -> Cost:
        return self.rendering(architecture, self.config.pairs.count)

    def rendering(self, architecture: str, pairs: int) -> Cost:
        """Of pairs that are rendered and written."""
        core_s = self.rendering_s(architecture, pairs)
        disk_mb = pairs * 2 * self.config.synth.duration_s * SOUND_MB_PER_S
        # A GPU is taken as a core.
        return Cost(self.synthesis_mb, core_s, COMPILING_S[architecture], core_s, self.gpus, disk_mb)

    def sample_pairs(self, architecture: str, delta: str) -> Cost:
        return Cost(self.synthesis_mb, serial_s=COMPILING_S[architecture], gpus=self.gpus)  # 8 to 26 s

    def initialize(self, **wildcards: str) -> Cost:
        return Cost(TORCH_MB, disk_mb=self.encoder_mb)

    adopt = initialize

    def write_listening_page(self) -> Cost:
        return Cost(TORCH_MB)

    def register_peer(self, setting: str) -> Cost:
        return Cost(PEER_MB + self.cuda_mb, serial_s=60, gpus=self.gpus)  # an estimate

    def pretrain(self, setting: str, seed: str) -> Cost:
        encoder = self.synthetic[setting]
        streamed = self.config.pretrain.source == "stream"
        rendering_s = self.rendering_s(encoder.architecture, self.config.pretrain.pairs) if streamed else 0
        serial_s = COMPILING_S[encoder.architecture] if streamed else 0
        return self.training(encoder.augmentation, rendering_s, serial_s, PAIR_GPU_S)

    def pretrain_on_recordings(self, setting: str, seed: str) -> Cost:
        return self.training(self.config.encoders.real[setting].augmentation, 0, 0, RECORDED_PAIR_GPU_S)

    def training(self, augmentation: str, rendering_s: float, serial_s: float, pair_gpu_s: float) -> Cost:
        """Of an encoder, whose pairs take so long to render and to compile."""
        pretrain, width, duration_s = self.config.pretrain, self.config.encoder.width, self.config.synth.duration_s
        pairs = pretrain.pairs * duration_s
        core_s = pairs * (PAIR_S + PAIR_S_PER_SQUARE * width**2 + AUGMENTING_S[augmentation]) + rendering_s
        gpu_s = pairs * pair_gpu_s * max(width**2, LEAST_SHARE) * (1 if augmentation == "none" else AUGMENTED)
        gpus = self.gpus if pretrain.gpus == "auto" else pretrain.gpus
        batch_mb = 0 if gpus else pretrain.batch_pairs * duration_s * (PAIR_MB + PAIR_MB_PER_WIDTH * width)
        processes = max(1, gpus or (1 if pretrain.ranks == "auto" else pretrain.ranks)) // pretrain.nodes  # of each node
        each_mb = JAX_MB + (COMPILING_MB if serial_s else 0) + (CUDA_MB if gpus else 0) + 4 * self.encoder_mb
        memory_mb = processes * each_mb + batch_mb / pretrain.nodes + (TORCH_MB if processes * pretrain.nodes > 1 else 0)
        return Cost(memory_mb, core_s, serial_s, gpu_s, gpus, 1.5 * self.encoder_mb)

    def decode_recordings(self, recordings: str) -> Cost:
        files = self.config.recordings[recordings].limit_files or UNKNOWN_RECORDINGS
        return Cost(DECODING_MB, files / RECORDINGS_PER_CORE_S, disk_mb=files * RECORDING_S * SOUND_MB_PER_S)

    def download(self, dataset: str, file: str) -> Cost:
        mb = self.archive_mb(dataset, file)
        return Cost(200, serial_s=mb / FETCHED_MB_PER_S, disk_mb=mb)

    def prepare(self, dataset: str) -> Cost:
        return Cost(DECODING_MB, *self.reading(dataset), disk_mb=self.patches(dataset) * PATCH_MB)

    def extract_features(self, dataset: str, setting: str, seed: str) -> Cost:
        return self.embedding(self.clips(dataset), self.patches(dataset))

    def embedding(self, clips: float, patches: float) -> Cost:
        """Of clips that an encoder of ours embeds, of so many patches in all."""
        width = self.config.encoder.width
        core_s = patches * (PATCH_CORE_S + PATCH_CORE_S_PER_SQUARE * width**2)
        disk_mb = clips * FEATURE_MB
        memory_mb = TORCH_MB + self.cuda_mb + 300 * width + disk_mb
        return Cost(memory_mb, core_s, gpu_s=patches * PATCH_GPU_S, gpus=self.gpus, disk_mb=disk_mb)

    def extract_peer_features(self, dataset: str, setting: str) -> Cost:
        decoding_s, reading_s = self.reading(dataset)
        embedding_s = self.patches(dataset) * (PATCH_CORE_S + PATCH_CORE_S_PER_SQUARE)  # an estimate: as ours at full width
        disk_mb = 4 * self.clips(dataset) * FEATURE_MB
        return Cost(PEER_MB + self.cuda_mb, decoding_s + embedding_s, reading_s, decoding_s, self.gpus, disk_mb)

    def train_linear_probes(self, task: str, setting: str) -> Cost:
        (classes, folds), clips = self.shape(task), self.probed(task, setting)
        core_s = clips * folds * self.config.probe.epochs * (LINEAR_S + LINEAR_S_PER_CLASS * classes)
        return Cost(self.probe_mb(clips), core_s, gpu_s=core_s, gpus=self.gpus)

    def train_mlp_probes(self, task: str, setting: str) -> Cost:
        (classes, folds), clips, mlp = self.shape(task), self.probed(task, setting), self.config.mlp
        epochs = clips * (mlp.tried + folds - 1) * mlp.max_epochs * MLP_EPOCHS
        core_s = epochs * (MLP_S * (mlp.width / 1024) ** 2 + MLP_S_PER_CLASS * classes)
        return Cost(self.probe_mb(clips), core_s, gpu_s=core_s / MLP_GPU_SPEED, gpus=self.gpus)

    def write_hear_task(self, task: str) -> Cost:
        decoding_s, reading_s = self.reading(self.tasks[task].dataset)
        return Cost(DECODING_MB, decoding_s, reading_s, disk_mb=decoding_s * CLIP_S_PER_CORE_S * SOUND_MB_PER_S)

    def collect_scores(self) -> Cost:
        return Cost(250, 5)  # 150 MB

    make_table = plot_scores = plot_training = collect_scores

    def rendering_s(self, architecture: str, pairs: int) -> float:
        """Seconds of a core for pairs of sounds."""
        synth = self.config.synth
        return pairs * synth.duration_s * SLOWER[synth.renderer] / RENDERED[architecture]

    def clips(self, dataset: str) -> int:
        """How many clips a dataset has."""
        clips = self.datasets[dataset].clips or CLIPS.get(dataset, OWN_CLIPS)
        return min(clips, settings_of(self.config, dataset).limit_clips or clips)

    def patches(self, dataset: str) -> int:
        return self.clips(dataset) * max(1, int(self.datasets[dataset].clip_s / PATCH_S))

    def archive_mb(self, dataset: str, file: str) -> float:
        archive = next(archive for archive in self.datasets[dataset].archives if archive.file == file)
        return archive.bytes / 1e6 or ARCHIVE_MB.get(dataset, OWN_ARCHIVE_MB)

    def reading(self, dataset: str) -> tuple[float, float]:
        """Seconds of a core that decode and resample a dataset, and those that only read its archives."""
        row = self.datasets[dataset]
        archives_mb = sum(self.archive_mb(dataset, archive.file) for archive in row.archives)
        return self.clips(dataset) * row.clip_s / CLIP_S_PER_CORE_S, archives_mb / READ_MB_PER_S

    def shape(self, task: str) -> tuple[int, int]:
        """Classes and folds of a column of the table."""
        return SHAPES.get(re.sub("_(hear_linear|linear|mlp)$", "", task), OWN_SHAPE)

    def probed(self, task: str, setting: str) -> int:
        """Clips of a task, for all seeds of an encoder."""
        return self.clips(self.tasks[task].dataset) * len(seeds_of(self.config, setting))

    def probe_mb(self, clips: int) -> float:
        return PROBE_MB + self.cuda_mb + 4 * clips * FEATURE_MB  # they are read, stacked, and copied for a GPU
