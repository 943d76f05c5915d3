"""What the operators do with values.

Source: https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from aima.dsl.expression.compare import contains, equal, less, ordered
from aima.dsl.expression.errors import Fault
from aima.dsl.expression.limits import Budget
from aima.dsl.expression.moments import duration, timestamp
from aima.dsl.expression.values import Duration, Timestamp, int64, is_number, phrase, spoken

Operator = Callable[[object, object, Budget], object]


def add(a: object, b: object, budget: Budget) -> object:
    """``a + b``: numbers, texts, lists, times."""
    if type(a) is int and type(b) is int:
        return int64(a + b)
    if type(a) is float and type(b) is float:
        return a + b
    if isinstance(a, str) and isinstance(b, str):
        budget.write(len(a) + len(b))
        return a + b
    if isinstance(a, list) and isinstance(b, list):
        budget.visit(len(a) + len(b))
        return a + b
    if isinstance(a, Timestamp | Duration) and isinstance(b, Timestamp | Duration):
        return _sum_of_times(a, b)
    raise _unfit("+", a, b)


def _sum_of_times(a: Timestamp | Duration, b: Timestamp | Duration) -> Timestamp | Duration:
    if isinstance(a, Timestamp) and isinstance(b, Timestamp):
        raise _unfit("+", a, b)
    make = duration if type(a) is type(b) else timestamp
    return make(a.nanoseconds + b.nanoseconds)


def subtract(a: object, b: object, _: Budget) -> object:
    """``a - b``: numbers, times."""
    if type(a) is int and type(b) is int:
        return int64(a - b)
    if type(a) is float and type(b) is float:
        return a - b
    if isinstance(a, Timestamp) and isinstance(b, Duration):
        return timestamp(a.nanoseconds - b.nanoseconds)
    if isinstance(a, Timestamp | Duration) and type(a) is type(b):
        return duration(a.nanoseconds - b.nanoseconds)
    raise _unfit("-", a, b)


def multiply(a: object, b: object, _: Budget) -> object:
    """``a * b``."""
    if type(a) is int and type(b) is int:
        return int64(a * b)
    if type(a) is float and type(b) is float:
        return a * b
    raise _unfit("*", a, b)


def divide(a: object, b: object, _: Budget) -> object:
    """``a / b``: of ints the part towards zero, of doubles by IEEE 754."""
    if type(a) is int and type(b) is int:
        if b == 0:
            raise Fault("an int is divided by zero")
        return int64(-(-a // b) if (a < 0) != (b < 0) else a // b)
    if type(a) is float and type(b) is float:
        if b != 0.0:
            return a / b
        if a == 0.0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    raise _unfit("/", a, b)


def remainder(a: object, b: object, budget: Budget) -> object:
    """``a % b`` of ints, with the sign of ``a``."""
    if type(a) is int and type(b) is int:
        if b == 0:
            raise Fault("the remainder of a division by zero is asked for")
        rest = abs(a) % abs(b)
        divide(a, b, budget)  # CEL has no -2⁶³ % -1, since it has no such quotient
        return -rest if a < 0 else rest
    raise _unfit("%", a, b)


def negate(a: object) -> object:
    """``-a``."""
    if type(a) is int:
        return int64(-a)
    if type(a) is float:
        return -a
    raise Fault(f"{phrase(a)} has no negative")


def within(a: object, b: object, budget: Budget) -> bool:
    """``a in b``: an item of a list, a key of a map."""
    if isinstance(b, list):
        return contains(b, a, budget)
    if isinstance(b, dict) and isinstance(a, str | int | float):
        return type(a) is str and a in b
    if isinstance(b, dict):
        raise Fault(f"a key of a map is text, not {phrase(a)}")
    raise Fault(f"`in` looks into a list or a map, not into {phrase(b)}", _searching(b))


def _searching(b: object) -> str | None:
    return "write `text.contains(part)`" if type(b) is str else None


def _unfit(operator: str, a: object, b: object) -> Fault:
    """Give the fault for two values that an operator cannot join."""
    hint = None
    if is_number(a) and is_number(b):
        hint = "convert the int with double(x)" if type(a) is not type(b) else "convert with int(x)"
    elif operator == "+" and str in (type(a), type(b)):
        hint = "convert with string(x), or write the text around `${…}`"
    return Fault(f"{spoken(a)} {operator} {spoken(b)} is not defined", hint)


def _larger(a: object, b: object, budget: Budget) -> bool:
    return less(b, a, budget)


def _at_most(a: object, b: object, budget: Budget) -> bool:
    x, y = ordered(a, b, budget)
    return bool(x <= y)  # type: ignore[operator]  # `ordered` gives a pair that has an order


def _at_least(a: object, b: object, budget: Budget) -> bool:
    return _at_most(b, a, budget)


def _unequal(a: object, b: object, budget: Budget) -> bool:
    return not equal(a, b, budget)


OPERATORS: dict[str, Operator] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "==": equal,
    "!=": _unequal,
    "<": less,
    ">": _larger,
    "<=": _at_most,
    ">=": _at_least,
    "in": within,
}
