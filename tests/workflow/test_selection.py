"""An encoder that is trained on the pairs of whose cause a tagger is surest, from the candidates to what is taken for what."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from doppelgangers.files import checksum

pytestmark = pytest.mark.workflow

SURE = {"architecture": "voice", "delta": "0.05", "keep": "certain"}
SMALL = {
    "encoders": {"architectures": [], "deltas": [], "selected": {"sure": SURE}},
    "pairs": {"count": 96},
    "pretrain": {"pairs": 64},
    "probe": {"confusions": ["percussion"]},
}


def overlay(folder, **selected):
    file = folder / "selected.yaml"
    file.write_text(yaml.safe_dump({**SMALL, "encoders": {**SMALL["encoders"], "selected": selected}}))
    return (file,)


def test_an_encoder_is_trained_on_the_surest_pairs(project, tmp_path):
    targets = {"config": overlay(tmp_path, sure=SURE), "target": "results/confusions/recalls.csv"}
    done = project.run("results/table.csv", **targets)
    assert done.returncode == 0, done.stdout
    selected = project.path("results/pairs/voice-0.05/selected-sure.csv")
    kept = pd.read_csv(selected)
    assert len(kept) == 24  # a quarter
    assert kept.pair.is_monotonic_increasing
    card = json.loads(project.path("results/encoders/sure/seed=0/encoder.json").read_text())
    assert card["settings"]["selected"] == checksum(selected)

    table = pd.read_csv(project.path("results/table.csv"), keep_default_na=False).set_index("encoder")
    assert table.loc["sure", ["source", "architecture", "augmentation"]].tolist() == [
        "synthetic",
        "voice",
        "certain_0.25_aisfx_entropy",
    ]
    scores = pd.read_csv(project.path("results/scores.csv")).query("metric == 'accuracy'")
    for encoder in ("sure", "random_init"):
        cells = pd.read_csv(project.path(f"results/confusions/percussion/{encoder}.csv"))
        right = cells[cells.truth == cells.predicted].groupby("fold").clips.sum().reindex(cells.fold.unique(), fill_value=0)
        of_scores = scores[scores.encoder == encoder].set_index("fold").score
        np.testing.assert_allclose(right / cells.groupby("fold").clips.sum(), of_scores.sort_index(), rtol=1e-5)  # 6 digits
    recalls = pd.read_csv(project.path("results/confusions/recalls.csv"))
    assert set(recalls.encoder) == {"sure", "random_init"}
    assert recalls.groupby("encoder").clips.sum().nunique() == 1

    # Another choice of the same candidates: they are not tagged again, and no other encoder is trained.
    again = {"pretrain": 1, "extract_features": 1, "train_linear_probes": 1, "measure_confusions": 1, "summarize_confusions": 1}
    after = {"sure": SURE, "unsure": {**SURE, "keep": "uncertain"}}
    assert project.jobs(overlay(tmp_path, **after), targets["target"]) == {"select_pairs": 1, **again}
    after = {"sure": {**SURE, "share": 0.5}}
    assert project.jobs(overlay(tmp_path, **after), targets["target"]) == {"select_pairs": 1, **again}
