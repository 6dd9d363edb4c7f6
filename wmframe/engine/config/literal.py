"""Constants, as text, turned into values: literals, module-level names, and sums of both (`2**32 - 1`).

In: an expression's syntax tree and the module it stands in. Called by `annotation` (bounds) and `signature`
(defaults).
"""

import ast
import operator
from collections.abc import Callable
from typing import Any

from wmframe.engine.config.source import Definition, Source, resolve

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


def literal(node: ast.expr, source: Source) -> object:
    """The value of a constant expression. Raises ValueError for anything that only running could tell."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](literal(left, source), literal(right, source))
        case ast.Name() | ast.Attribute():
            found = resolve(source, ast.unparse(node))
            value = getattr(found.node, "value", None) if isinstance(found, Definition) else None
            if isinstance(found, Definition) and value is not None:
                return literal(value, found.source)
            raise ValueError(f"{ast.unparse(node)} is no constant")
        case _:
            return ast.literal_eval(node)
