"""Drawing over what was drawn before: no flicker, also where the terminal changes its size."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from aima.dsl.render import escaped
from aima.gateway.cli.terminal import tint
from aima.gateway.cli.tree import MARGIN, SIGNS, Text
from aima.gateway.cli.wrapping import cells, cut

_COLUMNS, _LINES = 80, 24
"""What a terminal that does not tell its size is taken to have."""

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals that know these show what is between them at once; the others ignore them."""


@dataclass
class Screen:
    """The lower part of a terminal, from where the cursor is.

    Attributes:
        drawn: each line that stands there, and how many cells it takes.
    """

    drawn: list[tuple[str, int]] = field(default_factory=list)
    _columns: int = 0

    @property
    def height(self) -> int:
        """How many lines may be drawn so that none leaves the screen."""
        return _size()[1] - 1

    @property
    def columns(self) -> int:
        """How many cells a line may take."""
        return _size()[0]

    def draw(self, lines: Sequence[Text]) -> None:
        """Draw lines over those of the last time, in one write, from the first that differs."""
        columns = self.columns
        new = [_fitted(line, columns) for line in lines]
        same = _common(self.drawn, new) if columns == self._columns else 0
        if same == len(self.drawn) == len(new) > 0:
            return
        up = sum(_rows(width, columns) for _, width in self.drawn[same:])
        self.drawn, self._columns = new, columns
        back = f"\x1b[{up}A\r" if up else ""
        out = "".join(f"{text}\x1b[K\n" for text, _ in new[same:])
        click.echo(f"{_BEGIN}{back}{out}\x1b[J{_END}", err=True, nl=False, color=True)

    def leave(self) -> None:
        """Let what is drawn stand; the next time begins below it."""
        self.drawn = []


def _size() -> tuple[int, int]:
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        return _COLUMNS, _LINES
    return size.columns or _COLUMNS, size.lines or _LINES


def _common(before: Sequence[object], now: Sequence[object]) -> int:
    """Count the lines at the beginning that stay as they are."""
    pairs = enumerate(zip(before, now, strict=False))
    return next((at for at, (old, new) in pairs if old != new), min(len(before), len(now)))


def _rows(width: int, columns: int) -> int:
    """Tell how many rows a line takes, also after the terminal has become narrower."""
    return max(-(-width // columns), 1)


def _fitted(line: Text, columns: int) -> tuple[str, int]:
    """Give a line as it is drawn, cut to the terminal's width, and how wide it is."""
    sign, colour = SIGNS.get(line.sign, (" ", None))
    text = escaped(line.text)
    if not line.whole:
        text = cut(text, columns - MARGIN)
    drawn = f"  {tint(sign, colour)} {tint(text, None, bold=True) if line.whole else text}"
    return drawn, 4 + cells(text)
