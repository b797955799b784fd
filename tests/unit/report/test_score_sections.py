import pandas as pd

from doppelgangers.report import score_sections
from doppelgangers.report.page import Cell
from doppelgangers.report.tables import Row, Score

PUBLISHED = {
    "note": "second-hand",
    "scale": "18 million pairs",
    "rows": {
        "synthetic": {
            "text": "best synthetic",
            "select": {"source": ["synthetic"], "delta": []},
            "scores": {"esc50": 58.9, "vivae": 40.0},
        },
        "quarter": {"text": "a quarter", "select": {"source": ["synthetic"], "delta": [0.25]}, "scores": {"vivae": 1.0}},
    },
}


def row(encoder, source, delta, esc50):
    facts = {"encoder": encoder, "source": source, "delta": delta, "pairs": "51200" if delta else "0"}
    return Row(facts, {"esc50": Score(esc50, 1.0, esc50 == 50.0)})


ROWS = [
    row("random_init", "random_init", "", 40.0),
    row("voice-0.05", "synthetic", "0.05", 50.0),
    row("voice-0.25", "synthetic", "0.25", 30.0),
]
COMPARED = pd.DataFrame(
    [
        ("esc50", "voice-0.05", "random_init", "better"),
        ("esc50", "voice-0.25", "random_init", "worse"),
        ("esc50", "voice-0.25", "voice-0.05", "better"),
    ],
    columns=["task", "encoder", "against", "verdict"],
)


def test_the_table_marks_the_best_and_what_differs_from_random_initialisation():
    table, *_ = score_sections.scores(ROWS, COMPARED, {"esc50": "accuracy"}, PUBLISHED)
    assert table.columns == ["encoder", "pairs", "esc50"]
    assert [line[2] for line in table.rows] == [Cell("40.0 ± 1.0"), Cell("50.0 ± 1.0", "best good"), Cell("30.0 ± 1.0", "bad")]
    assert "accuracy: esc50" in table.caption


def test_the_papers_figures_stand_beside_ours_with_the_difference_of_scale():
    table, note = score_sections.beside_published(ROWS, PUBLISHED)
    texts = [[cell.text for cell in line] for line in table.rows]
    assert texts == [
        ["paper: best synthetic", "58.9", "40.0"],
        ["here: best synthetic", "50.0", "not run"],
        ["paper: a quarter", "–", "1.0"],
        ["here: a quarter", "30.0", "not run"],
    ]
    assert note.note
    assert "18 million pairs; here: 51,200 pairs at most" in note.text


def test_nothing_trained_is_said():
    note = score_sections.beside_published(ROWS[:1], PUBLISHED)[1]
    assert "nothing trained on synthetic pairs" in note.text


def test_each_claim_has_all_its_verdicts():
    columns = ["claim", "text", "tagger", "definition", "verdict", "why", "figures"]
    rows = [
        ("a", "A.", "aisfx", "top", "reproduced", "1 of 1", "x +1; y +2"),
        ("a", "A.", "mn04", "binary_entropy", "not reproduced", "0 of 1", ""),
        ("b", "B.", "", "", "not tested at this scale", "nothing", ""),
    ]
    section = score_sections.claims(pd.DataFrame(rows, columns=columns))
    first, second = section.blocks[1:]
    assert [(v.by, v.verdict.look, v.figures) for v in first.verdicts] == [
        ("aisfx, top", "good", ["x +1", "y +2"]),
        ("mn04, binary entropy", "bad", []),
    ]
    assert [(v.by, v.verdict.look) for v in second.verdicts] == [("", "open")]


def test_confusions_of_each_task():
    recalls = pd.DataFrame(
        {
            "task": "pitch",
            "encoder": ["random_init"] * 2 + ["ours"] * 2,
            "recall": [0.5, 0.1, 0.6, 0.0],
            "gain": [None, None, 0.1, -0.1],
        }
    )
    pairs = pd.DataFrame({"task": "pitch", "encoder": "ours", "truth": list("abcdefghij"), "predicted": "z", "share": 0.125})
    mean, most = score_sections.confusions(pairs, recalls)
    assert [[cell.text for cell in line] for line in mean.rows] == [
        ["random_init", "30.0", "2", "–"],
        ["ours", "30.0", "2", "1"],
    ]
    assert len(most.rows) == score_sections.CONFUSED
    assert [cell.text for cell in most.rows[0]] == ["ours", "a", "z", "12"]
