"""Mutants of Python: operators, comparisons, constants, conditions, returns, statements.

Texts for people (strings, what is raised), types, decorators and documentation are left alone.
"""

import ast
from collections.abc import Iterator

_BINARY = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "+"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"), ast.Mod: ("%", "//"), ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"), ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"), ast.MatMult: ("@", "*"),
}  # fmt: skip
_COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
_Edit = tuple[int, str, str]


def edits(text: str) -> Iterator[_Edit]:
    """Places of mutants in a Python file: (start, original, replacement), in characters."""
    yield from _Finder(text).found


class _Finder(ast.NodeVisitor):
    """Collects the edits of one module."""

    def __init__(self, text: str) -> None:
        self._text, self.found = text, []
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.visit(ast.parse(text))

    def _span(self, node: ast.AST) -> tuple[int, int]:
        """Characters of a node. The sources' columns are bytes: all of them are ASCII."""
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _replace(self, node: ast.AST, replacement: str) -> None:
        start, end = self._span(node)
        self.found.append((start, self._text[start:end], replacement))

    def _between(self, left: ast.AST, right: ast.AST, words: tuple[str, str]) -> None:
        """Replace the first of two words, which stands between two nodes, by the second."""
        start = self._text.index(words[0], self._span(left)[1], self._span(right)[0])
        self.found.append((start, *words))

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._between(node.left, node.right, _BINARY[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        words = _BINARY[type(node.op)]
        self._between(node.target, node.value, (f"{words[0]}=", f"{words[1]}="))
        self._replace(node, "pass")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, op, right in zip(operands, node.ops, operands[1:], strict=False):
            self._between(left, right, _COMPARISONS[type(op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, words)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        start, end = self._span(node)
        operand = self._span(node.operand)[0]
        self.found.append((start, self._text[start:end], self._text[operand:end]))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value))
        elif isinstance(node.value, int):
            self._replace(node, str(node.value + 1))
        elif isinstance(node.value, float):
            self._replace(node, repr(node.value * 1.5 + 0.25))
        elif isinstance(node.value, bytes) and node.value:
            self._replace(node, repr(bytes([node.value[0] ^ 1]) + node.value[1:]))

    def _visit_condition(self, node: ast.If | ast.While | ast.IfExp) -> None:
        if not isinstance(node.test, ast.Compare | ast.UnaryOp | ast.NamedExpr | ast.Constant):
            start, end = self._span(node.test)
            self._replace(node.test, f"not ({self._text[start:end]})")
        self.generic_visit(node)

    visit_If = visit_While = visit_IfExp = _visit_condition

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not isinstance(node.value, ast.Constant):
            self._replace(node.value, "None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom):
            self._replace(node, "pass")
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._replace(node, "pass")
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.args.defaults, *node.args.kw_defaults, *node.body):
            if part is not None:
                self.visit(part)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in node.body:
            self.visit(part)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace(node, "pass")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._replace(node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self._replace(node, "pass")

    def visit_Assert(self, node: ast.Assert) -> None:
        """Our own doubts are not the product."""

    def visit_keyword(self, node: ast.keyword) -> None:
        """Nor is zip's `strict`."""
        if node.arg != "strict":
            self.generic_visit(node)
