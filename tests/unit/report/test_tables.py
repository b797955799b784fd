import pandas as pd
import pytest

from doppelgangers.report.tables import escape_latex, read_rows, write_tables


@pytest.fixture
def table(tmp_path):
    facts = {"architecture": "", "delta": "", "augmentation": "none", "seeds": 1}
    rows = [
        {
            "encoder": "voice_0.05",
            "source": "synthetic",
            **facts,
            "pairs": 51_200,
            "pitch": 40.0,
            "pitch_std": 2.04,
            "esc50": 10.0,
        },
        {"encoder": "odd", "source": "of a kind not known", **facts, "pairs": "", "pitch": "", "pitch_std": "", "esc50": 50.06},
        {"encoder": "random_init", "source": "random_init", **facts, "pairs": 0, "pitch": 40.0, "pitch_std": "", "esc50": 9.0},
    ]
    table = pd.DataFrame(rows).assign(esc50_std="")
    table.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def test_random_initialisation_comes_first_and_what_is_not_known_last(table):
    rows = read_rows(table)
    assert [row.facts["encoder"] for row in rows] == ["random_init", "voice_0.05", "odd"]
    assert [row.pairs for row in rows] == ["0", "51,200", ""]
    assert [row.scores["pitch"].text() for row in rows] == ["40.0", "40.0 ± 2.0", ""]


def test_all_that_are_best_are_marked(table):
    rows = read_rows(table)
    assert [row.scores["pitch"].best for row in rows] == [True, True, False]
    assert [row.scores["esc50"].best for row in rows] == [False, False, True]


def test_tables_for_pages_and_papers(table, tmp_path):
    write_tables(tmp_path / "table.md", tmp_path / "table.tex", table=table)
    assert (tmp_path / "table.md").read_text().splitlines() == [
        "| Encoder | Pairs | pitch | esc50 |",
        "|---|---:|---:|---:|",
        "| random\\_init | 0 | **40.0** | 9.0 |",
        "| voice\\_0.05 | 51,200 | **40.0 ± 2.0** | 10.0 |",
        "| odd |  |  | **50.1** |",
    ]
    assert (tmp_path / "table.tex").read_text().splitlines() == [
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r"Encoder & Pairs & pitch & esc50 \\",
        r"\midrule",
        r"random\_init & 0 & \textbf{40.0} & 9.0 \\",
        r"voice\_0.05 & 51,200 & \textbf{40.0 $\pm$ 2.0} & 10.0 \\",
        r"odd &  &  & \textbf{50.1} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_signs_of_latex_are_printed():
    assert escape_latex(r"50% of a_b & c\d {δ}") == r"50\% of a\_b \& c\textbackslash{}d \{$\delta$\}"
