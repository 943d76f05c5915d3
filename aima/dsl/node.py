"""What a YAML file says, each value with its place in the file.

What a file has thousands of is a tuple: a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from aima.dsl.yaml_place import place_in


class Mark(NamedTuple):
    """A place in a file: ``line`` and ``column`` count from 1, columns in code points."""

    line: int
    column: int


class Span(NamedTuple):
    """A stretch of a file; ``end`` is the first place after it."""

    mark: Mark
    end: Mark


class Style(StrEnum):
    """How a scalar is written; the value is the sign it starts with."""

    plain = ""
    single = "'"
    double = '"'
    literal = "|"
    folded = ">"


class Scalar(NamedTuple):
    """One value. ``raw`` is its text in the file, from ``mark`` on, with quotes or ``|`` line."""

    value: bool | int | float | str | None
    mark: Mark
    end: Mark
    style: Style = Style.plain
    raw: str = ""

    def locate(self, offset: int) -> Mark:
        """Say where code point ``offset`` of the text stands in the file.

        Escapes, folded lines and the indentation of blocks are reckoned with. A value that is
        not text is located as a whole; an offset past the end gives the place of the end.
        """
        if not isinstance(self.value, str):
            return self.mark
        line, column = place_in(self.raw, self.value, offset)
        if line == 0:
            return Mark(self.mark.line, self.mark.column + column)
        return Mark(self.mark.line + line, 1 + column)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark
    end: Mark


class Entry(NamedTuple):
    """A key, which is always text, and its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map: its own keys in document order, then those merged with ``<<``."""

    entries: dict[str, Entry]
    mark: Mark
    end: Mark

    def get(self, key: str) -> Node | None:
        """Give the value of a key; None where there is no such key."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value


Node: TypeAlias = Scalar | Sequence | Mapping
Place: TypeAlias = Mark | Span | Node

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def to_json(node: Node) -> Json:
    """Give the plain value of a node, without marks."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [to_json(item) for item in node.items]
    return {key: to_json(entry.value) for key, entry in node.entries.items()}
