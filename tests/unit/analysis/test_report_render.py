"""The report's page."""

import re

from doppelgangers.analysis.report_render import Section, render_report


def test_texts_are_escaped_and_figures_are_not():
    section = Section("A", ["1 < 2"], ["name"], [["<b>"]], [("<svg></svg>", "x & y")])
    page = render_report("T", [section])
    assert "1 &lt; 2" in page
    assert "<td>&lt;b&gt;</td>" in page
    assert "<svg></svg><figcaption>x &amp; y" in page


def test_page_asks_the_network_for_nothing():
    page = render_report("T", [Section("A", sounds=[("data:audio/mpeg;base64,AA==", "a")])])
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
