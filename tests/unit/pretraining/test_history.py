import csv

import pytest

from doppelgangers.errors import UserError
from doppelgangers.pretraining.history import HISTORY, WINDOW, check_steps, find_warnings, record, write_history


def rows_of(aligns, uniforms):
    terms = zip(aligns, uniforms, strict=True)
    return [
        record(10 * i, 128, (a, u, a + u), 1e-3, 190.0, (50.0, 0.0), (0.1, 0.2, 0.3, 0.4, 0.05))
        for i, (a, u) in enumerate(terms, start=1)
    ]


def falling(first, last):
    return [first + (last - first) * i / (WINDOW - 1) for i in range(WINDOW)]


@pytest.mark.parametrize(
    ("aligns", "uniforms", "kinds"),
    [
        ([0.36], [-0.76], set()),  # an untrained encoder
        ([0.01], [-0.05], {"collapse"}),
        ([0.01, 0.4], [-0.05, -0.8], set()),  # it recovered
        ([1.97] * WINDOW, falling(-3.80, -3.81), {"delta"}),
        ([1.97] * WINDOW, falling(-3.0, -3.8), set()),  # uniformity improves in return
        ([1.97] * (WINDOW - 1), [-3.8] * (WINDOW - 1), set()),  # too early to tell
        ([1.80] * WINDOW, [-3.65] * WINDOW, set()),  # the paper's best delta, 0.25, early in training
        ([1.88, 1.93] * (WINDOW // 2), [-3.8] * WINDOW, {"delta"}),  # the mean counts
        ([1.80, 1.93] * (WINDOW // 2), [-3.8] * WINDOW, set()),
        ([1.0, *[1.97] * WINDOW], [-1.0, *[-3.8] * WINDOW], {"delta"}),  # only the last rows count
    ],
)
def test_signs_of_failure(aligns, uniforms, kinds):
    assert set(find_warnings(rows_of(aligns, uniforms))) == kinds


def test_a_warning_says_where_and_what():
    message = find_warnings(rows_of([0.01], [-0.05]))["collapse"]
    assert message.startswith("the embeddings are nearly identical (step 10: align 0.010, uniform -0.050, effective rank 50.0)")


def test_rows_are_written_under_their_names(tmp_path):
    write_history(tmp_path / "history.csv", rows_of([0.5], [-2.0]))
    (row,) = csv.DictReader((tmp_path / "history.csv").read_text().splitlines())
    expected = ("10", "1280", "0.5", "-2", "-1.5", "0.001", "190", "50", "0", "0.1", "0.2", "0.3", "0.4", "0.05")
    assert row == dict(zip(HISTORY, expected, strict=True))


def test_the_first_step_that_failed_is_named_with_the_term():
    fine, nan, inf = [0.5, -2.0, -1.5, 3.0], [0.5, float("nan"), float("nan"), 3.0], [float("inf"), -2.0, float("inf"), 3.0]
    check_steps("voice-0.05 seed 0", 11, [fine, fine])
    message = r"^uniform and loss became not finite \(voice-0.05 seed 0, step 12: align 0.5, uniform nan, loss nan\)"
    with pytest.raises(UserError, match=message):
        check_steps("voice-0.05 seed 0", 11, [fine, nan, inf])
    with pytest.raises(UserError, match=r"^align and loss became not finite .* step 11"):
        check_steps("voice-0.05 seed 0", 11, [inf, nan])
    with pytest.raises(UserError, match=r"all embeddings are alike .* step 13"):
        check_steps("voice-0.05 seed 0", 11, [fine, fine, [0.0, -0.001, -0.001, 3.0]])


@pytest.mark.parametrize("largest", [float("nan"), float("inf")])
def test_the_step_whose_update_broke_the_weights_is_named(largest):
    fine, broken, after = [0.5, -2.0, -1.5, 3.0], [0.5, -2.0, -1.5, largest], [float("nan")] * 4
    with pytest.raises(
        UserError, match=r"^weights became not finite \(voice-0.05 seed 0, step 12: align 0.5, uniform -2, loss"
    ):
        check_steps("voice-0.05 seed 0", 11, [fine, broken, after])
