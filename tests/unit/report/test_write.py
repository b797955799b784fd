"""The whole page, from small results."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from doppelgangers.report.write import CAPTIONS, write_report
from tests.unit.analysis.made_sets import write_set

PUBLISHED = {"note": "second-hand", "scale": "18 million pairs", "rows": {}}
LIMITS = ("", "_low", "_high")
SETS = {"sounds": "voice-0.1", "against": "NA"}
REACHED = {
    f"{name}{limit}": 0.5 for name in ("coverage", "coverage_back", "fad", "kad", "cosine", "centred") for limit in LIMITS
}
EFFECT = {"cliff": 0.5, "low": 0.4, "high": 0.6}
TAGS = {"tagger": "aisfx", "definition": "top", **SETS}
TABLES = {
    "table": [
        {"encoder": name, "source": source, "architecture": "", "delta": "", "augmentation": "none", "seeds": 1, "pairs": 0}
        | {"NA": 50.0, "NA_std": 1.0}
        for name, source in (("random_init", "random_init"), ("null", "synthetic"))
    ],
    "comparisons": [{"task": "NA", "encoder": "null", "against": "random_init", "verdict": "better"}],
    "claims": [{"claim": "a", "text": "A claim.", **TAGS, "verdict": "reproduced", "why": "1 of 1", "figures": ""}],
    "feature_differences": [{"feature": "flux", "unit": "full scale", **SETS, "median": 1, "median_against": 2, **EFFECT}],
    "coverage": [{**SETS, **REACHED, "count": 12}],
    "extremes": [{**SETS, "sound": 0, "of": name, "distance": 1} for name in SETS.values()],
    "distances": [{"embedding": "aisfx", **SETS, **REACHED}],
    "uncertainty": [{**TAGS, "mean": 0.5, "low": 0.4, "high": 0.6}],
    "uncertainty_differences": [{**TAGS, **EFFECT}],
    "similarity": [{"tagger": "aisfx", "architecture": "voice", "delta": 0.1, **REACHED}],
    "recalls": [{"task": "NA", "encoder": "null", "label": "nan", "recall": 0.5, "gain": 0.1}],
    "pairs": [{"task": "NA", "encoder": "null", "truth": "nan", "predicted": "None", "share": 0.5}],
}


@pytest.fixture
def written(tmp_path):
    for name, rows in TABLES.items():
        pd.DataFrame(rows).to_csv(tmp_path / f"{name}.csv", index=False)
    figures = [tmp_path / f"{name}.svg" for name in [*CAPTIONS, "spectrograms_voice", "confusions_NA"]]
    for figure in figures:
        figure.write_text(f'<svg viewBox="0 0 1 1"><path id="line"/><use href="#line"/><!-- {figure.stem} --></svg>')
    sound = np.sin(np.arange(1_600))
    for name, kind in (("voice-0.1", "synthetic"), ("NA", "dataset")):
        write_set(tmp_path / name, name, kind, [sound, sound])
        about = {"sounds": name, "kind": kind, "architecture": "voice", "delta": "0.1"}
        (tmp_path / name / "sounds.json").write_text(json.dumps(about))
        rows = pd.read_csv(tmp_path / name / "sounds.csv", dtype=str, keep_default_na=False)
        rows.assign(clip="000").to_csv(tmp_path / name / "sounds.csv", index=False)
    (tmp_path / "encoder.json").write_text(
        json.dumps({"encoder": "null", "source": "synthetic", "seed": 0, "pairs": 512, "width": 1.0})
    )
    write_report(
        tmp_path / "report.html",
        tables={name: tmp_path / f"{name}.csv" for name in TABLES},
        figures=figures,
        sounds=[tmp_path / name for name in ("voice-0.1", "NA")],
        cards=[tmp_path / "encoder.json"],
        metrics={"NA": "accuracy"},
        published=PUBLISHED,
        shown="voice-0.1",
        results=tmp_path,
    )
    return tmp_path / "report.html", figures


def test_the_study_is_told_in_order(written):
    text = written[0].read_text()
    assert re.findall(r'<section id="(\w+)"', text) == [
        *("claims", "scores", "training", "sounds", "features", "uncertainty", "distances", "similarity", "confusions", "run")
    ]


def test_every_figure_is_there_once_with_ids_of_its_own(written):
    page, figures = written
    text = page.read_text()
    assert all(text.count(f"<!-- {figure.stem} -->") == 1 for figure in figures)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) == len(figures) + 10


def test_names_that_look_like_missing_values_stay_names(written):
    text = written[0].read_text()
    cells = set(re.findall(r"<td[^>]*>([^<]*)</td>", text))
    assert {"NA", "nan", "None", "null"} <= cells


def test_all_sounds_are_in_the_page(written):
    assert written[0].read_text().count('src="data:audio/mpeg;base64,') == 2 + 2


def test_the_page_is_whole_in_a_browser(browse, written):
    page = browse(written[0])
    assert page.get_by_role("heading", level=2).count() == 10
    assert page.get_by_text("reproduced", exact=True).is_visible()
