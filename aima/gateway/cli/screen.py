"""Drawing over what was drawn before: no flicker, also where the terminal changes its size."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from aima.dsl.render import escaped
from aima.gateway.cli.terminal import tint
from aima.gateway.cli.tree import SIGNS, Text

_COLUMNS, _LINES = 80, 24
"""What a terminal that does not tell its size is taken to have."""

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals that know these show what is between them at once; the others ignore them."""


@dataclass
class Screen:
    """The lower part of a terminal, from where the cursor is.

    Attributes:
        drawn: how wide each line is that stands there.
    """

    drawn: list[int] = field(default_factory=list)

    @property
    def height(self) -> int:
        """How many lines may be drawn so that none leaves the screen."""
        return _size()[1] - 1

    def draw(self, lines: Sequence[Text]) -> None:
        """Draw lines over those of the last time, in one write."""
        columns, _ = _size()
        up = sum(_rows(width, columns) for width in self.drawn)
        self.drawn = []
        out = []
        for line in lines:
            text, width = _fitted(line, columns)
            self.drawn.append(width)
            out.append(f"{text}\x1b[K\n")
        back = f"\x1b[{up}A\r" if up else ""
        click.echo(f"{_BEGIN}{back}{''.join(out)}\x1b[J{_END}", err=True, nl=False, color=True)

    def leave(self) -> None:
        """Let what is drawn stand; the next time begins below it."""
        self.drawn = []


def _size() -> tuple[int, int]:
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        return _COLUMNS, _LINES
    return size.columns or _COLUMNS, size.lines or _LINES


def _rows(width: int, columns: int) -> int:
    """Tell how many rows a line takes, also after the terminal has become narrower."""
    return max(-(-width // columns), 1)


def _fitted(line: Text, columns: int) -> tuple[str, int]:
    """Give a line as it is drawn, cut to the terminal's width, and how wide it is."""
    sign, colour = SIGNS.get(line.sign, (" ", None))
    text = escaped(line.text)
    room = columns - 5  # two of margin, the sign and its space, and one that stays free
    if not line.whole:
        text = _cut(text, room)
    drawn = f"  {tint(sign, colour)} {tint(text, None, bold=True) if line.whole else text}"
    return drawn, 4 + _width(text)


def _cut(text: str, room: int) -> str:
    """Cut a text to so many cells of a terminal, with a mark where something is missing."""
    if _width(text) <= room:
        return text
    kept, used = [], 1
    for character in text:
        used += _width(character)
        if used > room:
            break
        kept.append(character)
    return "".join(kept) + "…"


def _width(text: str) -> int:
    """Count the cells that a text takes: wide characters take two, marks above others none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
