"""What leaves an expression: plain data of a bounded size."""

from __future__ import annotations

import math
from typing import TypeGuard

from aima.dsl.expression.compare import too_deep
from aima.dsl.expression.errors import Fault
from aima.dsl.expression.limits import MAX_DEPTH, Budget
from aima.dsl.expression.moments import duration_text, timestamp_text
from aima.dsl.expression.values import Duration, Optional, Timestamp, TypeName, kind_of
from aima.dsl.json import Json


def plain(value: object, budget: Budget, depth: int = 0) -> Json:
    """Copy a value as plain data: times and types become text, an optional is refused."""
    if isinstance(value, list | dict):
        return _plain_container(value, budget, depth)
    if isinstance(value, str):
        budget.write(len(value))
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise Fault(f"the result is {value}, which is no number of JSON", "guard the division")
    if value is None or isinstance(value, bool | int | float):
        return value
    return _named(value)


def _plain_container(value: list[object] | dict[str, object], budget: Budget, depth: int) -> Json:
    if depth == MAX_DEPTH:
        raise too_deep()
    budget.visit(1 + len(value))
    if isinstance(value, dict):
        budget.write(sum(map(len, value)))
        return {key: plain(item, budget, depth + 1) for key, item in value.items()}
    if _is_vector(value):
        return list(value)
    return [plain(item, budget, depth + 1) for item in value]


def _is_vector(items: list[object]) -> TypeGuard[list[Json]]:
    """Tell whether all are finite doubles, or all ints: such lists are the long ones."""
    kinds = set(map(type, items))
    return kinds == {int} or (kinds == {float} and all(map(math.isfinite, items)))  # type: ignore[arg-type]  # all are floats


def _named(value: object) -> str:
    if isinstance(value, Timestamp):
        return timestamp_text(value)
    if isinstance(value, Duration):
        return duration_text(value)
    if isinstance(value, TypeName):
        return value.name
    if isinstance(value, Optional):
        raise Fault("the result is an optional", "end the expression with .orValue(x) or .value()")
    raise Fault(f"a {kind_of(value)} cannot be a result")
