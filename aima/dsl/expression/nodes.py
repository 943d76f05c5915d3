"""The syntax tree of an expression.

Every node knows its place (``at`` to ``end``, code points) and its ``height``, and refuses to
be built higher than the language allows: whatever walks a tree may recurse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias

from aima.dsl.expression.errors import ExpressionSyntaxError
from aima.dsl.expression.limits import MAX_NESTING
from aima.dsl.expression.values import TYPES

Scalar: TypeAlias = bool | int | float | str | None
Path: TypeAlias = tuple[str, ...]

MACROS = ("map", "filter", "all", "exists", "exists_one")
"""The methods that bind a name and go through a list or the keys of a map."""


@dataclass(frozen=True)
class Node:
    """A part of an expression, at its place in the text."""

    at: int
    end: int
    height: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        height = 1 + max((child.height for child in self.children()), default=0)
        if height > MAX_NESTING:
            raise ExpressionSyntaxError(
                f"this is nested more than {MAX_NESTING} levels deep",
                offset=self.at,
                end=self.end,
                hint="compute parts of it in `set` steps",
            )
        object.__setattr__(self, "height", height)

    def children(self) -> Iterator[Node]:
        """Walk the nodes directly below, in the order of the text."""
        yield from ()


@dataclass(frozen=True)
class Const(Node):
    """A literal: text, number, boolean or null."""

    value: Scalar


@dataclass(frozen=True)
class Name(Node):
    """A word standing alone: a root, a macro's variable, or a type."""

    name: str


@dataclass(frozen=True)
class Link:
    """One link of a path: ``.key``, ``.?key``, ``[index]`` or ``[?index]``."""

    at: int
    end: int
    optional: bool
    key: str | Node

    @property
    def constant(self) -> str | int | None:
        """The key when the text says it: a name, a text or a number; else ``None``."""
        if isinstance(self.key, str):
            return self.key
        if isinstance(self.key, Const) and type(self.key.value) in (str, int):
            value = self.key.value
            return value if isinstance(value, str | int) else None
        return None


@dataclass(frozen=True)
class Get(Node):
    """A path: a value and the links that lead into it."""

    base: Node
    links: tuple[Link, ...]

    def children(self) -> Iterator[Node]:
        """Walk the base, then computed keys."""
        yield self.base
        yield from (link.key for link in self.links if isinstance(link.key, Node))


@dataclass(frozen=True)
class Has(Node):
    """``has(path)``: whether the path leads to a value."""

    path: Get

    def children(self) -> Iterator[Node]:
        """Walk the path."""
        yield self.path


@dataclass(frozen=True)
class Call(Node):
    """``function(…)`` or ``value.function(…)``; then the value is the first argument."""

    function: str
    method: bool
    arguments: tuple[Node, ...]

    def children(self) -> Iterator[Node]:
        """Walk the arguments."""
        yield from self.arguments


@dataclass(frozen=True)
class ListOf(Node):
    """``[a, b]``."""

    items: tuple[Node, ...]

    def children(self) -> Iterator[Node]:
        """Walk the items."""
        yield from self.items


@dataclass(frozen=True)
class MapOf(Node):
    """``{key: value}``: keys and values by turns."""

    entries: tuple[Node, ...]

    def children(self) -> Iterator[Node]:
        """Walk keys and values by turns."""
        yield from self.entries


@dataclass(frozen=True)
class Unary(Node):
    """``-a`` or ``!a``."""

    operator: str
    operand: Node

    def children(self) -> Iterator[Node]:
        """Walk the operand."""
        yield self.operand


@dataclass(frozen=True)
class Binary(Node):
    """``a + b``, ``a < b``, ``a in b`` and the like."""

    operator: str
    left: Node
    right: Node

    def children(self) -> Iterator[Node]:
        """Walk left, then right."""
        yield self.left
        yield self.right


@dataclass(frozen=True)
class Logic(Node):
    """``a && b && c`` or ``a || b || c``: a whole chain is one node."""

    operator: str
    operands: tuple[Node, ...]

    def children(self) -> Iterator[Node]:
        """Walk the operands."""
        yield from self.operands


@dataclass(frozen=True)
class Conditional(Node):
    """``test ? yes : no``."""

    test: Node
    yes: Node
    no: Node

    def children(self) -> Iterator[Node]:
        """Walk test, yes, no."""
        yield self.test
        yield self.yes
        yield self.no


@dataclass(frozen=True)
class Macro(Node):
    """``over.kind(variable, body)``; a three-argument ``map`` has ``keep`` as its condition."""

    kind: str
    over: Node
    variable: str
    keep: Node | None
    body: Node

    def children(self) -> Iterator[Node]:
        """Walk what is gone through, then condition and body."""
        yield self.over
        if self.keep is not None:
            yield self.keep
        yield self.body


def names_of(node: Node) -> Path:
    """Give the root and the names that follow it, as far as the text says them."""
    if isinstance(node, Name):
        return (node.name,)
    if not isinstance(node, Get) or not isinstance(node.base, Name):
        return ()
    constants = takewhile(lambda key: isinstance(key, str), (link.constant for link in node.links))
    return (node.base.name, *map(str, constants))


def path_of(node: Node) -> Path:
    """Give the names when the node is a root and names, none of them optional; else nothing."""
    links = node.links if isinstance(node, Get) else ()
    names = names_of(node)
    whole = len(names) == 1 + len(links) and not any(link.optional for link in links)
    return names if whole and ".".join(names) not in TYPES else ()


def type_of(node: Node) -> str | None:
    """Give the type that a node names: ``int``, ``google.protobuf.Timestamp``."""
    name = ".".join(names_of(node))
    return name if name in TYPES else None
