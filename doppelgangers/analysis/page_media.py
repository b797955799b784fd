"""Figures and sounds as text that a self-contained HTML page can hold."""

import base64
import io
import re

import numpy as np
import soundfile

from doppelgangers.errors import UserError


def inline_svg(svg: str, prefix: str, label: str) -> str:
    """An SVG file as an element of an HTML page, with ids of its own.

    Figures of one program share ids (clip paths, glyphs): on one page, the first figure's would serve for all.

    Args:
        svg: content of the file.
        prefix: put before each id and each reference to one; different for each figure of a page.
        label: alternative text.

    Raises:
        UserError: when there is no SVG element in it.
    """
    start = re.search(r"<svg\b", svg)
    if start is None:
        raise UserError(f"The figure {prefix} holds no <svg> element. Remove its file and make it again.")
    body = svg[start.start() :]  # the XML declaration and document type have no place in HTML
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\sid=")', rf"\g<1>{prefix}-", body)
    body = re.sub(r'((?:xlink:)?href="#)', rf"\g<1>{prefix}-", body)
    body = re.sub(r"(url\(#)", rf"\g<1>{prefix}-", body)
    text = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return body.replace("<svg", f'<svg role="img" aria-label="{text}"', 1)


def mp3_uri(sound: np.ndarray, rate: int) -> str:
    """A sound as the data URI of an MP3 file.

    Args:
        sound: (T,) floats within -1 and 1.
        rate: in Hz.

    Raises:
        UserError: when the sound is empty, has several channels or is not finite.
    """
    if sound.ndim != 1 or not sound.size or not np.isfinite(sound).all():
        raise UserError(f"A sound of shape {sound.shape} cannot be put on a page: it must be mono, not empty and finite.")
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="MP3", subtype="MPEG_LAYER_III")
    return "data:audio/mpeg;base64," + base64.b64encode(file.getvalue()).decode()
