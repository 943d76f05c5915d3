"""The ``get…`` methods of timestamps and durations."""

from __future__ import annotations

from collections.abc import Callable

from aima.dsl.expression.errors import Fault
from aima.dsl.expression.functions_text import text_in
from aima.dsl.expression.limits import Budget
from aima.dsl.expression.moments import duration_part, timestamp_part
from aima.dsl.expression.values import Duration, Timestamp, phrase

PARTS = {
    "getFullYear": "the year",
    "getMonth": "the month, from 0",
    "getDate": "the day of the month, from 1",
    "getDayOfMonth": "the day of the month, from 0",
    "getDayOfWeek": "the day of the week, from 0, which is Sunday",
    "getDayOfYear": "the day of the year, from 0",
    "getHours": "the hour; of a duration, all its hours",
    "getMinutes": "the minute; of a duration, all its minutes",
    "getSeconds": "the second; of a duration, all its seconds",
    "getMilliseconds": "the thousandths of a second",
}
"""What each method gives."""

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

    body.__doc__ = (
        f"``time.{name}()`` or ``time.{name}(zone)``: {PARTS[name]}.\n\n"
        f'>>> timestamp("2026-05-01T12:30:15Z").{name}()\n'
        f'>>> timestamp("2026-05-01T23:30:15Z").{name}("+08:00")'
    )
    return body
