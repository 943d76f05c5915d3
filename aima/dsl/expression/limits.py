"""How much an expression may be, read and make.

Work is counted, never timed, so that the same expression on the same data succeeds or fails
everywhere alike.
"""

from __future__ import annotations

from collections.abc import Mapping

from aima.dsl.expression.errors import LimitFault

MAX_SOURCE = 20_000
"""Code points of one expression's text."""

MAX_NESTING = 50
"""Levels of brackets, calls and operators inside each other."""

MAX_DEPTH = 100
"""Levels of lists and maps inside each other that an expression compares, writes or parses."""

MAX_STEPS = 1_000_000
"""Operations and elements that one evaluation may visit: about half a second of work."""

MAX_CHARACTERS = 16_000_000
"""Code points of text that one evaluation may make, or that its result may hold."""

CHARACTERS_IN_A_STEP = 1024
"""Code points that are copied or compared in about the time of one step."""

STEPS_OF_AN_ERROR = 5
"""Steps that making an error takes, which an operator then absorbs."""


class Budget:
    """What is left of the steps and characters that one evaluation may use."""

    __slots__ = ("characters", "prepared", "steps")

    def __init__(self) -> None:
        """Start with the full allowance."""
        self.steps = MAX_STEPS
        self.characters = MAX_CHARACTERS
        self.prepared: set[str] = set()

    def visit(self, steps: int) -> None:
        """Account for ``steps`` operations or elements."""
        self.steps -= steps
        if self.steps < 0:
            raise LimitFault(
                f"an expression may take {MAX_STEPS} steps, and this one needs more",
                "work on fewer items, or do it in a unit",
            )

    def read(self, characters: int) -> None:
        """Account for going once through a text of that length."""
        self.visit(1 + characters // CHARACTERS_IN_A_STEP)

    def write(self, characters: int) -> None:
        """Account for making a text of that length; call it before making the text."""
        self.characters -= characters
        if self.characters < 0:
            raise LimitFault(
                f"an expression may make {MAX_CHARACTERS} characters of text, "
                "and this one would make more",
                "pass large texts by reference, or make them in a unit",
            )
        self.read(characters)

    def prepare(self, what: str, steps: int) -> None:
        """Account, once, for making something that is then used again and again."""
        if what not in self.prepared:
            self.visit(steps)
            self.prepared.add(what)


class Run(Budget):
    """One evaluation under way: its data, the values its macros have bound, its budget."""

    __slots__ = ("bound", "roots")

    def __init__(self, roots: Mapping[str, object], rooms: int) -> None:
        """Start over ``roots`` with room for that many macro variables."""
        super().__init__()
        self.roots = roots
        self.bound: list[object] = [None] * rooms
