"""What the language is made of: bodies, modifiers and sections.

A step is one body and has any modifiers; a document has sections. Each construct is one file of
``aima.workflows``; it brings its keys, its schema, its check, what it compiles to and how it
runs. This module only says what such a construct must offer; what it need not offer has a
default here, which a construct takes over by naming its protocol as its base class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

from aima.dsl.json import Json
from aima.dsl.node import Mapping as MappingNode
from aima.dsl.node import Node
from aima.dsl.signature import JsonSchema
from aima.dsl.types import Type

if TYPE_CHECKING:
    from aima.dsl.check import Checker
    from aima.dsl.compile import Compiler
    from aima.dsl.document import Step

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions that lead to something inside a value."""


@dataclass(frozen=True)
class Nested:
    """A list of steps inside a construct.

    Attributes:
        path: keys and positions that lead to it from the step or the document.
        node: what stands there; whether it is a list is told by the reader.
        certain: whether all of it has run wherever its owner has succeeded.
        rank: lists of a higher rank run after those of a lower one; of equal rank only one runs.
        when: what must be true for it to run: an expression.
        error: the name under which its steps read an error; empty where there is none.
    """

    path: Path
    node: Node
    certain: bool = True
    rank: int = 0
    when: Node | None = None
    error: str = ""


class Body(Protocol):
    """A thing that a step can do; ``keys[0]`` chooses it."""

    keys: ClassVar[tuple[str, ...]]
    """The keys of a step that belong to it."""

    late: ClassVar[tuple[str, ...]] = ()
    """Those of its keys that are read after the steps inside it have run."""

    ends: ClassVar[bool] = False
    """Whether no step comes after it."""

    repeats: ClassVar[bool] = False
    """Whether the steps inside run several times, and may read what they left the time before."""

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        ...

    def nested(self, node: MappingNode) -> Iterator[Nested]:
        """Give the lists of steps inside."""
        del node
        yield from ()

    def check(self, step: Step, checker: Checker) -> None:
        """Tell what is wrong with it."""
        ...

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give the JSON Schema of what the step leaves behind."""
        ...

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give its part of the plan."""
        ...


class Modifier(Protocol):
    """Something a step of any body can have."""

    key: ClassVar[str]
    """The key of a step that it is."""

    per_item: ClassVar[bool] = True
    """Whether it holds for each item of a ``for_each`` and may read the item."""

    late: ClassVar[bool] = False
    """Whether it is read after the body has run."""

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        ...

    def nested(self, value: Node, step: MappingNode) -> Iterator[Nested]:
        """Give the lists of steps inside."""
        del value, step
        yield from ()

    def names(self, value: Node, checker: Checker) -> Mapping[str, Type]:
        """Give the names that it brings for the step and everything inside."""
        del value, checker
        return {}

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Tell what is wrong with it."""
        ...

    def output(self, value: Node, schema: JsonSchema) -> JsonSchema:
        """Give what the step leaves behind, where it would leave ``schema`` without this."""
        del value
        return schema

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give its part of the plan."""
        ...


class Section(Protocol):
    """Something a document says at its top, besides its steps."""

    key: ClassVar[str]
    """The key of the document that it is."""

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        ...

    def nested(self, value: Node) -> Iterator[Nested]:
        """Give the lists of steps inside."""
        del value
        yield from ()

    def check(self, value: Node, checker: Checker) -> None:
        """Tell what is wrong with it."""
        ...

    def compile(self, value: Node, compiler: Compiler) -> dict[str, Json]:
        """Give its part of the plan."""
        ...


@dataclass(frozen=True)
class Language:
    """All constructs, by their keys."""

    bodies: Mapping[str, Body]
    modifiers: Mapping[str, Modifier]
    sections: Mapping[str, Section]

    def modifiers_of(self, node: MappingNode) -> list[tuple[Modifier, Node]]:
        """Give the modifiers that a step has, with what it says there, in the language's order."""
        said = node.entries
        return [(self.modifiers[key], said[key].value) for key in self.modifiers if key in said]

    def body_of(self, node: MappingNode) -> tuple[str, ...]:
        """Name the bodies that a step chooses; a body takes the keys that belong to it."""
        chosen = [key for key in node.entries if key in self.bodies]
        taken = {key for one in chosen for key in self.bodies[one].keys[1:]}
        return tuple(key for key in chosen if key not in taken)
