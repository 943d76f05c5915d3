"""Comparisons that can never hold, since values of different types are never equal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from aima.dsl.diagnostic import define
from aima.dsl.expression.kind import kind_of
from aima.dsl.expression.nodes import Binary, Const, ListOf, Node
from aima.dsl.types import ARTIFACT, Type, kind_of_literal, said

NEVER_EQUAL = define(
    "expression/never-equal", "Values are compared whose types say that they are never equal."
)

TypeOf: TypeAlias = Callable[[Node], Type | None]
"""Gives the type of what a path leads to; None where nothing is known, or it is no path."""

_ALIKE = {"integer": "number", ARTIFACT: "object"}
_NULL = frozenset({"null"})
_LITERALS = {
    kind: Type.of({"type": kind})
    for kind in ("null", "boolean", "integer", "number", "string", "array", "object")
}
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


@dataclass(frozen=True)
class Unlike:
    """A comparison of two values that are never equal.

    Attributes:
        node: where it stands.
        left: the type of what stands first.
        right: the type of what it is compared with: for `in`, of an item.
    """

    node: Binary
    left: Type
    right: Type

    @property
    def outcome(self) -> str:
        """What it always gives."""
        return "true" if self.node.operator == "!=" else "false"

    def message(self, text: str) -> str:
        """Say what is wrong, in the words of the text that it stands in."""
        sides = (self.node.left, self.node.right)
        left, right = (f"`{text[side.at : side.end]}`" for side in sides)
        item = "an item of " if self.node.operator == "in" else ""
        return (
            f"this is always {self.outcome}: {left} is {said(self.left)}, "
            f"and {item}{right} is {said(self.right)}"
        )

    def hint(self, text: str) -> str:
        """Say what was probably meant."""
        sides = ((self.node.left, self.right), (self.node.right, self.left))
        for side, other in sides if self.node.operator != "in" else sides[:1]:
            if (meant := _meant(side, other)) is not None:
                return f"write `{meant}` in place of `{text[side.at : side.end]}`"
        return "turn one of them into the other's type: `string(x)`, `int(x)`, `double(x)`"


def unlike(node: Node, type_of: TypeOf) -> Iterator[Unlike]:
    """Find the comparisons in an expression that can never hold, in the order of the text."""
    for child in node.children():
        yield from unlike(child, type_of)
    if not isinstance(node, Binary) or node.operator not in ("==", "!=", "in"):
        return
    left, right = _type(node.left, type_of), _type(node.right, type_of)
    if right is not None and node.operator == "in":
        right = _inside(right)
    if left is None or right is None:
        return
    kinds = _alike(left.kinds()), _alike(right.kinds())
    if _NULL not in kinds and not kinds[0] & kinds[1]:
        yield Unlike(node, left, right)


def _type(node: Node, type_of: TypeOf) -> Type | None:
    if isinstance(node, Const):
        return _LITERALS[kind_of_literal(node.value)]
    if isinstance(node, ListOf) and node.items:
        kinds = {kind_of_literal(i.value) for i in node.items if isinstance(i, Const)}
        whole = all(isinstance(item, Const) for item in node.items)
        return _list_of(frozenset(kinds)) if whole else _LITERALS["array"]
    return type_of(node) or _LITERALS.get(kind_of(node) or "")


@cache
def _list_of(kinds: frozenset[str]) -> Type:
    return Type.of({"type": "array", "items": {"type": sorted(kinds)}})


def _inside(kind: Type) -> Type | None:
    """Give the type of what is looked for in a value: items of a list, keys of a map."""
    kinds = kind.kinds()
    if kinds == {"array"}:
        return kind.item()
    return _LITERALS["string"] if kinds == {"object"} else None


@cache
def _alike(kinds: frozenset[str]) -> frozenset[str]:
    """Give the kinds of which two values may be equal: an integer is a number as well."""
    return frozenset(_ALIKE.get(name, name) for name in kinds)


def _meant(side: Node, other: Type) -> str | None:
    """Write a literal as one of the other's type, where it can be read so."""
    if not isinstance(side, Const):
        return None
    value, kinds = side.value, _alike(other.kinds())
    if isinstance(value, str):
        if kinds == {"boolean"} and value in ("true", "false"):
            return value
        if kinds == {"number"} and _NUMBER.fullmatch(value):
            return value
    elif kinds == {"string"} and value is not None:
        return f"'{str(value).lower() if isinstance(value, bool) else value}'"
    return None
