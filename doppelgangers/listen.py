"""Stage: one page to hear pairs on, across architectures and deltas."""

import html
import os
from pathlib import Path

from doppelgangers.files import replace

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


def write_listening_page(page: Path, folders: list[Path]) -> None:
    """Write an HTML page with a player for every sound.

    Args:
        page: file to write; it refers to the sounds by relative path.
        folders: as `pairs.sample_pairs` writes them, .../<setting>/samples.
    """
    page = Path(page)
    columns = [sorted(Path(folder).glob("*_a.wav")) for folder in folders]
    head = "".join(f"<th>{html.escape(Path(folder).parent.name)}</th>" for folder in folders)
    rows = []
    for index, sounds in enumerate(zip(*columns, strict=True)):
        cells = "".join(f"<td>{player(a, page)}{player(a.with_name(a.name.replace('_a', '_b')), page)}</td>" for a in sounds)
        rows.append(f"<tr><td>{index}</td>{cells}</tr>")
    with replace(page) as temporary:
        temporary.write_text(PAGE.format(head=head, body="\n".join(rows)), encoding="utf-8")


def player(sound: Path, page: Path) -> str:
    source = html.escape(Path(os.path.relpath(sound, page.parent)).as_posix())
    return f'<audio controls preload="none" src="{source}"></audio>'
