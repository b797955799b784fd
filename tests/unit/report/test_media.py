"""Figures and sounds inside a page."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile

from doppelgangers.errors import UserError
from doppelgangers.report.media import inline_svg, mp3_uri

SVG = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><metadata>when</metadata>
<defs><path id="glyph"/><clipPath id="clip"/></defs><g clip-path="url(#clip)"><use xlink:href="#glyph"/></g></svg>"""


def drawn(folder, name, svg=SVG):
    (folder / f"{name}.svg").write_text(svg)
    return folder / f"{name}.svg"


def test_two_figures_share_no_id_and_every_reference_is_met(tmp_path):
    ids = []
    for prefix in ("first", "second"):
        figure = inline_svg(drawn(tmp_path, prefix), "A figure")
        own = [element.get("id") for element in ElementTree.fromstring(figure).iter() if element.get("id")]
        assert set(re.findall(r"#([\w-]+)", figure)) == set(own)
        ids += own
    assert len(set(ids)) == 4


def test_label_is_escaped_and_metadata_left_out(tmp_path):
    figure = inline_svg(drawn(tmp_path, "x"), 'δ < 1 & "so"')
    assert ElementTree.fromstring(figure).get("aria-label") == 'δ < 1 & "so"'
    assert "metadata" not in figure


def test_a_figure_is_as_wide_as_its_text_needs(tmp_path):
    wide = drawn(tmp_path, "x", '<svg height="50pt" width="100.5pt" viewBox="0 0 9 9"><rect width="9000pt"/></svg>')
    assert 'style="max-width: 191px"' in inline_svg(wide, "A figure")
    assert "max-width" not in inline_svg(drawn(tmp_path, "y"), "A figure")


def test_what_is_no_figure_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"scores\.svg"):
        inline_svg(drawn(tmp_path, "scores", ""), "")


def test_a_tone_keeps_its_pitch():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    kind, data = mp3_uri(tone).split(",")
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:audio/mpeg;base64"
    assert rate == 16000
    assert abs(np.abs(np.fft.rfft(sound)).argmax() * rate / len(sound) - 1000) < 2


@pytest.mark.parametrize("sound", [np.zeros(0), np.zeros((2, 9)), np.array([0.0, np.nan])])
def test_what_is_no_sound_is_refused(sound):
    with pytest.raises(UserError, match="mono"):
        mp3_uri(sound)
