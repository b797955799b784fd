"""A digest of the code that a rule runs, so that Snakemake reruns what an edit can change and nothing else.

Snakemake does not see edits of modules that a script imports. Every rule therefore has in its params the digest of the
functions that its script calls, and of all functions, classes and constants of this package that these use, at any depth.
What cannot change a result does not count: comments, docstrings, layout, annotations, assertions, messages (texts in `raise`,
logging and progress bars), and modules that set `AFFECTS_RESULTS = False`. The digest is the same on every Python.
"""

import ast
import copy
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

PACKAGE = "doppelgangers"
ROOT = Path(__file__).resolve().parent.parent
MARK = "AFFECTS_RESULTS"
LOGS = {"log", "logging", "warnings", "bar"}  # an expression statement that calls a method of one of these is a message
ACCEPTED = Path("logs/accepted.json")
EFFECTS = ""  # name for the statements of a module that define nothing, and run whenever it is imported
VOLATILE = {"ctx", "kind", "type_comment", "type_params"}  # fields of syntax trees that differ between versions of Python

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
    """File of a module that is named relative to the package: `datasets.esc50` -> .../datasets/esc50.py."""
    return ROOT / f"{module.replace('.', '/')}.py"


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
    """The symbols of this package that the definition of a symbol mentions, directly.

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
    nodes = [node for statement in own[name] for node in ast.walk(statement)]
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

    Raises:
        KeyError: when there is no such function.
    """
    waiting = [(module, name) for module, _, name in (function.rpartition(".") for function in functions)]
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
    cleaned = [Cleaner().visit(copy.deepcopy(statement)) for statement in definitions(module).get(name, [])]
    statements = [statement for statement in cleaned if statement is not None]
    used = {node.id for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name)}
    imported = [f"{local}={dotted}" for local, dotted in sorted(imports(module).items()) if local in used]
    return " ".join([*imported, *map(dump, statements)])


def dump(node: Any) -> str:
    """A syntax tree as text that is the same on every Python: without empty fields and those that only some versions have."""
    if isinstance(node, ast.AST):
        fields = {name: getattr(node, name, None) for name in node._fields if name not in VOLATILE}
        inner = ", ".join(f"{name}={dump(value)}" for name, value in fields.items() if value not in (None, []))
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return f"[{', '.join(map(dump, node))}]"
    return repr(node)


class Cleaner(ast.NodeTransformer):
    """Removes from a syntax tree what cannot change a result."""

    in_class = False

    def visit(self, node: ast.AST) -> Any:
        """Clean a node; None when nothing of it is left."""
        node = super().visit(node)
        if getattr(node, "body", None) == []:
            node.body = [ast.Pass()]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        before, self.in_class = self.in_class, True
        self.generic_visit(node)
        self.in_class = before
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        before, self.in_class = self.in_class, False
        node.returns = None
        self.generic_visit(node)
        self.in_class = before
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """In a class the annotation makes a field; elsewhere it says nothing to the machine."""
        self.generic_visit(node)
        if self.in_class:
            return node
        return ast.Assign([node.target], node.value) if node.value else None

    def visit_Assert(self, node: ast.Assert) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Docstrings and messages go."""
        if isinstance(node.value, ast.Constant):
            return None
        if isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Name) and called.id == "print":
                return None
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in LOGS:
                return None
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """A condition for messages only goes with them."""
        self.generic_visit(node)
        binds = any(isinstance(part, ast.NamedExpr) for part in ast.walk(node.test))
        return node if node.body or node.orelse or binds else None

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """The kind of an exception counts, its text and cause do not."""
        node.cause = None
        if isinstance(node.exc, ast.Call):
            node.exc.args = [argument for argument in node.exc.args if not is_text(argument)]
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Options of a progress bar: its title, unit and so on."""
        self.generic_visit(node)
        called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        if isinstance(called, ast.Name) and called.id == "tqdm":
            node.keywords = []
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Texts that follow each other become one: where a version of Python cuts them is its own affair."""
        self.generic_visit(node)
        values: list[ast.expr] = []
        for value in node.values:
            if isinstance(value, ast.Constant) and values and isinstance(values[-1], ast.Constant):
                values[-1] = ast.Constant(values[-1].value + value.value)
            else:
                values.append(value)
        node.values = values
        return node


def is_text(node: ast.expr) -> bool:
    """Whether an expression is written out text, in part at least."""
    if isinstance(node, ast.BinOp):
        return is_text(node.left) or is_text(node.right)
    if isinstance(node, ast.IfExp):
        return is_text(node.body) or is_text(node.orelse)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
