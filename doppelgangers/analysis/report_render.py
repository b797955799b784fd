"""The report's page out of its sections: one HTML text that asks the network for nothing."""

from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "report_page"


@dataclass(frozen=True)
class Section:
    """A section: texts, a table, figures (SVG of `page_media.inline_svg`) and sounds (data URI), each with its caption."""

    title: str
    texts: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    figures: list[tuple[str, str]] = field(default_factory=list)
    sounds: list[tuple[str, str]] = field(default_factory=list)


def render_report(title: str, sections: list[Section]) -> str:
    """The page as text; all but figures is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    marked = [
        {**vars(section), "figures": [(Markup(svg), caption) for svg, caption in section.figures]} for section in sections
    ]
    return environment.get_template("page.html").render(title=title, sections=marked)
