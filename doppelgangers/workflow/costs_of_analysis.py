"""What jobs of the analysis cost: a method for each rule, as in `costs`."""

from doppelgangers.workflow.config import Config
from doppelgangers.workflow.cost import Cost
from doppelgangers.workflow.plan import sound_sets

SOUNDS_MB = 700  # torch's and JAX's libraries, a dataset's reader; a few thousand sounds come to 100 MB

# Seconds of a core for a sound of 1 s, docs/benchmarks.md; of a GPU: an estimate.
TAGGED_S = {"aisfx": 1 / 25, "mn04": 1 / 250, "ast": 2.9}
TAGGER_GPU_SPEED = 30
TAGGER_MB = {"aisfx": 1_000, "mn04": 900, "ast": 2_500}  # ast: an estimate
TAGS_MB = 0.006  # of a sound
RESAMPLED_S = 30e-6  # a draw of a bootstrap of 200 sounds


class AnalysisCosts:
    """The part of `costs.Costs` that is about the analysis; what it asks of the rest is declared here."""

    config: Config
    gpus: int
    synthesis_mb: float
    cuda_mb: int

    def rendering(self, architecture: str, pairs: int) -> Cost:
        raise NotImplementedError

    def reading(self, dataset: str) -> tuple[float, float]:
        raise NotImplementedError

    def sound_mb(self, sounds: int) -> float:
        """Room of sounds on the disk."""
        return sounds * self.config.synth.duration_s * 0.032

    def sample_synthetic_sounds(self, sounds: str) -> Cost:
        pairs = self.config.analysis.sounds
        return self.rendering(sound_sets(self.config)[sounds].architecture, pairs)

    def sample_dataset_sounds(self, sounds: str) -> Cost:
        decoding_s, reading_s = self.reading(sounds)  # of all clips, more than are drawn: archives are read to their end
        return Cost(SOUNDS_MB + 800, decoding_s, reading_s, disk_mb=self.sound_mb(self.config.analysis.sounds))

    def sample_recorded_sounds(self, sounds: str) -> Cost:
        return Cost(SOUNDS_MB, serial_s=10, disk_mb=self.sound_mb(self.config.analysis.sounds))

    def tag_candidates(self, architecture: str, delta: str, tagger: str) -> Cost:
        return self.tagging(tagger, self.config.pairs.count)

    def select_pairs(self, architecture: str, delta: str, selection: str) -> Cost:
        return Cost(SOUNDS_MB, disk_mb=self.config.pairs.count * 15e-6)

    def measure_confusions(self, task: str, setting: str) -> Cost:
        return Cost(250, 5)

    def summarize_confusions(self) -> Cost:
        return Cost(250, 5)

    def sample_noise(self, sounds: str) -> Cost:
        return Cost(SOUNDS_MB, disk_mb=self.sound_mb(self.config.analysis.sounds))

    def views(self, sounds: str) -> int:
        """How many sounds a set has."""
        return self.config.analysis.sounds * (2 if sound_sets(self.config)[sounds].kind == "synthetic" else 1)

    def tag_sounds(self, tagger: str, sounds: str) -> Cost:
        return self.tagging(tagger, self.views(sounds))

    def tagging(self, tagger: str, count: int) -> Cost:
        """Of so many sounds."""
        core_s = count * self.config.synth.duration_s * TAGGED_S[tagger]
        gpu_s = core_s / TAGGER_GPU_SPEED
        return Cost(TAGGER_MB[tagger] + self.cuda_mb, core_s, gpu_s=gpu_s, gpus=self.gpus, disk_mb=count * TAGS_MB)

    def measure_uncertainty(self) -> Cost:
        analysis, sets = self.config.analysis, sound_sets(self.config)
        compared = len(sets) * (1 + len(sets))  # an interval of each set, and at most of each two
        intervals = len(analysis.taggers) * len(analysis.uncertainty) * compared
        return Cost(500, serial_s=intervals * analysis.resamples * RESAMPLED_S * analysis.sounds / 200, disk_mb=2)

    def measure_similarity(self) -> Cost:
        return Cost(500, serial_s=5)
