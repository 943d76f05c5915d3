"""What the language is made of: bodies that a step can be and modifiers that it can have.

Each construct is one file of ``aima.workflows``; it brings its keys, its schema, its check, what
it compiles to and how it runs. This module only says what such a construct must offer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aima.dsl.json import Json
from aima.dsl.signature import JsonSchema

if TYPE_CHECKING:
    from aima.dsl.check import Checker
    from aima.dsl.compile import Compiler
    from aima.dsl.document import Step
    from aima.dsl.node import Node


class Body(Protocol):
    """A thing that a step can do; ``keys[0]`` chooses it."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a step that belong to it."""
        ...

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        ...

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

    @property
    def key(self) -> str:
        """The key of a step that it is."""
        ...

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        ...

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Tell what is wrong with it."""
        ...

    def output(self, value: Node, schema: JsonSchema) -> JsonSchema:
        """Give what the step leaves behind, where it would leave ``schema`` without this."""
        ...

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give its part of the plan."""
        ...


@dataclass(frozen=True)
class Language:
    """All constructs, by their keys."""

    bodies: Mapping[str, Body]
    modifiers: Mapping[str, Modifier]
