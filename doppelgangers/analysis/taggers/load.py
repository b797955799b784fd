"""Taggers by their names in the configuration."""

import importlib

from doppelgangers.analysis.taggers.tagger import Tagger


def load_tagger(name: str, weights: str = "") -> Tagger:
    """A tagger, ready to use on the CPU.

    Args:
        name: aisfx, mn04 or ast, each a module beside this one.
        weights: for mn04 the file; for ast a name on the Hugging Face hub, or a folder; aisfx has its own.

    Raises:
        UserError: when the weights are not there, or are not those of this tagger.
    """
    return importlib.import_module(f"doppelgangers.analysis.taggers.{name}").load(weights)
