"""Each claim of configs/claims.yaml can go each way."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from doppelgangers.encoders.card import Card
from doppelgangers.report.claims import load_claims
from doppelgangers.report.evidence import Results
from doppelgangers.report.judge import judge, judge_claims
from doppelgangers.report.verdicts import NOT_REPRODUCED, NOT_TESTED, REPRODUCED
from tests.conftest import ROOT

ALL = load_claims(ROOT / "configs/claims.yaml")
TASKS = ALL["tasks"]
BY_ID = {claim["id"]: claim for claim in ALL["claims"]}
PAPER = 17_971_200
FOLDS = np.array([-1.0, 0.0, 1.0, 0.5, -0.5])
EMPTY = Results(*[pd.DataFrame()] * 1, {}, {}, *[pd.DataFrame()] * 5, 200)
VOICE = Card("voice-0.25", "synthetic", 0, "voice", 0.25, pairs=PAPER, width=1.0)


def with_scores(means, tasks=TASKS, folds="12345", wobble=0.1):
    """Results with scores: card -> mean on every task. Folds differ nearly alike for all, so that means decide."""
    rows = []
    for (place, (card, mean)), task in itertools.product(enumerate(means), tasks):
        identity = {"encoder": card.encoder, "source": card.source, "architecture": card.architecture}
        identity |= {"augmentation": card.augmentation, "delta": "" if card.delta is None else f"{card.delta:g}"}
        scores = mean + FOLDS[: len(folds)] * (1.0 + wobble * place)
        rows += [{**identity, "task": task, "seed": 0, "fold": fold, "score": s} for fold, s in zip(folds, scores, strict=True)]
    return EMPTY._replace(scores=pd.DataFrame(rows), cards={card.encoder: card for card, _ in means})


def verdicts(claim, results):
    return [row["verdict"] for row in judge(BY_ID[claim], results, TASKS)]


RIVALS = {
    "better_than_no_training": [Card("random_init", "random_init", 0, pairs=0, width=1.0)],
    "beats_augmented_recordings": [Card("vggsound_augmented", "real", 0, augmentation="waveform", pairs=PAPER, width=1.0)],
    "beats_jittered_recordings": [Card("vggsound_jitter", "real", 0, augmentation="jitter", pairs=PAPER, width=1.0)],
    "best_delta": [Card(f"voice-{d}", "synthetic", 0, "voice", d, pairs=PAPER, width=1.0) for d in (0.01, 0.05, 0.1, 0.5)],
    "voice_is_strong": [Card(a, "synthetic", 0, a, 0.25, pairs=PAPER, width=1.0) for a in ("voicefm", "parametric")],
}


@pytest.mark.parametrize("claim", RIVALS)
def test_each_claim_of_scores_can_go_each_way(claim):
    def rivals(mean, ours=VOICE):
        return with_scores([(ours, 50.0), *((card, mean) for card in RIVALS[claim])])

    small, narrow = Card(**{**vars(VOICE), "pairs": 51_200}), Card(**{**vars(VOICE), "width": 0.25})
    assert verdicts(claim, rivals(40)) == [REPRODUCED]
    assert verdicts(claim, rivals(60)) == [NOT_REPRODUCED]
    assert verdicts(claim, rivals(50)) == [NOT_TESTED]
    assert verdicts(claim, rivals(40, small)) == verdicts(claim, rivals(40, narrow)) == [NOT_TESTED]
    assert verdicts(claim, with_scores([(VOICE, 50.0)])) == [NOT_TESTED]


def test_each_claim_of_scores_is_tried():
    assert {*RIVALS, "augmentations_add_little"} == {claim["id"] for claim in ALL["claims"] if claim["test"]["by"] == "scores"}


@pytest.mark.parametrize(("gain", "verdict"), [(0.3, REPRODUCED), (9, NOT_REPRODUCED), (-9, NOT_REPRODUCED), (2, NOT_TESTED)])
def test_augmentations_may_neither_help_nor_harm(gain, verdict):
    augmented = Card("voice-0.25-waveform", "synthetic", 0, "voice", 0.25, "waveform", PAPER, 1.0)
    results = with_scores([(VOICE, 50.0), (augmented, 50.0 + gain)])
    assert verdicts("augmentations_add_little", results) == [verdict]


def test_one_task_of_eight_proves_nothing():
    results = with_scores([(VOICE, 50.0), (RIVALS["better_than_no_training"][0], 40.0)], tasks=["esc50"])
    assert verdicts("better_than_no_training", results) == [NOT_TESTED]


def test_an_encoder_whose_pairs_are_not_known_is_not_of_the_scale():
    released = Card(**{**vars(VOICE), "pairs": None})
    (row,) = judge(
        BY_ID["better_than_no_training"], with_scores([(released, 50.0), (RIVALS["better_than_no_training"][0], 40.0)]), TASKS
    )
    assert row["verdict"] == NOT_TESTED
    assert "pairs not known" in row["why"]


def test_a_small_encoder_beside_a_large_one_that_is_compared_changes_nothing():
    small = Card("voice-0.05", "synthetic", 0, "voice", 0.05, pairs=512, width=1.0)
    results = with_scores([(VOICE, 50.0), (small, 20.0), (RIVALS["better_than_no_training"][0], 40.0)])
    (row,) = judge(BY_ID["better_than_no_training"], results, TASKS)
    assert row["verdict"] == REPRODUCED
    assert "voice-0.25, the best of 2, less random_init" in row["figures"]


def test_without_an_interval_nothing_is_decided():
    """One fold and one seed."""
    results = with_scores([(VOICE, 50.0), (RIVALS["better_than_no_training"][0], 90.0)], folds="1")
    assert verdicts("better_than_no_training", results) == [NOT_TESTED]


def heard(cliffs, tasks=TASKS, count=1000, by="uncertainty"):
    """Results with Cliff's deltas by definition, on each of these tasks."""
    rows = [
        {"tagger": "aisfx", "definition": name, "feature": name, "sounds": "voice-0.25", "against": task, "count": count}
        | {"cliff": cliff, "low": cliff - 0.1, "high": cliff + 0.1}
        for name, cliff in cliffs.items()
        for task in tasks
    ]
    table = pd.DataFrame(rows)
    if by == "features":
        return EMPTY._replace(features=table)
    return EMPTY._replace(uncertainty=table.drop(columns="count"), counts=table.drop_duplicates(["tagger", "definition"]))


@pytest.mark.parametrize(("count", "open_is"), [(200, NOT_TESTED), (1000, NOT_REPRODUCED)])
def test_causal_uncertainty_has_a_verdict_for_each_tagger_and_definition(count, open_is):
    cliffs = {"entropy": 0.3, "top": -0.3, "binary": 0.05}
    rows = list(judge(BY_ID["more_uncertain"], heard(cliffs, count=count), TASKS))
    assert [(row["definition"], row["verdict"]) for row in rows] == [
        ("entropy", REPRODUCED),
        ("top", NOT_REPRODUCED),
        ("binary", open_is),
    ]
    assert all(row["why"].endswith("the paper has ast") for row in rows)


@pytest.mark.parametrize(
    ("cliff", "verdict"), [(0.4, REPRODUCED), (-0.4, REPRODUCED), (0.0, NOT_REPRODUCED), (0.2, NOT_TESTED)]
)
def test_features_may_differ_to_either_side(cliff, verdict):
    assert verdicts("features_differ", heard({"flux": cliff, "entropy": cliff}, count=200, by="features")) == [verdict]


@pytest.mark.parametrize("claim", ["more_uncertain", "features_differ"])
def test_sounds_of_one_task_of_eight_decide_nothing(claim):
    results = heard({"entropy": 0.9}, tasks=["esc50"], by="features" if claim == "features_differ" else "uncertainty")
    assert verdicts(claim, results) == [NOT_TESTED]


def near(ours, theirs, tasks=TASKS, count=500, spread=0.2):
    rows = [
        {"embedding": "mn04", "sounds": name, "against": task, "count": count}
        | {
            f"{column}{limit}": value + by
            for column in ("fad", "kad")
            for limit, by in (("", 0), ("_low", -spread), ("_high", spread))
        }
        for name, value in {"voice-0.25": ours, "recordings-vggsound": theirs}.items()
        for task in tasks
    ]
    return EMPTY._replace(distances=pd.DataFrame(rows))


@pytest.mark.parametrize(("ours", "verdict"), [(1.0, REPRODUCED), (3.0, NOT_REPRODUCED), (1.9, NOT_TESTED)])
def test_distances_are_compared_task_by_task_with_their_draws(ours, verdict):
    assert verdicts("nearer_than_recordings", near(ours, 2.0)) == [verdict, verdict]


def test_distances_need_sounds_and_something_to_be_nearer_than():
    few, alone = near(1.0, 2.0, count=100), near(1.0, 2.0)
    alone = alone._replace(distances=alone.distances.query("sounds != 'recordings-vggsound'"))
    for results, why in (
        (few, "sounds 100 of 500"),
        (alone, "recordings-vggsound"),
        (near(1, 2, tasks=["esc50"]), "sounds of vivae"),
    ):
        rows = list(judge(BY_ID["nearer_than_recordings"], results, TASKS))
        assert [row["verdict"] for row in rows] == [NOT_TESTED] * 2
        assert why in rows[0]["why"]


@pytest.mark.parametrize(
    ("values", "pairs", "verdict"),
    [
        ([0.9, 0.7, 0.5, 0.3, 0.1], 200, REPRODUCED),
        ([0.9, 0.7, 0.8, 0.3, 0.1], 200, NOT_REPRODUCED),
        ([0.9, 0.7, 0.69, 0.3, 0.1], 200, NOT_TESTED),
        ([0.9, 0.7, 0.69, 0.3, 0.1], 1000, NOT_REPRODUCED),
        ([0.9, 0.7], 1000, NOT_TESTED),
    ],
)
def test_similarity_falls_at_every_step(values, pairs, verdict):
    rows = pd.DataFrame({"delta": [0.01, 0.05, 0.1, 0.25, 0.5][: len(values)]})
    for column, (limit, by) in itertools.product(("centred", "cosine"), (("", 0), ("_low", -0.02), ("_high", 0.02))):
        rows[f"{column}{limit}"] = np.array(values) + by
    rows = rows.assign(tagger="aisfx", architecture="voice", pairs=pairs)
    assert verdicts("similarity_falls", EMPTY._replace(similarity=rows)) == [verdict] * 2


@pytest.mark.parametrize(("shares", "verdict"), [([0.02], REPRODUCED), ([0.02, 0.5], NOT_REPRODUCED), ([], NOT_TESTED)])
def test_a_training_waits_for_its_pairs(shares, verdict):
    cards = {str(i): Card(str(i), "synthetic", 0, pairs=PAPER, width=1.0) for i in range(len(shares))}
    results = EMPTY._replace(cards=cards, waiting=dict(zip(cards, shares, strict=True)))
    assert verdicts("synthesis_keeps_up", results) == [verdict]


def test_a_small_training_says_nothing_of_waiting():
    results = EMPTY._replace(cards={"a": Card("a", "synthetic", 0, pairs=512, width=0.25)}, waiting={"a": 0.01})
    (row,) = judge(BY_ID["synthesis_keeps_up"], results, TASKS)
    assert row["verdict"] == NOT_TESTED
    assert "pairs 512 of 8,000,000, width 0.25 of 1" in row["why"]


COLUMNS = {
    "uncertainty": ["tagger", "definition", "sounds", "count"],
    "uncertainty_differences": ["tagger", "definition", "sounds", "against", "cliff", "low", "high"],
    "feature_differences": ["feature", "sounds", "against", "count", "cliff", "low", "high"],
    "distances": ["embedding", "sounds", "against", "fad", "kad"],
    "similarity": ["tagger", "architecture", "delta"],
}


def test_every_claim_has_a_row_even_where_there_are_no_results(tmp_path):
    """Tables without a row, and an encoder of 512 pairs."""
    rows = with_scores([(VOICE, 0.5), (RIVALS["better_than_no_training"][0], 0.3)], wobble=0).scores
    rows.assign(metric="accuracy", pairs="512", score=rows.score.round(1)).to_csv(tmp_path / "scores.csv", index=False)
    for name, columns in COLUMNS.items():
        pd.DataFrame([], columns=columns).to_csv(tmp_path / f"{name}.csv", index=False)
    folder = tmp_path / "voice-0.25" / "seed=0"
    folder.mkdir(parents=True)
    pd.DataFrame({"wait_share": [0.1, 0.3]}).to_csv(folder / "history.csv", index=False)
    cards = [folder / "encoder.json", tmp_path / "random_init.json"]
    for path, card in zip(cards, (VOICE, RIVALS["better_than_no_training"][0]), strict=True):
        facts = {
            "encoder": card.encoder,
            "source": card.source,
            "seed": 0,
            "pairs": 512,
            "width": 0.25,
            "settings": {"pairs_from": "stream"},
        }
        path.write_text(json.dumps(facts))
    judge_claims(
        tmp_path / "claims.csv",
        claims=ALL,
        metrics=dict.fromkeys(TASKS, "accuracy"),
        resamples=50,
        cards=cards,
        histories=[folder / "history.csv"],
        scores=tmp_path / "scores.csv",
        **{name: tmp_path / f"{name}.csv" for name in COLUMNS},
    )
    found = pd.read_csv(tmp_path / "claims.csv", keep_default_na=False)
    assert list(found) == ["claim", "text", "tagger", "definition", "verdict", "why", "figures"]
    assert found.claim.tolist() == list(BY_ID)
    assert set(found.verdict) == {NOT_TESTED}
    by_claim = found.set_index("claim")
    assert "pairs 512 of 8,000,000" in by_claim.why["better_than_no_training"]
    assert by_claim.figures["synthesis_keeps_up"] == "voice-0.25 20.0%"
    assert by_claim.why["similarity_falls"] == "nothing of it can be judged: it is not in the results"
