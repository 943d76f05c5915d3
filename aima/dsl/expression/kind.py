"""The JSON type of what an expression gives, where its text alone tells."""

from __future__ import annotations

from aima.dsl.expression.nodes import (
    Binary,
    Call,
    Conditional,
    Const,
    Has,
    ListOf,
    Logic,
    Macro,
    MapOf,
    Node,
    Unary,
)

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_LISTS = ("map", "filter")  # the other macros tell whether something holds
_FUNCTIONS = {
    "size": "integer",
    "int": "integer",
    "double": "number",
    "string": "string",
    "bool": "boolean",
    "startsWith": "boolean",
    "endsWith": "boolean",
    "contains": "boolean",
    "matches": "boolean",
    "lowerAscii": "string",
    "upperAscii": "string",
    "split": "array",
    "join": "string",
    "replace": "string",
    "trim": "string",
    "toJson": "string",
    "range": "array",
    "sort": "array",
    "flatten": "array",
    "keys": "array",
}


def kind_of(node: Node) -> str | None:  # noqa: PLR0911 - one for each kind of node
    """Name the JSON type; None where only the data tell."""
    match node:
        case Const():
            return _of_constant(node.value)
        case Has() | Logic():
            return "boolean"
        case Unary(operator="!"):
            return "boolean"
        case Binary() if node.operator in _COMPARISONS:
            return "boolean"
        case ListOf():
            return "array"
        case MapOf():
            return "object"
        case Macro():
            return "array" if node.kind in _LISTS else "boolean"
        case Call():
            return _FUNCTIONS.get(node.function)
        case Conditional():
            yes, no = kind_of(node.yes), kind_of(node.no)
            return yes if yes == no else None
    return None


def _of_constant(value: object) -> str | None:
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")
