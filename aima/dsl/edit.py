"""Edits of a text at the places of its nodes, made all at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from aima.dsl.node import Entry, Mapping, Mark, Node

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")


@dataclass(frozen=True, order=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass
class Edits:
    """The edits of one text; nothing happens before :meth:`made`."""

    text: str
    _edits: set[_Edit] = field(default_factory=set)

    def at(self, mark: Mark) -> int:
        """Give the index of a place; what ends with the text may end on the line after it."""
        if mark.line > len(self._lines):
            return len(self.text)
        return self._lines[mark.line - 1] + mark.column - 1

    def raw(self, node: Node) -> str:
        """Give a node as it is written."""
        return self.text[self.at(node.mark) : self.at(node.end)]

    def before(self, mark: Mark) -> str:
        """Give what stands before a place on its line."""
        return self.text[self._lines[mark.line - 1] : self.at(mark)]

    def is_flow(self, node: Node) -> bool:
        """Tell whether a list or map is written in brackets."""
        raw = self.raw(node)
        properties = _PROPERTIES.match(raw)
        return raw[properties.end() if properties else 0 :][:1] in {"[", "{"}

    def replace(self, start: Mark, end: Mark, text: str) -> None:
        """Put a text in the place of another."""
        self._edits.add(_Edit(self.at(start), self.at(end), text))

    def insert(self, at: int, text: str) -> None:
        """Put a text in."""
        self._edits.add(_Edit(at, at, text))

    def insert_line(self, after: Mark, text: str) -> None:
        """Put a line in below the one of a place."""
        end = self.text.find("\n", self.at(after))
        self.insert(end if end >= 0 else len(self.text), f"\n{text}")

    def remove(self, owner: Mapping, entry: Entry) -> bool:
        """Remove a key and its value; tell whether that can be done without harm.

        It cannot where the value is an alias or has an anchor, and where the layout is one that
        nobody writes: the first key of a block in a list, brackets over several lines.
        """
        start, end = self.at(entry.key.mark), self.at(entry.value.end)
        written = self.text[start:end]
        if not written or "&" in written:
            return False
        if not self.is_flow(owner):
            blank = not self.before(entry.key.mark).strip()
            if blank:
                self.remove_lines(entry.key.mark, entry.value.end)
            return blank
        if "\n" in written:
            return False
        before = re.search(r",[ \t]*$", self.text[:start])
        after = re.compile(r"[ \t]*,[ \t]*").match(self.text, end)
        if before:
            self._edits.add(_Edit(before.start(), end, ""))
        else:
            self._edits.add(_Edit(start, after.end() if after else end, ""))
        return True

    def remove_lines(self, start: Mark, end: Mark) -> None:
        """Remove whole lines; a comment on them stays, on a line of its own."""
        first = self._lines[start.line - 1]
        stop = self.at(end)
        while self.text[stop - 1] in " \n":
            stop -= 1
        last = self.text.find("\n", stop) + 1 or len(self.text)
        lines = self.text[first:last].split("\n")
        blanks = " " * (len(lines[0]) - len(lines[0].lstrip(" ")))
        comments = [found[0] for line in lines for found in _COMMENT.finditer(line)]
        self._edits.add(_Edit(first, last, "".join(f"{blanks}{text}\n" for text in comments)))

    def made(self) -> str:
        """Make the edits, from the end on, so that the places before them stay right."""
        text, until = self.text, len(self.text)
        for edit in sorted(self._edits, reverse=True):
            if edit.end <= until:
                text = text[: edit.start] + edit.text + text[edit.end :]
                until = edit.start
        return text

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]
