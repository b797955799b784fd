"""Stages: pairs as sound files, and one page to listen to them, across architectures and deltas."""

import html
import math
import os
from pathlib import Path

import numpy as np
import soundfile

from doppelgangers.encoders.frontend import RATE_HZ
from doppelgangers.files import replace
from doppelgangers.synthesis.generate import PairGenerator, PairRecipe
from doppelgangers.synthesis.store import to_pcm

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Audio doppelgängers</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .4rem .8rem; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }}
audio {{ display: block; width: 13rem; height: 2rem; margin: .15rem 0; }}
p {{ max-width: 45rem; }}
</style></head><body>
<h1>Audio doppelgängers</h1>
<p>Each cell holds the two views of one pair: the same synthesizer parameters, perturbed twice. The larger the delta, the
less alike they sound. A row starts from the same parameters in every column of an architecture.</p>
<table><thead><tr><th>pair</th>{head}</tr></thead><tbody>
{body}
</tbody></table></body></html>
"""


def sample_pairs(folder: Path, *, recipe: PairRecipe, pairs: int) -> None:
    """Write some pairs as wav files: folder/<number>_<a or b>.wav.

    Args:
        folder: to write.
        recipe: of the pairs.
        pairs: how many, from index 0; with the perturbation curriculum, from the first index whose delta has its full size.
    """
    first = recipe.ramp_pairs if recipe.perturbation == "curriculum" else 0
    audio = np.asarray(PairGenerator(recipe).render(np.arange(first, first + pairs)))
    Path(folder).mkdir(parents=True, exist_ok=True)
    digits = max(2, math.ceil(math.log10(pairs)))
    for number, views in enumerate(audio):
        for view, sound in zip("ab", views, strict=True):
            soundfile.write(Path(folder) / f"{number:0{digits}d}_{view}.wav", to_pcm(sound), RATE_HZ)


def write_listening_page(page: Path, folders: list[Path]) -> None:
    """Write an HTML page with a player for every sound.

    Args:
        page: file to write; it links to the sounds by relative paths.
        folders: written by `sample_pairs`; their parents are named <architecture>-<delta>, which heads a column.
    """
    page = Path(page)
    columns = [sorted(Path(folder).glob("*_a.wav")) for folder in folders]
    head = "".join(f"<th>{html.escape(Path(folder).parent.name)}</th>" for folder in folders)
    rows = []
    for number, sounds in enumerate(zip(*columns, strict=True)):
        cells = "".join(f"<td>{player(a, page)}{player(a.with_name(a.name.replace('_a', '_b')), page)}</td>" for a in sounds)
        rows.append(f"<tr><td>{number}</td>{cells}</tr>")
    with replace(page) as temporary:
        temporary.write_text(PAGE.format(head=head, body="\n".join(rows)), encoding="utf-8")


def player(sound: Path, page: Path) -> str:
    """HTML of a player for a sound."""
    source = html.escape(Path(os.path.relpath(sound, page.parent)).as_posix())
    return f'<audio controls preload="none" src="{source}"></audio>'
