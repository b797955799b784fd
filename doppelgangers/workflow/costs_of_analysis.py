"""What jobs of the analysis cost: a method for each rule, as in `costs`."""

from doppelgangers.workflow.config import Config
from doppelgangers.workflow.cost import Cost
from doppelgangers.workflow.plan import sound_sets

SOUNDS_MB = 700  # torch's and JAX's libraries, a dataset's reader; a few thousand sounds come to 100 MB

# Seconds of a core for a sound of 1 s, docs/analysis.md; of a GPU: an estimate.
TAGGED_S = {"aisfx": 1 / 12, "mn04": 1 / 250, "ast": 2.9}
TAGGER_GPU_SPEED = 30
TAGGER_MB = {"aisfx": 1_000, "mn04": 900, "ast": 2_500}  # ast: an estimate
TAGS_MB = 0.006  # of a sound
RESAMPLED_S = 30e-6  # a draw of a bootstrap of 200 sounds
TABLES_MB, PROCESS_MB = 250, 150  # pandas, and a process with Essentia
FEATURES_PER_CORE_S = 140  # sounds of 1 s (docs/benchmarks.md)
FEATURES, DRAW_S, DRAW_S_PER_SOUND = 29, 30e-6, 0.15e-6  # a bootstrap's draw
ENCODERS = 20  # rows of a large table
HALVINGS_S_PER_SQUARE = 1.3e-6  # 20 halvings of two sets in an embedding: 0.05 s with 200 sounds each, and with their square


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

    def embedding(self, clips: float, patches: float) -> Cost:
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
        core_s, memory_mb = sounds_s * TAGGED_S[tagger], TAGGER_MB[tagger] + self.cuda_mb
        return Cost(memory_mb, core_s, gpu_s=core_s / TAGGER_GPU_SPEED, gpus=self.gpus, disk_mb=sounds_s * 0.003)

    def select_pairs(self, architecture: str, delta: str, selection: str) -> Cost:
        return Cost(SOUNDS_MB, disk_mb=self.config.pairs.count * 15e-6)

    def measure_confusions(self, task: str, setting: str) -> Cost:
        return Cost(250, 5)

    def summarize_confusions(self) -> Cost:
        return Cost(250, 5)

    def sample_noise(self, sounds: str) -> Cost:
        return Cost(SOUNDS_MB, disk_mb=self.sound_mb(self.config.analysis.sounds))

    def tag_sounds(self, tagger: str, sounds: str) -> Cost:
        count = self.rows(sounds)
        core_s = count * self.config.synth.duration_s * TAGGED_S[tagger]
        gpu_s = core_s / TAGGER_GPU_SPEED
        return Cost(TAGGER_MB[tagger] + self.cuda_mb, core_s, gpu_s=gpu_s, gpus=self.gpus, disk_mb=count * TAGS_MB)

    def measure_uncertainty(self) -> Cost:
        analysis, sets = self.config.analysis, sound_sets(self.config)
        compared = len(sets) * (1 + len(sets))  # an interval of each set, and at most of each two
        intervals = len(analysis.taggers) * len(analysis.uncertainty) * compared
        return Cost(500, serial_s=intervals * analysis.resamples * RESAMPLED_S * analysis.sounds / 200, disk_mb=2)

    def write_listening_test(self) -> Cost:
        return Cost(500, serial_s=3, disk_mb=4)

    def analyse_ratings(self) -> Cost:
        resampled = 1 + len(self.config.analysis.deltas)
        return Cost(300, serial_s=resampled * self.config.analysis.resamples / 1000)

    def measure_similarity(self) -> Cost:
        return Cost(500, serial_s=5)

    def rows(self, sounds: str) -> int:
        """Sounds of a set, both views of pairs."""
        return self.config.analysis.sounds * (2 if sound_sets(self.config)[sounds].kind == "synthetic" else 1)

    def comparisons(self) -> int:
        """Sets times datasets."""
        kinds = [found.kind for found in sound_sets(self.config).values()]
        return len(kinds) * kinds.count("dataset")

    def measure_features(self, sounds: str) -> Cost:
        core_s = self.rows(sounds) * self.config.synth.duration_s / FEATURES_PER_CORE_S
        return Cost(TABLES_MB + 2 * PROCESS_MB, core_s, serial_s=2)

    def compare_features(self) -> Cost:
        sounds = self.config.analysis.sounds
        draws_s = FEATURES * self.config.analysis.resamples * (DRAW_S + DRAW_S_PER_SOUND * sounds)
        halvings_s = 5 * HALVINGS_S_PER_SQUARE * sounds**2  # 100
        return Cost(TABLES_MB + 50e-6 * sounds**2, serial_s=self.comparisons() * (draws_s + halvings_s))

    def embed_sounds(self, setting: str, sounds: str) -> Cost:
        rows = self.rows(sounds)
        return self.embedding(rows, rows * max(1, self.config.synth.duration_s / 0.96))

    def measure_distances(self) -> Cost:
        sounds, embeddings = self.config.analysis.sounds, len(self.config.analysis.taggers) + len(self.config.analysis.encoders)
        sets = len(sound_sets(self.config))
        halvings_s = HALVINGS_S_PER_SQUARE * sounds**2 * self.comparisons()
        return Cost(800 + (sets + 3) * 8e-6 * sounds**2, serial_s=embeddings * halvings_s)

    def plot_features(self, **wildcards: str) -> Cost:
        return Cost(350, serial_s=5)  # matplotlib; a figure takes 1 to 4 s

    plot_comparisons = plot_snapshots = plot_confusions = plot_features
    plot_uncertainty = plot_spectrograms = plot_embeddings = plot_similarity = plot_features

    def compare_scores(self) -> Cost:
        compared = len(self.config.tasks) * len(self.config.comparisons.against)
        return Cost(TABLES_MB, serial_s=3 + compared * self.config.analysis.resamples * ENCODERS * DRAW_S)

    def judge_claims(self) -> Cost:
        return Cost(TABLES_MB, serial_s=5)

    def write_tables(self) -> Cost:
        return Cost(TABLES_MB, serial_s=2)

    def write_report(self) -> Cost:
        return Cost(500, serial_s=5 + 0.1 * len(sound_sets(self.config)), disk_mb=5)
