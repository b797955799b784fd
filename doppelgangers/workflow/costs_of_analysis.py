"""What jobs of the analysis cost: a method for each rule, as in `costs`."""

from doppelgangers.workflow.config import Config
from doppelgangers.workflow.cost import Cost
from doppelgangers.workflow.plan import sound_sets

SOUNDS_MB = 700  # torch's and JAX's libraries, a dataset's reader; a few thousand sounds come to 100 MB


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

    def sample_noise(self, sounds: str) -> Cost:
        return Cost(SOUNDS_MB, disk_mb=self.sound_mb(self.config.analysis.sounds))
