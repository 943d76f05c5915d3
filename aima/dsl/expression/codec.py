"""A syntax tree as JSON and back: what a plan stores.

A node is ``[kind, at, end, …]`` followed by its fields in the order of its class, a link is
``[at, end, optional, key]``. What a stored tree says is checked like what an author writes.
"""

from __future__ import annotations

from aima.dsl.expression.nodes import (
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
from aima.dsl.json import Json


def encode(node: Node) -> list[Json]:
    """Write a tree as nested lists."""
    place: list[Json] = [node.at, node.end]
    match node:
        case Const():
            return ["const", *place, node.value]
        case Name():
            return ["name", *place, node.name]
        case Get():
            return ["get", *place, encode(node.base), *map(_encode_link, node.links)]
        case Has():
            return ["has", *place, encode(node.path)]
        case Call():
            kind = "method" if node.method else "call"
            return [kind, *place, node.function, *map(encode, node.arguments)]
        case ListOf():
            return ["list", *place, *map(encode, node.items)]
        case MapOf():
            return ["map", *place, *map(encode, node.entries)]
        case Unary():
            return ["unary", *place, node.operator, encode(node.operand)]
        case Binary():
            return ["binary", *place, node.operator, encode(node.left), encode(node.right)]
        case Logic():
            return ["logic", *place, node.operator, *map(encode, node.operands)]
        case Conditional():
            return ["if", *place, *map(encode, node.children())]
        case Macro():
            return ["macro", *place, node.kind, node.variable, *map(encode, node.children())]
    raise AssertionError(node)


def _encode_link(link: Link) -> list[Json]:
    key = encode(link.key) if isinstance(link.key, Node) else link.key
    return [link.at, link.end, link.optional, key]
