"""The report's page out of its sections: one HTML text that asks the network for nothing."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import jinja2
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "page_template"


@dataclasses.dataclass(frozen=True)
class Text:
    """A paragraph; `note` is for what limits what is said."""

    kind: ClassVar[str] = "text"
    text: str
    note: bool = False


@dataclasses.dataclass(frozen=True)
class Cell:
    """A cell of a table; its look is one of best, good, bad, open and muted, or none."""

    text: str
    look: str = ""


def cells(*texts: object) -> list[Cell]:
    """Cells without a look."""
    return [Cell(str(text)) for text in texts]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table that a reader can sort by its columns; the first `names` columns are text, the others numbers."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    names: int = 1


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure (`media.inline_svg`)."""

    kind: ClassVar[str] = "figure"
    svg: Markup
    caption: str


@dataclasses.dataclass(frozen=True)
class Sounds:
    """A grid of sounds: in each row a name, and in each column some sounds: label and data URI (`media.mp3_uri`)."""

    kind: ClassVar[str] = "sounds"
    caption: str
    columns: list[str]
    rows: list[tuple[str, list[list[tuple[str, str]]]]]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A verdict on a claim: by which tagger and definition, if it depends on them, why, and from which figures."""

    by: str
    verdict: Cell
    why: str
    figures: list[str]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper, with its verdicts."""

    kind: ClassVar[str] = "claim"
    text: str
    verdicts: list[Verdict]


Block = Text | Table | Figure | Sounds | Claim


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page; `name` is its anchor."""

    name: str
    title: str
    blocks: Sequence[Block]


def render(title: str, lead: str, facts: list[tuple[str, str]], sections: list[Section]) -> str:
    """The page as text; all but figures is escaped.

    Args:
        title: of the page.
        lead: a sentence under it.
        facts: what is said first, name and value.
        sections: in their order.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    parts = {name: Markup((TEMPLATES / f"page.{kind}").read_text(encoding="utf-8")) for name, kind in CODE.items()}
    return environment.get_template("page.html").render(title=title, lead=lead, facts=facts, sections=sections, **parts)


CODE = {"style": "css", "script": "js"}
