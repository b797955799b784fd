import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from doppelgangers.analysis.claims import load_claims
from doppelgangers.analysis.judge import judge, judge_claims
from doppelgangers.analysis.verdicts import NOT_REPRODUCED, NOT_TESTED, REPRODUCED, Outcome, decide, paired_interval, side_of
from doppelgangers.errors import UserError
from tests.conftest import ROOT

CLAIMS = ROOT / "configs/claims.yaml"
ALL = load_claims(CLAIMS)
TASKS = ALL["tasks"]
BY_ID = {claim["id"]: claim for claim in ALL["claims"]}
PAPER = 17_971_200
FOLDS = np.array([-1.0, 0.0, 1.0, 0.5, -0.5])


def scores(means, pairs=PAPER):
    """Rows of scores in percent: encoder -> (source, architecture, delta, augmentation, mean on every task)."""
    rows = []
    for (name, (source, architecture, delta, augmentation, mean)), task in itertools.product(means.items(), TASKS):
        identity = dict(encoder=name, source=source, architecture=architecture, delta=delta, augmentation=augmentation)
        # The differences of folds are 0.1 and 0.2, so that only a difference of the means can decide.
        wobble = FOLDS * (1.1 if source == "synthetic" else 1.0)
        rows += [{**identity, "task": task, "seed": 0, "fold": str(i), "score": mean + w, "pairs": pairs} for i, w in enumerate(wobble)]
    return pd.DataFrame(rows)


def sounds(cliffs, count, by="uncertainty"):
    rows = [
        {"tagger": "aisfx", "definition": d, "feature": d, "sounds": "voice-0.25", "against": a, "cliff": c, "low": c - 0.1, "high": c + 0.1}
        for (d, a), c in cliffs.items()
    ]
    return {by: pd.DataFrame(rows), "counts": pd.DataFrame({"kind": ["synthetic"], "count": [count]}), "scores": scores({"v": VOICE})}


VOICE = ("synthetic", "voice", 0.25, "none", 50.0)


def verdicts(claim, width=1.0, **tables):
    return [row["verdict"] for row in judge(BY_ID[claim], tables, TASKS, width)]


RIVALS = {
    "better_than_no_training": {"random_init": ("random_init", "", None, "none")},
    "beats_augmented_recordings": {"vggsound_augmented": ("real", "", None, "waveform_per_example")},
    "beats_jittered_recordings": {"vggsound_jitter": ("real", "", None, "none")},
    "best_delta": {f"voice-{d}": ("synthetic", "voice", d, "none") for d in (0.01, 0.05, 0.1, 0.5)},
    "voice_is_strong": {name: ("synthetic", name, 0.25, "none") for name in ("voicefm", "parametric")},
}


@pytest.mark.parametrize("claim", RIVALS)
def test_each_claim_of_scores_can_go_either_way(claim):
    def rivals(mean, pairs=PAPER):
        return scores({"voice-0.25": VOICE, **{name: (*look, mean) for name, look in RIVALS[claim].items()}}, pairs)

    assert verdicts(claim, scores=rivals(40), counts=pd.DataFrame({"kind": [], "count": []})) == [REPRODUCED]
    counts = pd.DataFrame({"kind": [], "count": []})
    assert verdicts(claim, scores=rivals(60), counts=counts) == [NOT_REPRODUCED]
    assert verdicts(claim, scores=rivals(40, pairs=51_200), counts=counts) == [NOT_TESTED]
    assert verdicts(claim, scores=rivals(40), counts=counts, width=0.25) == [NOT_TESTED]
    without = scores({"voice-0.25": VOICE})
    assert verdicts(claim, scores=without, counts=counts) == [NOT_TESTED]


def test_each_claim_of_scores_is_tried():
    assert set(RIVALS) == {claim["id"] for claim in ALL["claims"] if claim["test"]["by"] == "scores"}


@pytest.mark.parametrize("count", [200, 1000])
def test_causal_uncertainty_has_a_verdict_for_each_tagger_and_definition(count):
    cliffs = {("entropy", "esc50"): 0.3, ("top", "esc50"): -0.3, ("binary", "esc50"): 0.05, ("entropy", "vivae"): 0.2}
    open_is = NOT_REPRODUCED if count == 1000 else NOT_TESTED
    assert verdicts("more_uncertain", **sounds(cliffs, count)) == [REPRODUCED, NOT_REPRODUCED, open_is]


def test_sounds_that_are_none_of_the_papers_tasks_decide_nothing():
    (row,) = judge(BY_ID["more_uncertain"], sounds({("entropy", "notes"): 0.9}, 1000), TASKS, 1.0)
    assert row["verdict"] == NOT_TESTED
    assert "only notes" in row["why"]


@pytest.mark.parametrize(("cliff", "verdict"), [(0.4, REPRODUCED), (-0.4, REPRODUCED), (0.0, NOT_REPRODUCED), (0.2, NOT_TESTED)])
def test_features_may_differ_to_either_side(cliff, verdict):
    assert verdicts("features_differ", **sounds({("flux", "esc50"): cliff}, 200, "features")) == [verdict]


@pytest.mark.parametrize(("ours", "verdict"), [(1.0, REPRODUCED), (3.0, NOT_REPRODUCED)])
def test_distances_are_compared_task_by_task(ours, verdict):
    values = {"voice-0.25": ours, "recordings-vggsound": 2.0}
    rows = [{"embedding": "mn04", "sounds": s, "against": t, "fad": v, "kad": v} for s, v in values.items() for t in TASKS]
    tables = {**sounds({}, 1000), "distances": pd.DataFrame(rows)}
    assert verdicts("nearer_than_recordings", **tables) == [verdict, verdict]
    tables["distances"] = tables["distances"].query("sounds != 'recordings-vggsound'")
    assert verdicts("nearer_than_recordings", **tables) == [NOT_TESTED] * 2


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
    rows = pd.DataFrame({"delta": [0.01, 0.05, 0.1, 0.25, 0.5][: len(values)], "centred": values, "cosine": values})
    for column in ("centred", "cosine"):
        rows = rows.assign(**{f"{column}_low": rows[column] - 0.02, f"{column}_high": rows[column] + 0.02})
    rows = rows.assign(tagger="aisfx", architecture="voice", pairs=pairs)
    assert verdicts("similarity_falls", similarity=rows, scores=scores({"v": VOICE})) == [verdict] * 2


def test_what_is_needed_decides():
    outcomes = [Outcome("a", "for"), Outcome("b", "open"), Outcome("c", "against"), Outcome("d", "missing")]
    assert [decide(outcomes, need, False)[0] for need in (1, 2, 3, 4)] == [REPRODUCED, NOT_TESTED, NOT_TESTED, NOT_REPRODUCED]
    assert [decide(outcomes, need, True)[0] for need in (1, 2, 3)] == [REPRODUCED, NOT_TESTED, NOT_REPRODUCED]
    assert decide([], 1, True)[0] == NOT_TESTED


def test_an_interval_that_is_not_known_is_open():
    assert side_of(np.nan, np.nan) == "open"


def test_the_interval_over_folds_is_that_of_nadeau_and_bengio():
    """Differences 1, 2, 3: mean 2, variance 1; t(2) at 97.5 % is 4.302653; 1/3 + 1/2 in place of 1/3."""
    first, second = (pd.DataFrame({"seed": 0, "fold": list("123"), "score": s}) for s in ([1.0, 2, 3], [0.0, 0, 0]))
    np.testing.assert_allclose(paired_interval(first, second), [2, 2 - 4.302653 * (5 / 6) ** 0.5, 2 + 4.302653 * (5 / 6) ** 0.5], rtol=1e-6)


def test_the_interval_over_seeds_is_welchs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 5), rng.normal(0, 3, 4)
    first, second = (pd.DataFrame({"seed": range(len(s)), "fold": "test", "score": s}) for s in (a, b))
    expected = ttest_ind(a, b, equal_var=False).confidence_interval()
    np.testing.assert_allclose(paired_interval(first, second)[1:], expected)
    assert np.isnan(paired_interval(first.head(1), second)[1])


def test_verdicts_are_written_from_the_files(tmp_path):
    tables = {"scores": scores({"voice-0.25": VOICE, "random_init": ("random_init", "", None, "none", 30.0)}, 512)}
    tables["scores"] = tables["scores"].assign(metric="accuracy", score=tables["scores"].score / 100)
    tables["uncertainty"] = pd.DataFrame({"kind": ["synthetic"], "count": [24]})
    tables["uncertainty_differences"] = sounds({("entropy", "drums"): 0.2}, 24)["uncertainty"]
    tables["feature_differences"] = sounds({("flux", "drums"): 0.2}, 24)["uncertainty"]
    tables["distances"] = pd.DataFrame([["aisfx", "voice-0.25", "drums", 1.0, 1.0]], columns=["embedding", "sounds", "against", "fad", "kad"])
    names = ["tagger", "architecture", "delta", "pairs", "centred", "centred_low", "centred_high", "cosine", "cosine_low", "cosine_high"]
    tables["similarity"] = pd.DataFrame([["aisfx", "voice", 0.05, 24, *[0.5] * 6]], columns=names)
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    files = {name: tmp_path / f"{name}.csv" for name in tables}
    judge_claims(tmp_path / "claims.csv", claims=ALL, metrics=dict.fromkeys(TASKS, "accuracy"), width=0.25, **files)
    found = pd.read_csv(tmp_path / "claims.csv", keep_default_na=False)
    assert list(found) == ["claim", "text", "tagger", "definition", "verdict", "why", "figures"]
    assert set(found.claim) == set(BY_ID)
    assert set(found.verdict) == {NOT_TESTED}
    assert "pairs 512, needed 8,000,000; width 0.25, needed 1" in found.why[0]
    assert "esc50 +20.0" in found.figures[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("at_least: 7", "at_least: 9", "claims.beats_augmented_recordings: at_least is 9, of 8 tasks"),
        ("id: best_delta", "id: voice_is_strong", "'voice_is_strong' is the id of two claims"),
        ("by: features", "by: colours", "claims.features_differ.test"),
        ("{sounds: 1000}", "{sound: 1000}", "claims.features_differ.enough.sound = 1000"),
        ("esc50: 58.90", "esc5: 58.90", "did you mean esc50"),
        ("claims:", "claims: [", "not valid YAML"),
    ],
)
def test_a_fault_in_the_claims_is_named(tmp_path, old, new, message):
    text = CLAIMS.read_text()
    assert old in text
    (tmp_path / "claims.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=r"claims\.yaml") as caught:
        load_claims(tmp_path / "claims.yaml")
    assert message in str(caught.value)


def test_claims_that_are_not_there_are_named(tmp_path):
    with pytest.raises(UserError, match="have to be there"):
        load_claims(tmp_path / "claims.yaml")
