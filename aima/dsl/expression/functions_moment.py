"""The ``get…`` methods of timestamps and durations."""

from __future__ import annotations

from collections.abc import Callable

from aima.dsl.expression.errors import Fault
from aima.dsl.expression.functions_text import text_in
from aima.dsl.expression.limits import Budget
from aima.dsl.expression.moments import duration_part, timestamp_part
from aima.dsl.expression.values import Duration, Timestamp, phrase

PARTS = (
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
)

_STEPS = 5  # the calendar takes about as long as so many additions


def part(name: str) -> Callable[..., int]:
    """Make the method ``value.name()`` or, of a timestamp, ``value.name('+08:00')``."""

    def body(budget: Budget, value: object, *zone: object) -> int:
        budget.visit(_STEPS)
        if isinstance(value, Timestamp):
            return timestamp_part(name, value, text_in(name, zone[0]) if zone else "UTC")
        if isinstance(value, Duration) and not zone:
            return duration_part(name, value)
        raise Fault(
            f"{name}() works on a timestamp, not on {phrase(value)}", "timestamp(x) makes one"
        )

    return body
