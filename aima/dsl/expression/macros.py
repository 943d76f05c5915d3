"""What the macros do: go through a list, or through the keys of a map, with a name bound.

Source: https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md#macros.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from aima.dsl.expression.errors import (
    ExpressionEvaluationError,
    ExpressionLimitExceeded,
    Fault,
)
from aima.dsl.expression.limits import STEPS_OF_AN_ERROR, Run
from aima.dsl.expression.values import phrase

Evaluate: TypeAlias = Callable[[Run], object]
Condition: TypeAlias = Callable[[Run], bool]


@dataclass(frozen=True)
class Loop:
    """A macro with its parts compiled.

    ``slot`` is where a run keeps the bound value, ``cost`` the steps of one round. A macro has a
    ``body``, a ``condition``, or, as ``map`` with three arguments, both.
    """

    kind: str
    over: Evaluate
    slot: int
    cost: int
    condition: Condition
    body: Evaluate

    def items(self, run: Run) -> list[object]:
        """Give what the macro goes through."""
        value = self.over(run)
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            run.visit(len(value))
            return list(value)
        raise Fault(f"{self.kind}() goes through a list or the keys of a map, not {phrase(value)}")


def _map(loop: Loop, run: Run) -> list[object]:
    """``list.map(x, value)`` or ``list.map(x, condition, value)``: a value for each item.

    >>> [1, 2, 3].map(x, x * 10)
    >>> [1, 2, 3].map(x, x > 1, x * 10)
    """
    items, bound, slot = loop.items(run), run.bound, loop.slot
    condition, body = loop.condition, loop.body
    run.visit(len(items) * loop.cost)
    result: list[object] = []
    for item in items:
        bound[slot] = item
        if condition(run):
            result.append(body(run))
    return result


def _filter(loop: Loop, run: Run) -> list[object]:
    """``list.filter(x, condition)``: the items for which it is true.

    >>> [1, 2, 3].filter(x, x > 1)
    """
    items, bound, slot = loop.items(run), run.bound, loop.slot
    run.visit(len(items) * loop.cost)
    result: list[object] = []
    for item in items:
        bound[slot] = item
        if loop.condition(run):
            result.append(item)
    return result


def _exists_one(loop: Loop, run: Run) -> bool:
    """``list.exists_one(x, condition)``: whether it is true for exactly one item.

    >>> [1, 2, 3].exists_one(x, x > 2)
    """
    return len(_filter(loop, run)) == 1


def _quantify(loop: Loop, run: Run, *, decisive: bool) -> bool:
    """Go on until a condition is ``decisive``, which absorbs the errors of the others."""
    failure: ExpressionEvaluationError | None = None
    for item in loop.items(run):
        run.visit(loop.cost)
        run.bound[loop.slot] = item
        try:
            if loop.condition(run) is decisive:
                return decisive
        except ExpressionLimitExceeded:
            raise
        except ExpressionEvaluationError as error:
            run.visit(STEPS_OF_AN_ERROR)
            failure = failure or error
    if failure is not None:
        raise failure
    return not decisive


def _all(loop: Loop, run: Run) -> bool:
    """``list.all(x, condition)``: whether it is true for every item; of none, it is.

    >>> [1, 2, 3].all(x, x > 0)
    """
    return _quantify(loop, run, decisive=False)


def _exists(loop: Loop, run: Run) -> bool:
    """``list.exists(x, condition)``: whether it is true for any item.

    >>> [1, 2, 3].exists(x, x > 2)
    """
    return _quantify(loop, run, decisive=True)


MACRO_BODIES: dict[str, Callable[[Loop, Run], object]] = {
    "map": _map,
    "filter": _filter,
    "all": _all,
    "exists": _exists,
    "exists_one": _exists_one,
}
