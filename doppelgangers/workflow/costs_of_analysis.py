"""What jobs of the analysis cost: a method for each rule, as in `costs`."""

from doppelgangers.workflow.config import Config
from doppelgangers.workflow.cost import Cost
from doppelgangers.workflow.plan import sound_sets

SOUNDS_MB = 700  # torch's and JAX's libraries, a dataset's reader; a few thousand sounds come to 100 MB

# Sounds of 1 s that a core tags in a second; a GPU is taken for twenty cores (an estimate).
TAGGED = {"aisfx": 33, "mn04": 370, "ast": 0.35}
TAGGER_MB = 1_500


class AnalysisCosts:
    """The part of `costs.Costs` that is about the analysis; what it asks of the rest is declared here."""

    config: Config
    gpus: int
    synthesis_mb: float

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
        sounds_s = self.config.pairs.count * self.config.synth.duration_s
        core_s = sounds_s / TAGGED[tagger]
        return Cost(TAGGER_MB, core_s, gpu_s=core_s / 20, gpus=self.gpus, disk_mb=sounds_s * 0.003)

    def select_pairs(self, architecture: str, delta: str, selection: str) -> Cost:
        return Cost(SOUNDS_MB)

    def measure_confusions(self, task: str, setting: str) -> Cost:
        return Cost(250, 5)

    def summarize_confusions(self) -> Cost:
        return Cost(250, 5)

    def sample_noise(self, sounds: str) -> Cost:
        return Cost(SOUNDS_MB, disk_mb=self.sound_mb(self.config.analysis.sounds))
