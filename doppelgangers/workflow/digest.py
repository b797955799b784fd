"""A digest of the code that a rule runs, so that Snakemake reruns what an edit can change and nothing else.

Snakemake does not see edits of modules that a script imports. Every rule therefore has in its params the digest of the
functions that its script calls, of the script itself, and of all functions, classes and constants of this package that these
use, at any depth.
What cannot change a result does not count: comments, docstrings, layout, annotations, assertions, messages (texts in `raise`,
logging and progress bars), and modules that set `AFFECTS_RESULTS = False`. The digest is the same on every Python.
"""

import ast
import functools
import hashlib
import json
from pathlib import Path

from doppelgangers.workflow.syntax import clean, dump

PACKAGE = "doppelgangers"
ROOT = Path(__file__).resolve().parent.parent
MARK = "AFFECTS_RESULTS"
ACCEPTED = Path("logs/accepted.json")
SCRIPTS = "workflow_scripts"  # folder beside the package, with a script for each rule
EFFECTS = ""  # name for the statements of a module that define nothing, and run whenever it is imported

Symbol = tuple[str, str]  # (module, name at its top level)


def code_of(*functions: str) -> str:
    """What a rule's params say of its code: the functions that its script calls, and their digest.

    Code that was accepted as equal in effect to earlier code (`workflow.accept`) is called as that was.
    """
    code = " ".join([*functions, digest(*functions)])
    return accepted().get(code, code)


def accepted() -> dict[str, str]:
    """Code -> the earlier code whose results count as its own, in the folder of this run."""
    return json.loads(ACCEPTED.read_text()) if ACCEPTED.exists() else {}


def path_of(module: str) -> Path:
    """File of a module that is named relative to the package, or of a script: `datasets.esc50`, `workflow_scripts.prepare`."""
    folder = ROOT.parent if module.startswith(f"{SCRIPTS}.") else ROOT
    return folder / f"{module.replace('.', '/')}.py"


@functools.cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


@functools.cache
def affects_results(module: str) -> bool:
    """Whether edits of a module count; it says so itself."""
    return not any(
        isinstance(node, ast.Assign)
        and [ast.unparse(target) for target in node.targets] == [MARK]
        and isinstance(node.value, ast.Constant)
        and node.value.value is False
        for node in tree_of(module).body
    )


@functools.cache
def definitions(module: str) -> dict[str, list[ast.stmt]]:
    """The top-level statements of a module by the name that they define; those that define none are `EFFECTS`."""
    found: dict[str, list[ast.stmt]] = {EFFECTS: []}
    for node in tree_of(module).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        elif isinstance(node, ast.Import | ast.ImportFrom) or ast.unparse(node).startswith("if __name__"):
            names = []
        else:
            names = [EFFECTS]
        for name in names:
            found.setdefault(name, []).append(node)
    return found


@functools.cache
def imports(module: str) -> dict[str, str]:
    """Local name -> dotted name of all that a module imports, anywhere in it."""
    found = {}
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found.update({alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def resolve(dotted: str, attribute: str) -> Symbol | None:
    """The symbol of this package behind an imported name; `attribute` is used of it, if it is a module."""
    if not dotted.startswith(f"{PACKAGE}."):
        return None
    dotted = dotted.removeprefix(f"{PACKAGE}.")
    if path_of(dotted).is_file():
        return dotted, attribute
    module, _, name = dotted.rpartition(".")
    return (module, name) if module and path_of(module).is_file() else None


def used_by(symbol: Symbol) -> set[Symbol]:
    """The symbols of this package that the definition of a symbol mentions, directly, where it can change a result.

    Raises:
        KeyError: when there is no such symbol.
        ValueError: when a module is used as a value, because nobody can tell what is used of it then.
    """
    module, name = symbol
    own, imported = definitions(module), imports(module)
    if name not in own:
        further = resolve(imported[name], EFFECTS) if name in imported else None
        if further is None:
            raise KeyError(f"{path_of(module)} has no {name} at its top level")
        return {further}
    nodes = [node for statement in clean(own[name]) for node in ast.walk(statement)]
    owners = {id(node.value): node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used: set[Symbol | None] = {(module, EFFECTS)}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in own:
            used.add((module, node.id))
        elif isinstance(node, ast.Name) and node.id in imported:
            found = resolve(imported[node.id], owners.get(id(node), EFFECTS))
            if found and found[1] == EFFECTS:
                raise ValueError(f"{path_of(module)}, {name}: use {node.id}.<name>, so that it is known what is used of it")
            used.add(found)
    return {symbol for symbol in used if symbol and affects_results(symbol[0])}


def reach(*functions: str) -> set[Symbol]:
    """The functions, named as `pretraining.pretrain.pretrain`, and every symbol of this package that they use, at any depth.

    The first one has the name of a rule, so that its script is known, which counts too.

    Raises:
        KeyError: when there is no such function.
    """
    named = [function.rpartition(".") for function in functions]
    script = (f"{SCRIPTS}.{named[0][2]}", EFFECTS)
    waiting = [script, *((module, name) for module, _, name in named if affects_results(module))]
    reached: set[Symbol] = set()
    while waiting:
        symbol = waiting.pop()
        if symbol not in reached:
            reached.add(symbol)
            waiting.extend(used_by(symbol))
    return reached


@functools.cache
def digest(*functions: str) -> str:
    """Sixteen hexadecimal digits that change when code that the functions run changes."""
    text = [f"{module}.{name} {canonical(module, name)}" for module, name in sorted(reach(*functions))]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]


@functools.cache
def canonical(module: str, name: str) -> str:
    """The code of a symbol as text, without what cannot change a result."""
    statements = clean(definitions(module).get(name, []))
    used = {node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)}
    imported = [f"{local}={dotted}" for local, dotted in sorted(imports(module).items()) if local in used]
    return " ".join([*imported, *map(dump, statements)])
