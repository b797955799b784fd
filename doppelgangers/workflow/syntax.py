"""Syntax trees as text, without what cannot change a result, and the same on every Python."""

import ast
import copy
from collections.abc import Iterable
from typing import Any

LOGS = {"log", "logging", "warnings", "bar"}  # an expression statement that calls a method of one of these is a message
VOLATILE = {"ctx", "kind", "type_comment", "type_params"}  # fields of syntax trees that differ between versions of Python


def clean(statements: Iterable[ast.stmt]) -> list[ast.stmt]:
    """Copies of statements without what cannot change a result; those of which nothing is left are missing."""
    cleaned = (Cleaner().visit(copy.deepcopy(statement)) for statement in statements)
    return [statement for statement in cleaned if statement is not None]


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
        cleaned: Any = super().visit(node)
        if getattr(cleaned, "body", None) == []:
            cleaned.body = [ast.Pass()]
        return cleaned

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
            last = values[-1] if values else None
            if isinstance(value, ast.Constant) and isinstance(last, ast.Constant):
                values[-1] = ast.Constant(str(last.value) + str(value.value))
            elif not isinstance(value, ast.Constant) or value.value:  # Python 3.12 has empty ones
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
