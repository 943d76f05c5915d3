"""A syntax tree as JSON and back: what a plan stores.

A node is ``[kind, at, end, …]`` followed by its fields, a link is ``[at, end, optional, key]``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import NoReturn

from aima.dsl.expression.errors import ExpressionSyntaxError
from aima.dsl.expression.functions import check_call
from aima.dsl.expression.limits import MAX_NESTING
from aima.dsl.expression.literals import INT_MAX, INT_MIN
from aima.dsl.expression.nodes import (
    MACROS,
    Binary,
    Call,
    Conditional,
    Const,
    Get,
    Has,
    Link,
    ListOf,
    Logic,
    Macro,
    MapOf,
    Name,
    Node,
    Unary,
)
from aima.dsl.expression.operators import OPERATORS
from aima.dsl.json import Json

# -- writing ---------------------------------------------------------------------------


@singledispatch
def encode(node: Node) -> list[Json]:
    """Write a tree as nested lists."""
    raise NotImplementedError(type(node))


@encode.register
def _const(node: Const) -> list[Json]:
    return ["const", node.at, node.end, node.value]


@encode.register
def _name(node: Name) -> list[Json]:
    return ["name", node.at, node.end, node.name]


@encode.register
def _get(node: Get) -> list[Json]:
    links: list[Json] = []
    for link in node.links:
        key = encode(link.key) if isinstance(link.key, Node) else link.key
        links.append([link.at, link.end, link.optional, key])
    return ["get", node.at, node.end, encode(node.base), *links]


@encode.register
def _has(node: Has) -> list[Json]:
    return ["has", node.at, node.end, encode(node.path)]


@encode.register
def _call(node: Call) -> list[Json]:
    kind = "method" if node.method else "call"
    return [kind, node.at, node.end, node.function, *map(encode, node.arguments)]


@encode.register
def _list(node: ListOf) -> list[Json]:
    return ["list", node.at, node.end, *map(encode, node.items)]


@encode.register
def _map(node: MapOf) -> list[Json]:
    return ["map", node.at, node.end, *map(encode, node.entries)]


@encode.register(Unary)
@encode.register(Binary)
@encode.register(Logic)
def _operation(node: Unary | Binary | Logic) -> list[Json]:
    kind = type(node).__name__.lower()
    return [kind, node.at, node.end, node.operator, *map(encode, node.children())]


@encode.register
def _conditional(node: Conditional) -> list[Json]:
    return ["if", node.at, node.end, *map(encode, node.children())]


@encode.register
def _macro(node: Macro) -> list[Json]:
    return ["macro", node.at, node.end, node.kind, node.variable, *map(encode, node.children())]


# -- reading ---------------------------------------------------------------------------


def decode(data: Json) -> Node:
    """Read a tree; :class:`ExpressionSyntaxError` tells what is no part of one."""
    return _node(data, 1)


def _node(data: Json, depth: int) -> Node:
    match data:
        case [str(kind), int(at), int(end), *fields] if kind in _READERS and depth <= MAX_NESTING:
            if not (type(at) is type(end) is int and 0 <= at <= end):
                _refuse("a place")
            return _READERS[kind](at, end, fields, depth + 1)
    return _refuse("a node")


def _nodes(fields: list[Json], depth: int) -> tuple[Node, ...]:
    return tuple(_node(field, depth) for field in fields)


def _read_const(at: int, end: int, fields: list[Json], _: int) -> Node:
    match fields:
        case [int() as value] if not INT_MIN <= value <= INT_MAX:
            _refuse("an integer")
        case [None | bool() | int() | float() | str() as value]:
            return Const(at, end, value)
    return _refuse("a constant")


def _read_name(at: int, end: int, fields: list[Json], _: int) -> Node:
    match fields:
        case [str(name)]:
            return Name(at, end, name)
    return _refuse("a name")


def _read_get(at: int, end: int, fields: list[Json], depth: int) -> Get:
    if len(fields) < 2:  # noqa: PLR2004 - a base and at least one link
        _refuse("a path")
    base, *links = fields
    return Get(at, end, _node(base, depth), tuple(_read_link(link, depth) for link in links))


def _read_link(data: Json, depth: int) -> Link:
    match data:
        case [int(at), int(end), bool(optional), str(key)]:
            return Link(at, end, optional, key)
        case [int(at), int(end), bool(optional), list(key)]:
            return Link(at, end, optional, _node(key, depth))
    return _refuse("a link")


def _read_has(at: int, end: int, fields: list[Json], depth: int) -> Node:
    match _nodes(fields, depth):
        case (Get() as path,):
            return Has(at, end, path)
    return _refuse("has()")


def _read_call(at: int, end: int, fields: list[Json], depth: int, *, method: bool = False) -> Node:
    match fields:
        case [str(function), *rest]:
            arguments = _nodes(rest, depth)
            check_call(function, len(arguments), method=method, offset=at, end=end)
            return Call(at, end, function, method, arguments)
    return _refuse("a call")


def _read_method(at: int, end: int, fields: list[Json], depth: int) -> Node:
    return _read_call(at, end, fields, depth, method=True)


def _read_list(at: int, end: int, fields: list[Json], depth: int) -> Node:
    return ListOf(at, end, _nodes(fields, depth))


def _read_map(at: int, end: int, fields: list[Json], depth: int) -> Node:
    if len(fields) % 2:
        _refuse("a map")
    return MapOf(at, end, _nodes(fields, depth))


def _read_unary(at: int, end: int, fields: list[Json], depth: int) -> Node:
    match fields:
        case ["-" | "!" as operator, operand]:
            return Unary(at, end, str(operator), _node(operand, depth))
    return _refuse("a sign")


def _read_binary(at: int, end: int, fields: list[Json], depth: int) -> Node:
    match fields:
        case [str(operator), left, right] if operator in OPERATORS:
            return Binary(at, end, operator, _node(left, depth), _node(right, depth))
    return _refuse("an operation")


def _read_logic(at: int, end: int, fields: list[Json], depth: int) -> Node:
    match fields:
        case ["&&" | "||" as operator, _, _, *_]:
            return Logic(at, end, str(operator), _nodes(fields[1:], depth))
    return _refuse("a condition")


def _read_if(at: int, end: int, fields: list[Json], depth: int) -> Node:
    match _nodes(fields, depth):
        case (test, yes, no):
            return Conditional(at, end, test, yes, no)
    return _refuse("a conditional")


def _read_macro(at: int, end: int, fields: list[Json], depth: int) -> Node:
    match fields:
        case [str(kind), str(variable), *rest] if kind in MACROS:
            match _nodes(rest, depth):
                case (over, body):
                    return Macro(at, end, kind, over, variable, None, body)
                case (over, keep, body) if kind == "map":
                    return Macro(at, end, kind, over, variable, keep, body)
    return _refuse("a macro")


def _refuse(what: str) -> NoReturn:
    raise ExpressionSyntaxError(
        f"what the plan stores as {what} of an expression is none",
        hint="compile the workflow again with this version of AIMA",
    )


_READERS: dict[str, Callable[[int, int, list[Json], int], Node]] = {
    "const": _read_const,
    "name": _read_name,
    "get": _read_get,
    "has": _read_has,
    "call": _read_call,
    "method": _read_method,
    "list": _read_list,
    "map": _read_map,
    "unary": _read_unary,
    "binary": _read_binary,
    "logic": _read_logic,
    "if": _read_if,
    "macro": _read_macro,
}
