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
from aima.dsl.expression.limits import Run
from aima.dsl.expression.values import phrase

Evaluate: TypeAlias = Callable[[Run], object]


@dataclass(frozen=True)
class Loop:
    """A macro with its parts compiled.

    ``slot`` is where a run keeps the bound value, ``cost`` the steps of one round, ``at`` and
    ``end`` the place of the body.
    """

    kind: str
    over: Evaluate
    slot: int
    keep: Evaluate | None
    body: Evaluate
    cost: int
    at: int
    end: int

    def items(self, run: Run) -> list[object]:
        """Give what the macro goes through."""
        value = self.over(run)
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            run.visit(len(value))
            return list(value)
        raise Fault(f"{self.kind}() goes through a list or the keys of a map, not {phrase(value)}")

    def test(self, condition: Evaluate, run: Run) -> bool:
        """Evaluate a condition for the item that is bound now."""
        value = condition(run)
        if value is True or value is False:
            return value
        raise self.no_boolean(value)

    def no_boolean(self, value: object) -> ExpressionEvaluationError:
        """Give the error for a condition that is neither true nor false."""
        fault = Fault(
            f"the condition of {self.kind}() must be a boolean, not {phrase(value)}",
            "compare, as in `x > 0`",
        )
        return fault.located(self.at, self.end)


def _map(loop: Loop) -> Evaluate:
    body, keep, slot = loop.body, loop.keep, loop.slot

    def map_all(run: Run) -> list[object]:
        items, bound = loop.items(run), run.bound
        run.visit(len(items) * loop.cost)
        result: list[object] = []
        for item in items:
            bound[slot] = item
            if keep is None or loop.test(keep, run):
                result.append(body(run))
        return result

    return map_all


def _filter(loop: Loop) -> Evaluate:
    def filter_all(run: Run) -> list[object]:
        items, bound, slot = loop.items(run), run.bound, loop.slot
        run.visit(len(items) * loop.cost)
        result: list[object] = []
        for item in items:
            bound[slot] = item
            if loop.test(loop.body, run):
                result.append(item)
        return result

    return filter_all


def _exists_one(loop: Loop) -> Evaluate:
    chosen = _filter(loop)

    def exists_one(run: Run) -> bool:
        found = chosen(run)
        return isinstance(found, list) and len(found) == 1

    return exists_one


def _quantified(*, decisive: bool) -> Callable[[Loop], Evaluate]:
    """Make ``exists`` (true decides) or ``all`` (false decides); a decision absorbs errors."""

    def build(loop: Loop) -> Evaluate:
        def quantify(run: Run) -> bool:
            failure: ExpressionEvaluationError | None = None
            bound, slot = run.bound, loop.slot
            for item in loop.items(run):
                run.visit(loop.cost)
                bound[slot] = item
                try:
                    value = loop.test(loop.body, run)
                except ExpressionLimitExceeded:
                    raise
                except ExpressionEvaluationError as error:
                    failure = failure or error
                else:
                    if value is decisive:
                        return decisive
            if failure is not None:
                raise failure
            return not decisive

        return quantify

    return build


MACRO_BODIES: dict[str, Callable[[Loop], Evaluate]] = {
    "map": _map,
    "filter": _filter,
    "all": _quantified(decisive=False),
    "exists": _quantified(decisive=True),
    "exists_one": _exists_one,
}
