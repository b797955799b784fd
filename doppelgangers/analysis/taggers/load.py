"""Taggers by their names in the configuration."""

from pathlib import Path

from doppelgangers.analysis.settings import Tagger as Name
from doppelgangers.analysis.taggers.aisfx import load_aisfx
from doppelgangers.analysis.taggers.ast import load_ast
from doppelgangers.analysis.taggers.mn04 import load_mn04
from doppelgangers.analysis.taggers.tagger import Tagger


def load_tagger(name: Name, *, weights: Path | None = None, ast: str = "") -> Tagger:
    """A tagger, ready to use on the CPU.

    Args:
        name: aisfx, whose weights come with its package; mn04, from `weights`; ast, from `ast`.
        weights: the file for mn04.
        ast: a name on the Hugging Face hub, or a folder.

    Raises:
        UserError: when its weights are not there, or are not those of this tagger.
        ValueError: when there is no such tagger, or mn04 is given no weights.
    """
    if name == "aisfx":
        return load_aisfx()
    if name == "ast":
        return load_ast(ast)
    if name == "mn04" and weights:
        return load_mn04(weights)
    raise ValueError(f"no tagger {name!r} with weights {weights}")
