import numpy as np
import pytest

from doppelgangers.report.verdicts import NOT_REPRODUCED, NOT_TESTED, REPRODUCED, Outcome, decide, side_of, within


def outcomes(sides, enough=False):
    return [Outcome(f"task {i}", side, enough=enough) for i, side in enumerate(sides)]


@pytest.mark.parametrize(
    ("low", "high", "side"), [(0.1, 1, "for"), (-1, 0, "against"), (-1, 1, "open"), (np.nan, np.nan, "unknown"), (0, 1, "open")]
)
def test_where_an_interval_lies(low, high, side):
    assert side_of(low, high) == side


@pytest.mark.parametrize(
    ("low", "high", "side"),
    [(-1, 1, "for"), (2.5, 9, "against"), (-9, -2.5, "against"), (-1, 3, "open"), (np.nan, 1, "unknown")],
)
def test_whether_an_interval_lies_near_zero(low, high, side):
    assert within(low, high, 2) == side


@pytest.mark.parametrize(("need", "verdict"), [(1, REPRODUCED), (2, NOT_TESTED), (4, NOT_TESTED), (5, NOT_REPRODUCED)])
def test_what_is_needed_decides(need, verdict):
    assert decide(outcomes(["for", "open", "against", "missing", "unknown"]), need)[0] == verdict


@pytest.mark.parametrize(("need", "verdict"), [(1, REPRODUCED), (3, NOT_TESTED), (4, NOT_REPRODUCED)])
def test_at_a_large_scale_an_open_interval_counts_against_a_claim_and_an_unknown_one_does_not(need, verdict):
    assert decide(outcomes(["for", "open", "against", "missing", "unknown"], enough=True), need)[0] == verdict


def test_what_is_missing_never_counts_for_a_claim():
    """One of eight tasks is for it, and nothing else was run."""
    verdict, why = decide(outcomes(["for", *["missing"] * 7]), 5)
    assert verdict == NOT_TESTED
    assert "1 of 8 comparisons are for it, 5 are needed; not in the results: task 1" in why


@pytest.mark.parametrize("sides", [[], ["missing", "missing"]])
def test_nothing_in_the_results_is_said(sides):
    verdict, why = decide(outcomes(sides), 1)
    assert verdict == NOT_TESTED
    assert "nothing of it can be judged" in why


def test_a_reason_does_not_list_every_comparison():
    assert decide(outcomes(["missing"] * 20 + ["for"]), 5)[1].endswith("task 7 and 12 more")
