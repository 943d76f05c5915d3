"""Equality and order, as CEL defines them.

Values of different types are unequal, never an error; an int and a double are compared as
doubles. Source: https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md#equality.
"""

from __future__ import annotations

from aima.dsl.expression.errors import Fault, LimitFault
from aima.dsl.expression.limits import MAX_DEPTH, Budget
from aima.dsl.expression.values import (
    Duration,
    Optional,
    Timestamp,
    TypeName,
    is_number,
    phrase,
    spoken,
)

_ATOMS = frozenset({type(None), bool, int, float, Timestamp, Duration, TypeName})
_COMPARED_IN_A_STEP = 8192  # code points of two texts that differ only in the end
_ORDERED = frozenset({bool, int, float, Timestamp, Duration})


def equal(a: object, b: object, budget: Budget, depth: int = 0) -> bool:
    """Tell whether two values are the same."""
    if type(a) is not type(b):
        return is_number(a) and is_number(b) and real(a) == real(b)
    if type(a) in _ATOMS:
        return a == b
    if isinstance(a, str) and isinstance(b, str):
        budget.read(len(a) if len(a) == len(b) else 0)
        return a == b
    if depth == MAX_DEPTH:
        raise too_deep()
    if isinstance(a, Optional) and isinstance(b, Optional):
        return a.present == b.present and equal(a.value, b.value, budget, depth + 1)
    return _equal_containers(a, b, budget, depth)


def _equal_containers(a: object, b: object, budget: Budget, depth: int) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return False
        budget.visit(len(a))
        return all(equal(x, y, budget, depth + 1) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        budget.visit(len(a))
        if a.keys() != b.keys():
            return False
        return all(equal(x, b[key], budget, depth + 1) for key, x in a.items())
    raise Fault(f"{phrase(a)} cannot be compared")


def contains(items: list[object], value: object, budget: Budget) -> bool:
    """Tell whether an item of the list equals ``value``."""
    if type(value) is str:
        # Texts equal only texts, so Python's own search, twenty times as fast, says the same.
        budget.visit(1 + len(items) // 16 + len(items) * (len(value) // _COMPARED_IN_A_STEP))
        return value in items
    budget.visit(len(items))
    return any(equal(item, value, budget) for item in items)


def ordered(a: object, b: object, budget: Budget) -> tuple[object, object]:
    """Give two values in a form that Python orders as CEL does; refuse what has no order."""
    if type(a) is type(b) and type(a) in _ORDERED:
        return a, b
    if isinstance(a, str) and isinstance(b, str):
        budget.read(min(len(a), len(b)))
        return a, b
    if is_number(a) and is_number(b):
        return real(a), real(b)
    raise Fault(
        f"{spoken(a)} and {spoken(b)} have no order",
        "numbers, texts, booleans, timestamps and durations do, each among themselves",
    )


def less(a: object, b: object, budget: Budget) -> bool:
    """``a < b``."""
    x, y = ordered(a, b, budget)
    return bool(x < y)  # type: ignore[operator]  # `ordered` gives a pair that has an order


def real(value: float) -> float:
    """Give a number as a double."""
    try:
        return float(value)
    except OverflowError:
        raise Fault("the integer does not fit in 64 bits") from None


def too_deep() -> LimitFault:
    """Give the fault for data nested beyond what expressions work with."""
    return LimitFault(f"lists and maps are nested more than {MAX_DEPTH} levels deep here")
