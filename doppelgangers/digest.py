"""A digest of the code that a stage runs, so that Snakemake reruns what an edit touches and nothing else.

Snakemake does not see edits of modules that a script imports. Every rule therefore carries in its params the digest of
the stage's module and of all first-party modules it reaches by import. Syntax trees are hashed, without docstrings:
a comment, a docstring or the layout may change freely.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = "doppelgangers"
ROOT = Path(__file__).parent
DATA = {"datasets.catalogue"}  # facts, not code: the rows that a rule uses travel in its params


def path_of(module: str) -> Path:
    """File of a first-party module named relative to the package: `datasets.esc50` -> .../datasets/esc50.py."""
    return ROOT / f"{module.replace('.', '/')}.py"


@functools.cache
def tree_of(module: str) -> ast.Module:
    """Syntax tree of a module without its docstrings."""
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return tree


@functools.cache
def imports_of(module: str) -> frozenset[str]:
    """First-party modules that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    names = {name.removeprefix(f"{PACKAGE}.") for name in found if name.startswith(f"{PACKAGE}.")}
    return frozenset(name for name in names - DATA if path_of(name).is_file())


def closure(*modules: str) -> frozenset[str]:
    """The modules themselves and every first-party module they reach by import."""
    reached, waiting = set(), list(modules)
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(imports_of(module))
    return frozenset(reached)


@functools.cache
def digest(*modules: str) -> str:
    """Sixteen hexadecimal digits that change when the code in the closure of `modules` changes."""
    text = "\n".join(f"{name} {ast.dump(tree_of(name))}" for name in sorted(closure(*modules)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
