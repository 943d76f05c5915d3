"""Text that grows, as lines of a terminal; what a line has once it keeps."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from aima.dsl.render import escaped

_WORDS = re.compile(r"\S+ *| +")


def cells(text: str) -> int:
    """Count the cells that a text takes: wide characters take two, marks above others none."""
    return sum(map(_cells_of, text))


def cut(text: str, room: int) -> str:
    """Cut a text to so many cells, with a mark where something is missing."""
    return text if cells(text) <= room else f"{text[: _fitting(text, room - 1)]}…"


@dataclass
class Paragraphs:
    """A text in lines of at most ``width`` cells, broken between words where that is possible.

    Attributes:
        lines: those that are whole.
        rest: the last one, which may grow.
    """

    width: int
    lines: list[str] = field(default_factory=list)
    rest: str = ""

    def add(self, text: str) -> None:
        """Let the text go on; nothing in it is obeyed by a terminal."""
        first, *more = text.expandtabs(4).replace("\r\n", "\n").split("\n")
        self._add(first)
        for part in more:
            self.end()
            self._add(part)

    def end(self) -> None:
        """Make the last line whole."""
        self.lines.append(self.rest)
        self.rest = ""

    def last(self, count: int) -> list[str]:
        """Give the last lines; one that has nothing yet is none."""
        tail = [self.rest] if self.rest else []
        return [*self.lines[-count:], *tail][-count:] if count > 0 else []

    def _add(self, text: str) -> None:
        for word in _WORDS.findall(escaped(text)):
            self.rest += word
            self._break()

    def _break(self) -> None:
        while cells(self.rest) > self.width:
            at = max(_fitting(self.rest, self.width), 1)
            space = self.rest.rfind(" ", 1, at + 1)
            at = space if space > 0 else at
            self.lines.append(self.rest[:at])
            self.rest = self.rest[at:].lstrip(" ")


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fitting(text: str, room: int) -> int:
    """Count the characters that fit into so many cells."""
    used = 0
    for at, character in enumerate(text):
        used += _cells_of(character)
        if used > room:
            return at
    return len(text)
