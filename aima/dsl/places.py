"""Where expressions stand in the file: kept in the plan, so that a failing run can say it.

In a plan it is a list of ``[path, [[offset, line, column], …]]``: the keys that lead to a text,
and for each expression in it where it begins, in the text and in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aima.dsl.document import Text
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.language import Path


@dataclass(frozen=True)
class Place:
    """Where an expression stands: the way to it inside a step, and in the file if known."""

    path: Path
    line: int | None = None
    column: int | None = None

    def tell(self, error: ExpressionError) -> str:
        """Say what went wrong here, such as `input.text` at 12:20: there is no step."""
        first, *rest = self.path
        way = str(first) + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in rest)
        where = f" at {self.line}:{self.column}" if self.line else ""
        return f"`{way}`{where}: {error}"


def places_in(texts: Iterable[Text]) -> list[Json]:
    """Give the place of every expression in some texts."""
    places: list[Json] = []
    for text in texts:
        marks: list[Json] = []
        for expression in text.template.expressions:
            mark = text.scalar.locate(expression.tree.at)
            marks.append([expression.tree.at, mark.line, mark.column])
        places.append([list(text.path), marks])
    return places


def place_of(error: ExpressionError, places: Iterable[object], *way: str | int) -> Place:
    """Find where the expression stands that failed in the value at ``way``."""
    path = (*way, *error.path)
    for place in places:
        match place:
            case [list(found), list(marks)] if tuple(found) == path:
                for mark in reversed(marks):
                    match mark:
                        case [int(offset), int(line), int(column)] if offset <= error.offset:
                            return Place(path, line, column)
    return Place(path)
