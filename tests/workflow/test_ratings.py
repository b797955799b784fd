"""Ratings that are handed in, through the workflow."""

import pandas as pd
import pytest
import yaml

from doppelgangers.analysis.exports import COLUMNS
from doppelgangers.files import read_json

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def hand_in(folder, rater, key, rate):
    facts = dict.fromkeys(COLUMNS, "6") | {"rater": rater, "page": key["page"]}
    asked = {name: trial for name, trial in key["trials"].items() if trial["kind"] != "practice"}
    rows = [{**facts, "trial": name, "rating": rate(trial)} for name, trial in asked.items()]
    folder.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / f"{rater}.csv", index=False)


def careful(trial):
    """Closer pairs are more alike; the delta of tests/tiny.yaml is 0.05 or 0.5."""
    return {"identical": 7, "unrelated": 1}.get(trial["kind"]) or (5 if float(trial["delta"]) < 0.1 else 2)


def test_ratings_become_a_table_that_follows_their_contents(finished, tmp_path):
    folder, overlay = tmp_path / "handed_in", tmp_path / "ratings.yaml"
    overlay.write_text(yaml.safe_dump({"listening_test": {"ratings": str(folder)}}))
    key = read_json(finished.path("results/analysis/listening_test.json"))
    hand_in(folder, "careful", key, careful)
    target = "results/analysis/ratings.csv"
    assert finished.jobs(config=(overlay,), target=target) == {"analyse_ratings": 1}
    result = finished.run(config=(overlay,), target=target)
    assert result.returncode == 0, result.stdout
    table = pd.read_csv(finished.path(target)).set_index("rater")
    assert table["rho"].to_dict() == {"careful": -1, "all": -1}
    similarity = pd.read_csv(finished.path("results/analysis/similarity.csv"))
    by_delta = pd.read_csv(finished.path("results/analysis/ratings_by_delta.csv"))
    assert by_delta[["delta", "mean"]].to_numpy().tolist() == [[0.05, 5], [0.5, 2]]
    expected = similarity[(similarity["tagger"] == "aisfx") & (similarity["architecture"] == "voice")].set_index("delta")[
        "centred"
    ]
    assert by_delta["cosine_centred"].tolist() == pytest.approx(expected.loc[[0.05, 0.5]].tolist(), abs=1e-3)

    # A copy of the same files is the same; one more file is not.
    (folder / "careful.csv").write_bytes((folder / "careful.csv").read_bytes())
    assert finished.jobs(config=(overlay,), target=target) == {}
    hand_in(folder, "careless", key, lambda trial: 4)
    assert finished.jobs(config=(overlay,), target=target) == {"analyse_ratings": 1}
    assert finished.run(config=(overlay,), target=target).returncode == 0
    assert pd.read_csv(finished.path(target)).set_index("rater")["kept"].to_dict() == {
        "careful": True,
        "careless": False,
        "all": True,
    }

    # What cannot be taken stops the job, which says where it is.
    hand_in(folder, "wrong", {**key, "page": "another"}, careful)
    result = finished.run(config=(overlay,), target=target)
    assert result.returncode != 0
    assert f"{folder}/wrong.csv, line 2: it is of page another" in result.stdout
    assert "Traceback" not in result.stdout
