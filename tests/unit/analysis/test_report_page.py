"""The report's page in a real browser, at the width of a desk and of a phone."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from doppelgangers.analysis.page_media import inline_svg, mp3_uri
from doppelgangers.analysis.report_render import Section, render_report
from tests.browser import DESKTOP, PHONE


@pytest.fixture
def report(tmp_path):
    plt.figure().add_subplot().plot([0, 1])
    plt.savefig(tmp_path / "a.svg")
    plt.close()
    svg = (tmp_path / "a.svg").read_text()
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    table = Section("Scores", ["Accuracy."], ["Encoder", "Score"], [["a", "10.5"], ["b", "-2"], ["c", "9.75"], ["d", "-10"]])
    figures = Section("Figures", figures=[(inline_svg(svg, name, "A line"), "A line.") for name in ("one", "two")])
    sounds = Section("Sounds", sounds=[(mp3_uri(tone, 16000), "A tone")])
    (tmp_path / "report.html").write_text(render_report("Report", [table, figures, sounds]))
    return tmp_path / "report.html"


@pytest.mark.parametrize("device", [DESKTOP, PHONE])
def test_the_page_is_whole(browse, report, tmp_path, device):
    page = browse(report, device)
    head = page.get_by_role("button", name="Score")
    column = "[...document.querySelectorAll('tbody td:nth-child(2)')].map(cell => cell.textContent)"
    head.click()
    assert page.evaluate(column) == ["-10", "-2", "9.75", "10.5"]
    head.press("Enter")
    assert page.evaluate(column) == ["10.5", "9.75", "-2", "-10"]
    page.wait_for_function("document.querySelector('audio').duration > 0.9")
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / "page.png", full_page=True)
