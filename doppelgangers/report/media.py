"""Figures and sounds as text that a self-contained HTML page can hold."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import soundfile
from markupsafe import Markup, escape

from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.errors import UserError

PX_PER_PT = 1.9  # of a figure on the page: its text of 8 points is 15 pixels high


def inline_svg(file: Path, label: str) -> Markup:
    """An SVG file as an element of an HTML page, with ids of its own, and no larger than its text needs.

    Figures of one program share ids (clip paths, glyphs): on one page, the first figure's would serve for all.

    Args:
        file: whose name is put before each id and each reference to one.
        label: alternative text.

    Raises:
        UserError: when there is no SVG element in it.
    """
    svg, prefix = Path(file).read_text(encoding="utf-8"), Path(file).stem
    start = re.search(r"<svg\b", svg)
    if start is None:
        raise UserError(f"{file} holds no <svg> element: delete it and run again")
    body = svg[start.start() :]  # the XML declaration and document type have no place in HTML
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\sid=")', rf"\g<1>{prefix}-", body)
    body = re.sub(r'((?:xlink:)?href="#)', rf"\g<1>{prefix}-", body)
    body = re.sub(r"(url\(#)", rf"\g<1>{prefix}-", body)
    width = re.search(r'^<svg[^>]*\swidth="([\d.]+)pt"', body)
    style = f' style="max-width: {PX_PER_PT * float(width[1]):.0f}px"' if width else ""
    return Markup(body.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"{style}', 1))


def mp3_uri(sound: np.ndarray) -> str:
    """A sound as the data URI of an MP3 file, about 7 kB a second.

    Args:
        sound: (T,) floats within -1 and 1, at 16 kHz.

    Raises:
        UserError: when the sound is empty, has several channels or is not finite.
    """
    if sound.ndim != 1 or not sound.size or not np.isfinite(sound).all():
        raise UserError(f"a sound of shape {sound.shape} cannot be put on a page: it must be mono, not empty and finite")
    file = io.BytesIO()
    soundfile.write(file, sound, RATE_HZ, format="MP3", subtype="MPEG_LAYER_III")
    return "data:audio/mpeg;base64," + base64.b64encode(file.getvalue()).decode()
