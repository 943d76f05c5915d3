"""How much one rendering of a template may do and make."""

from __future__ import annotations

import time

from aima.errors import TimedOut, TooLarge

MOST_CHARACTERS = 65_536
"""Of a template, a file's or a literal one."""

MOST_OUTPUT = 1_000_000
"""Bytes of a rendered text, in UTF-8."""

MOST_WORK = 10_000_000
"""Of one rendering: a character made or written counts 1, an item made 8, anything done 1."""

MOST_SECONDS = 4.0
ITEM = 8


class Meter:
    """Measures one rendering and ends it where it goes too far."""

    def __init__(self) -> None:
        self._work = MOST_WORK
        self._until = time.monotonic() + MOST_SECONDS

    def step(self, work: int = 1) -> None:
        """Count something that is done."""
        self._work -= work
        if self._work < 0:
            raise TooLarge("the template makes too much: fewer rounds, or smaller values, do")
        if time.monotonic() > self._until:
            raise TimedOut(f"the template takes longer than {MOST_SECONDS:g} s; make it simpler")

    def made(self, value: object) -> None:
        """Count a new value with all that is in it, however often the same is in it."""
        todo = [value]
        while todo:
            part = todo.pop()
            self.step(1 + (len(part) if isinstance(part, str) else 0))
            if isinstance(part, list | tuple | dict):
                self.step(ITEM * len(part))
                todo += part.values() if isinstance(part, dict) else part

    def may_make(self, characters: int) -> None:
        """Refuse a text before it takes memory."""
        self.step(max(characters, 0))


def check_length(text: str) -> None:
    """Refuse a template that is data."""
    if len(text) > MOST_CHARACTERS:
        raise TooLarge(
            f"a template of {len(text)} characters is too large, {MOST_CHARACTERS} are allowed; "
            "hand the data in as `values`"
        )
