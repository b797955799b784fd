"""Stage: one page that tells the study in order, and asks the network for nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgangers.encoders.card import read_card
from doppelgangers.files import replace
from doppelgangers.report import score_sections, sound_sections
from doppelgangers.report.media import inline_svg
from doppelgangers.report.page import Figure, Section, Text, render
from doppelgangers.report.run_facts import about_run, facts_of_run, read_records
from doppelgangers.report.tables import read_rows

TITLE = "Contrastive learning from synthetic audio doppelgängers"
LEAD = (
    "A rerun of the study of Cherep and Singh (ICLR 2025): what was run, what came out, and which of its claims that carries."
)
# How the name of a figure begins -> what is said under it.
CAPTIONS = {
    "scores_by_delta": "Alignment and uniformity of the trained encoders, and every task's score, by the perturbation δ.",
    "comparisons": "Differences of scores, in percent points, with intervals of 95 percent over folds and seeds.",
    "snapshots": "Differences of scores by the pairs that an encoder has seen, with intervals of 95 percent. The last point of "
    "a line is the encoder whose training has ended; the others are snapshots of it, while the learning rate is still high.",
    "training": "Trainings: alignment, uniformity, effective rank and dead dimensions by pairs seen, and where the time went.",
    "spectrograms": "Both views of one pair: the same parameters at every δ, perturbed more and more.",
    "features": "Features of every set: median, half of the sounds (thick) and nine tenths (thin).",
    "uncertainty": "Causal uncertainty of every set, by each tagger and definition, as above.",
    "embeddings": "All sets in two principal components of each embedding. What is near here may be far in others.",
    "similarity": "Cosine similarity of the two views of a pair by δ, with intervals of 95 percent.",
    "confusions": "What probes take for what: rows are the classes, columns what their clips are taken for.",
}
# Columns that hold names.
NAMES = (
    *("task", "encoder", "tagger", "definition", "embedding", "sounds", "against", "of", "label", "truth", "predicted"),
    *("rater", "reason", "claim", "text", "verdict", "why", "figures", "unit", "feature"),
)


def write_report(
    report: Path,
    *,
    tables: Mapping[str, Path],
    figures: list[Path],
    sounds: list[Path],
    cards: list[Path],
    metrics: Mapping[str, str],
    published: Mapping[str, Any],
    shown: str,
    results: Path,
) -> None:
    """Write report.html.

    Args:
        report: to write.
        tables: table, comparisons, claims, feature_differences, coverage, extremes, distances, uncertainty,
            uncertainty_differences and similarity; where there are some, recalls and pairs, ratings and ratings_by_delta.
        figures: .svg files, by whose names it is known what they show (`CAPTIONS`).
        sounds: folders of all sets of sounds.
        cards: encoder.json of every encoder setting and seed.
        metrics: task -> its primary metric.
        published: of configs/claims.yaml.
        shown: the set of pairs whose features are compared with each dataset's.
        results: folder of the records of what was run.

    Raises:
        UserError: when a figure is none.
    """
    found = {name: read(path) for name, path in tables.items() if name != "table"}
    rows, records = read_rows(tables["table"]), read_records(results)

    def figure(start: str) -> list[Figure]:
        named = [path for path in figures if Path(path).stem.startswith(start)]
        return [Figure(inline_svg(path, caption_of(path.stem)), caption_of(path.stem)) for path in map(Path, named)]

    sections = [
        score_sections.claims(found["claims"]),
        Section(
            "scores",
            "Scores",
            [
                *score_sections.scores(rows, found["comparisons"], metrics, published),
                *figure("scores_by_delta"),
                *figure("comparisons"),
                *figure("snapshots"),
                Text("For papers: results/table.tex and results/table.md. Every fold and seed: results/scores.csv."),
            ],
        ),
        Section("training", "Training", figure("training")),
        Section("sounds", "Sounds", [*sound_sections.listen(sounds), *figure("spectrograms")]),
        Section(
            "features",
            "Features",
            [
                *figure("features"),
                *sound_sections.features(found["feature_differences"], found["coverage"], shown),
                *sound_sections.extremes(found["extremes"], sounds),
            ],
        ),
        Section(
            "uncertainty",
            "Causal uncertainty",
            [*figure("uncertainty"), *sound_sections.uncertainty(found["uncertainty"], found["uncertainty_differences"])],
        ),
        Section("distances", "Distances", [*figure("embeddings"), sound_sections.distances(found["distances"])]),
        Section(
            "similarity",
            "Similarity",
            [
                *figure("similarity"),
                *sound_sections.similarity(found["similarity"], found.get("ratings"), found.get("ratings_by_delta")),
            ],
        ),
        Section(
            "confusions",
            "Confusions",
            [
                *figure("confusions"),
                *(score_sections.confusions(found["pairs"], found["recalls"]) if "recalls" in found else []),
            ],
        ),
        about_run(records),
    ]
    facts = facts_of_run([read_card(path) for path in cards], records, found["claims"])
    page = render(TITLE, LEAD, facts, [section for section in sections if section.blocks])
    with replace(report) as temporary:
        temporary.write_text(page, encoding="utf-8")


def read(path: Path) -> pd.DataFrame:
    """A table of results; names that look like numbers or like missing values stay names."""
    rows = pd.read_csv(path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=[""])
    return rows.fillna({name: "" for name in NAMES if name in rows})


def caption_of(figure: str) -> str:
    """What is said under a figure."""
    return next(text for start, text in CAPTIONS.items() if figure.startswith(start))
