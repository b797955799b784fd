"""Stage: the table of scores as Markdown and as LaTeX, with the best of each column marked."""

import dataclasses
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from doppelgangers.files import replace

ORDER = ("random_init", "synthetic", "real", "released", "peer")  # random initialisation first, which all have to beat
FIRST_TASK = 7  # column of table.csv
LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "δ": r"$\delta$", "±": r"$\pm$"}
LATEX |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


@dataclasses.dataclass(frozen=True)
class Score:
    """A score in percent, its deviation over folds and seeds (NaN if there is only one), whether it is the column's best."""

    mean: float
    deviation: float
    best: bool

    def text(self) -> str:
        """Mean ± deviation; empty where there is no score."""
        if math.isnan(self.mean):
            return ""
        return f"{self.mean:.1f}" + ("" if math.isnan(self.deviation) else f" ± {self.deviation:.1f}")


@dataclasses.dataclass(frozen=True)
class Row:
    """An encoder of the table, and its scores by task.

    Attributes:
        facts: encoder, source, architecture, delta, augmentation, seeds, pairs, as text.
        scores: task -> score.
    """

    facts: dict[str, str]
    scores: dict[str, Score]

    @property
    def pairs(self) -> str:
        """Pairs seen, for a reader; empty if not known."""
        return f"{int(float(self.facts['pairs'])):,}" if self.facts["pairs"] else ""


def read_rows(table: Path) -> list[Row]:
    """Rows of table.csv, random initialisation first."""
    rows = pd.read_csv(table, keep_default_na=False, dtype=str)
    tasks = list(rows.columns[FIRST_TASK::2])
    numbers = rows[rows.columns[FIRST_TASK:]].apply(pd.to_numeric)
    best = numbers[tasks].eq(numbers[tasks].max())
    places = rows["source"].map({source: place for place, source in enumerate(ORDER)})
    found = []
    for i in places.sort_values(kind="stable").index:
        scores = {task: Score(numbers[task][i], numbers[f"{task}_std"][i], bool(best[task][i])) for task in tasks}
        found.append(Row({name: rows[name][i] for name in rows.columns[:FIRST_TASK]}, scores))
    return found


def write_tables(markdown: Path, latex: Path, *, table: Path) -> None:
    """Write the table as Markdown and as LaTeX (package booktabs), scores in percent, mean ± deviation, the best bold.

    Args:
        markdown, latex: files to write.
        table: table.csv.
    """
    rows = read_rows(table)
    tasks = list(rows[0].scores) if rows else []
    head = ["Encoder", "Pairs", *tasks]

    def lines(escape: Callable[[str], str], bold: Callable[[str], str]) -> list[list[str]]:
        return [
            [
                escape(row.facts["encoder"]),
                row.pairs,
                *((bold if score.best else str)(escape(score.text())) for score in row.scores.values()),
            ]
            for row in rows
        ]

    text = [join_markdown(map(escape_markdown, head)), f"|---|---:{'|---:' * len(tasks)}|"]
    text += map(join_markdown, lines(escape_markdown, "**{}**".format))
    with replace(markdown) as temporary:
        temporary.write_text("\n".join(text) + "\n", encoding="utf-8")
    body = [" & ".join(cells) + r" \\" for cells in lines(escape_latex, r"\textbf{{{}}}".format)]
    top = [
        f"\\begin{{tabular}}{{lr{'r' * len(tasks)}}}",
        r"\toprule",
        " & ".join(map(escape_latex, head)) + r" \\",
        r"\midrule",
    ]
    with replace(latex) as temporary:
        temporary.write_text("\n".join([*top, *body, r"\bottomrule", r"\end{tabular}"]) + "\n", encoding="utf-8")


def join_markdown(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape_markdown(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\|*_`[]<" else sign for sign in text)


def escape_latex(text: str) -> str:
    """Text with the signs that LaTeX takes for commands written so that it prints them."""
    return "".join(LATEX.get(sign, sign) for sign in text)
