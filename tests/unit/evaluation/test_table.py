import json

import numpy as np
import pandas as pd
import pytest

from doppelgangers.evaluation.table import COLUMNS, IDENTITY, collect_scores, make_table, render_table
from doppelgangers.workflow.config import TABLE_COLUMNS

METRICS = {"pitch": "accuracy", "esc50": "accuracy", "birds": "mAP"}


@pytest.fixture
def scores(tmp_path):
    encoders, probes = [], []
    rng = np.random.default_rng(0)
    for name, source, architecture, delta in (
        ("voice-0.25", "synthetic", "voice", 0.25),
        ("random_init", "random_init", "", None),
        ("voice-0.05", "synthetic", "voice", 0.05),
    ):
        for seed in (0, 1):
            card = dict(encoder=name, source=source, architecture=architecture, delta=delta, augmentation="none", seed=seed)
            encoders.append(tmp_path / f"{name}-{seed}.json")
            encoders[-1].write_text(json.dumps({**card, "pairs": 0 if delta is None else 76800, "width": 0.25}))
        for task in ("pitch", "esc50"):
            row = {"epoch": 3, "probe": "linear"}
            rows = [
                {**row, "encoder": name, "task": task, "seed": seed, "fold": fold, "metric": metric, "score": rng.random()}
                for seed in (0, 1)
                for fold in (1, 2, 3)
                for metric in ("accuracy", "macro_f1", "mAP")
            ]
            probes.append(tmp_path / f"{name}-{task}.csv")
            pd.DataFrame(rows).to_csv(probes[-1], index=False)
    collect_scores(tmp_path / "scores.csv", encoders=encoders, probes=probes)
    return tmp_path / "scores.csv"


def test_scores_has_the_promised_columns(scores):
    rows = pd.read_csv(scores)
    expected = [
        "encoder",
        "source",
        "architecture",
        "delta",
        "augmentation",
        "seed",
        "pairs",
        "task",
        "fold",
        "metric",
        "score",
        "probe",
    ]
    assert list(rows.columns) == expected == COLUMNS
    assert len(rows) == 3 * 2 * 2 * 3 * 3
    assert rows[rows.encoder == "random_init"].delta.isna().all()


def test_the_table_is_the_mean_over_seeds_of_the_mean_over_folds(scores, tmp_path):
    make_table(tmp_path / "table.csv", scores=scores, metrics=METRICS)
    table = pd.read_csv(tmp_path / "table.csv")
    head = [
        "encoder",
        "source",
        "architecture",
        "delta",
        "augmentation",
        "seeds",
        "pairs",
        "esc50",
        "esc50_std",
        "pitch",
        "pitch_std",
    ]
    assert list(table.columns) == head
    assert table.encoder.tolist() == ["random_init", "voice-0.05", "voice-0.25"]
    assert table.seeds.tolist() == [2, 2, 2]
    rows = pd.read_csv(scores).query("encoder == 'voice-0.25' and task == 'pitch' and metric == 'accuracy'")
    by_hand = [100 * rows[rows.seed == seed].score.sum() / 3 for seed in (0, 1)]
    np.testing.assert_allclose(table.pitch.iloc[2], sum(by_hand) / 2, atol=0.00501)
    np.testing.assert_allclose(table.pitch_std.iloc[2], 100 * rows.score.std(ddof=1), atol=0.00501)


def test_the_tables_bytes_do_not_depend_on_the_order_of_its_inputs(scores, tmp_path):
    make_table(tmp_path / "a.csv", scores=scores, metrics=METRICS)
    pd.read_csv(scores).sample(frac=1, random_state=0).to_csv(tmp_path / "shuffled.csv", index=False)
    make_table(tmp_path / "b.csv", scores=tmp_path / "shuffled.csv", metrics=METRICS)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_one_fold_and_seed_have_no_deviation(scores, tmp_path):
    pd.read_csv(scores).query("fold == 1 and seed == 0").to_csv(tmp_path / "one.csv", index=False)
    table = make_table(tmp_path / "table.csv", scores=tmp_path / "one.csv", metrics=METRICS)
    assert table.pitch_std.isna().all()
    assert "nan" not in render_table(table)
    assert (tmp_path / "table.csv").read_text().splitlines()[1].endswith(",")


@pytest.fixture
def with_peer(scores, tmp_path):
    """An encoder of somebody else on a task with a test split, beside ten folds of random initialisation."""
    card = dict(encoder="peer", source="peer", architecture="", delta=None, augmentation="", seed=0, pairs=None)
    (tmp_path / "peer.json").write_text(json.dumps(card))
    row = {"task": "birds", "seed": 0, "metric": "mAP", "epoch": 3, "probe": "linear"}
    pd.DataFrame([{**row, "encoder": "peer", "fold": "test", "score": 0.4}]).to_csv(tmp_path / "birds.csv", index=False)
    unscored = [{**row, "encoder": "peer", "fold": "test", "score": value, "metric": "d_prime"} for value in (np.nan, np.inf)]
    pd.DataFrame(unscored).to_csv(tmp_path / "unscored.csv", index=False)
    folds = [{**row, "encoder": "random_init", "fold": fold, "score": fold / 100} for fold in range(1, 11)]
    pd.DataFrame(folds).to_csv(tmp_path / "birds_random.csv", index=False)
    encoders = [tmp_path / "peer.json", tmp_path / "random_init-0.json"]
    probes = [tmp_path / f"{name}.csv" for name in ("birds", "unscored", "birds_random")]
    collect_scores(tmp_path / "peers.csv", encoders=encoders, probes=probes)
    return tmp_path / "peers.csv"


def test_an_encoder_of_somebody_else_is_a_row_without_pairs(with_peer, tmp_path):
    rows = pd.read_csv(with_peer, dtype=str, keep_default_na=False)
    assert rows.fold.tolist() == [*["test"] * 3, *map(str, range(1, 11))]
    assert rows.pairs.tolist() == [*[""] * 3, *["0"] * 10]
    make_table(tmp_path / "peer_table.csv", scores=with_peer, metrics=METRICS)
    assert (tmp_path / "peer_table.csv").read_text().splitlines() == [
        "encoder,source,architecture,delta,augmentation,seeds,pairs,birds,birds_std",
        "peer,peer,,,,1,,40.0,",
        "random_init,random_init,,,none,1,0,5.5,3.03",
    ]


def test_further_kinds_of_probe_are_columns_and_rows_of_their_own(with_peer, scores, tmp_path):
    """The row of the peer and its column are not touched by what else is probed."""
    make_table(tmp_path / "before.csv", scores=with_peer, metrics=METRICS)
    row = {"encoder": "peer", "task": "birds_hear_linear", "seed": 0, "fold": "test", "metric": "mAP", "epoch": 3}
    pd.DataFrame([{**row, "score": 0.25, "probe": "hear_linear"}]).to_csv(tmp_path / "more.csv", index=False)
    probes = [tmp_path / f"{name}.csv" for name in ("birds", "more", "unscored", "birds_random")]
    encoders = [tmp_path / "peer.json", tmp_path / "random_init-0.json"]
    collect_scores(tmp_path / "all.csv", encoders=encoders, probes=probes)
    make_table(tmp_path / "after.csv", scores=tmp_path / "all.csv", metrics={**METRICS, "birds_hear_linear": "mAP"})
    rows = pd.read_csv(tmp_path / "all.csv")
    assert rows.groupby("task").probe.unique().map(list).to_dict() == {
        "birds": ["linear"],
        "birds_hear_linear": ["hear_linear"],
    }
    before, after = ((tmp_path / f"{name}.csv").read_text().splitlines() for name in ("before", "after"))
    assert after == [f"{before[0]},birds_hear_linear,birds_hear_linear_std", f"{before[1]},25.0,", f"{before[2]},,"]


def test_the_configuration_knows_the_columns_of_an_encoder():
    assert list(TABLE_COLUMNS) == [*IDENTITY, "seeds", "pairs"]
