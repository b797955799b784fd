"""Stage: the table of scores for a page and for a paper, with the best of each column marked."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from doppelgangers.files import replace

ORDER = ("random_init", "synthetic", "real", "released", "peer")  # random initialisation first, which all have to beat
FIRST_TASK = 7  # column of table.csv
LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "δ": r"$\delta$", "±": r"$\pm$"}
LATEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """A score in percent, its deviation over folds and seeds (NaN if there is only one), and whether it is the column's best."""

    score: float
    deviation: float
    best: bool

    def text(self) -> str:
        """Mean ± deviation; empty where there is no score."""
        if pd.isna(self.score):
            return ""
        return f"{self.score:.1f}" + ("" if pd.isna(self.deviation) else f" ± {self.deviation:.1f}")


@dataclasses.dataclass(frozen=True)
class Row:
    """An encoder of the table, and its scores by task."""

    encoder: str
    source: str
    pairs: str
    cells: dict[str, Cell]


def read_rows(table: Path) -> list[Row]:
    """Rows of table.csv, random initialisation first."""
    rows = pd.read_csv(table, keep_default_na=False, na_values={"delta": [""], "pairs": [""]}, dtype={"encoder": str})
    tasks = list(rows.columns[FIRST_TASK::2])
    numbers = rows[rows.columns[FIRST_TASK:]].apply(pd.to_numeric)
    most = numbers[tasks].max()
    rows = rows.assign(place=rows.source.map(ORDER.index)).sort_values("place", kind="stable")
    return [
        Row(
            row.encoder,
            row.source,
            "" if pd.isna(row.pairs) else f"{int(row.pairs):,}",
            {t: Cell(numbers[t][i], numbers[f"{t}_std"][i], bool(numbers[t][i] == most[t])) for t in tasks},
        )
        for i, row in zip(rows.index, rows.itertuples(), strict=True)
    ]


def write_tables(markdown: Path, latex: Path, *, table: Path) -> None:
    """Write the table as Markdown and as LaTeX (package booktabs), scores in percent, mean ± deviation, the best bold.

    Args:
        markdown, latex: files to write.
        table: table.csv.
    """
    rows = read_rows(table)
    tasks = list(rows[0].cells) if rows else []
    head = ["Encoder", "Pairs", *tasks]

    def lines(escape: Callable[[str], str], bold: str) -> list[list[str]]:
        scores = [[(bold if c.best else "{}").replace("{}", escape(c.text())) for c in row.cells.values()] for row in rows]
        return [[escape(row.encoder), escape(row.pairs), *cells] for row, cells in zip(rows, scores, strict=True)]

    text = [join_markdown(head), f"|---|---:{'|---:' * len(tasks)}|", *map(join_markdown, lines(escape_markdown, "**{}**"))]
    with replace(markdown) as temporary:
        temporary.write_text("\n".join(text) + "\n", encoding="utf-8")
    body = [" & ".join(cells) + r" \\" for cells in lines(escape_latex, r"\textbf{{}}")]
    top = [f"\\begin{{tabular}}{{lr{'r' * len(tasks)}}}", r"\toprule", " & ".join(map(escape_latex, head)) + r" \\", r"\midrule"]
    with replace(latex) as temporary:
        temporary.write_text("\n".join([*top, *body, r"\bottomrule", r"\end{tabular}"]) + "\n", encoding="utf-8")


def join_markdown(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape_markdown(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\|*_`[]<" else sign for sign in text)


def escape_latex(text: str) -> str:
    """Text with the signs that LaTeX takes for commands written so that it prints them."""
    return "".join(LATEX.get(sign, sign) for sign in text)
