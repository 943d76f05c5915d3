"""What the macros do: go through a list, or through the keys of a map, with a name bound.

Source: https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md#macros.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
    items, bound, slot = loop.items(run), run.bound, loop.slot
    run.visit(len(items) * loop.cost)
    result: list[object] = []
    for item in items:
        bound[slot] = item
        if loop.condition(run):
            result.append(item)
    return result


def _exists_one(loop: Loop, run: Run) -> bool:
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


MACRO_BODIES: dict[str, Callable[[Loop, Run], object]] = {
    "map": _map,
    "filter": _filter,
    "all": partial(_quantify, decisive=False),
    "exists": partial(_quantify, decisive=True),
    "exists_one": _exists_one,
}
