"""The page out of its sections, and in a real browser at the width of a desk and of a phone."""

import re

import numpy as np
import pytest
from markupsafe import Markup

from doppelgangers.report.media import mp3_uri
from doppelgangers.report.page import Cell, Claim, Figure, Section, Sounds, Table, Text, Verdict, render
from tests.browser import DESKTOP, PHONE

TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)


def sections():
    numbers = [["a", "10.5 ± 2"], ["b", "-2.0"], ["c", "1,009"], ["d", ""], ["e", "-10.0"]]
    table = Table("Accuracy.", ["encoder", "score"], [[Cell(cell) for cell in row] for row in numbers])
    wide = Table("Wide.", [f"column {i}" for i in range(30)], [[Cell("0.123456")] * 30])
    svg = Markup('<svg viewBox="0 0 9 9" role="img" aria-label="dot"><circle r="2"/></svg>')
    sounds = Sounds(
        "Pairs.", ["δ = 0.1", "δ = 0.2"], [("pair 1", [[("view a", mp3_uri(TONE)), ("view b", mp3_uri(TONE))]] * 2)]
    )
    claim = Claim("It <holds>.", [Verdict("aisfx", Cell("reproduced", "good"), "1 of 1", ["x +1.0 [0.5, 1.5]"])])
    blocks = {"claims": [Text("1 < 2"), claim], "scores": [table, wide], "figures": [Figure(svg, "x & y")], "sounds": [sounds]}
    return [Section(name, name.title(), found) for name, found in blocks.items()]


@pytest.fixture
def text():
    return render("Report", "A lead.", [("width", "1")], sections())


def test_texts_are_escaped_and_figures_are_not(text):
    assert "1 &lt; 2" in text
    assert "It &lt;holds&gt;." in text
    assert '<circle r="2"/></svg><figcaption>x &amp; y' in text


def test_the_page_asks_the_network_for_nothing(text):
    links = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(links) == 1 + 4 + 4  # the icon, sections, sounds
    assert all(link.startswith(("#", "data:")) for link in links)


def test_every_link_to_a_section_is_met(text):
    assert set(re.findall(r'href="#(\w+)"', text)) == set(re.findall(r'<section id="(\w+)"', text))


@pytest.mark.parametrize("device", [DESKTOP, PHONE])
def test_the_page_works_in_a_browser(browse, text, tmp_path, device):
    (tmp_path / "report.html").write_text(text)
    page = browse(tmp_path / "report.html", device)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    head = page.get_by_role("button", name="score")
    column = "[...document.querySelectorAll('#scores table')[0].tBodies[0].rows].map(row => row.cells[0].textContent).join('')"
    head.click()
    assert page.evaluate(column) == "ebacd"
    head.press("Enter")
    assert page.evaluate(column) == "cabed"  # empty ones stay last
    page.get_by_role("button", name="pair 1, δ = 0.2, view b").click()
    page.wait_for_function("[...document.querySelectorAll('audio')].filter(sound => sound.currentTime > 0.2).length === 1")
    page.get_by_role("button", name="pair 1, δ = 0.1, view a").click()
    assert page.evaluate("[...document.querySelectorAll('audio')].filter(sound => !sound.paused).length") == 1
    page.wait_for_function("document.querySelectorAll('.playing').length === 0")  # it has ended
    page.locator("summary").click()
    assert page.get_by_text("x +1.0 [0.5, 1.5]").is_visible()
