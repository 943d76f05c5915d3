"""Timestamps and durations: reading, writing, and their parts.

Text is RFC 3339 and Go's ``1h30m``; written as in the JSON of protobuf, with 0, 3, 6 or 9
digits of a second. A duration fits in 64 bits of nanoseconds (292 years). Time zones are
offsets: names of places would need a database that differs from machine to machine.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from aima.dsl.expression.errors import Fault
from aima.dsl.expression.literals import INT_MAX, INT_MIN
from aima.dsl.expression.values import Duration, Timestamp

SECOND = 1_000_000_000

_MILLISECOND = 1_000_000
_DAY = 86_400
_CYCLE = 146_097  # days after which the Gregorian calendar repeats: 400 years
_FIRST = -62_135_596_800  # 0001-01-01T00:00:00Z
_LAST = 253_402_300_799  # 9999-12-31T23:59:59Z
_EPOCH = date(1970, 1, 1).toordinal() - 1

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_PART = r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|ms|s|m|h)"
_DURATION = re.compile(rf"([+-]?)(0|(?:{_PART})+)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "ms": _MILLISECOND,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_LONGEST = 100  # characters of a timestamp or duration; the digits that matter need fewer
_ZONE = re.compile(r"([+-]?)([0-9]{1,2}):([0-5][0-9])")


def timestamp(nanoseconds: int) -> Timestamp:
    """Make a timestamp of the years 1 to 9999."""
    if _FIRST <= nanoseconds // SECOND <= _LAST:
        return Timestamp(nanoseconds)
    raise Fault("a timestamp lies between the years 1 and 9999")


def duration(nanoseconds: int) -> Duration:
    """Make a duration of at most 292 years."""
    if INT_MIN <= nanoseconds <= INT_MAX:
        return Duration(nanoseconds)
    raise Fault("a duration is at most 292 years")


def timestamp_of(text: str) -> Timestamp:
    """Read RFC 3339: ``2026-01-31T12:00:00.5+01:00``."""
    match = _TIMESTAMP.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise _no_timestamp(text)
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:00").replace(tzinfo=UTC)
    except ValueError:
        raise _no_timestamp(text) from None
    offset = int(hours or 0) * 3600 + int(minutes or 0) * 60
    if int(second) > 60 or int(hours or 0) > 23 or int(minutes or 0) > 59:  # noqa: PLR2004 - a leap second has number 60
        raise _no_timestamp(text)
    seconds = int(moment.timestamp()) + int(second) - (-offset if sign == "-" else offset)
    return timestamp(seconds * SECOND + int((fraction or "")[:9].ljust(9, "0")))


def duration_of(text: str) -> Duration:
    """Read Go's notation: ``1h30m``, ``2.5s``, ``-250ms``."""
    match = _DURATION.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise Fault(
            f"{text[:_LONGEST]!r} is no duration", "write hours and smaller units, as in '1h30m'"
        )
    size = sum(_nanoseconds(*part) for part in re.findall(_PART, text))
    return duration(-size if match[1] == "-" else size)


def _nanoseconds(number: str, unit: str) -> int:
    whole, _, fraction = number.partition(".")
    scale: int = 10 ** len(fraction)
    return int(whole + fraction) * _NANOSECONDS[unit] // scale


def timestamp_text(value: Timestamp) -> str:
    """Write a timestamp: ``2026-01-31T11:00:00.500Z``."""
    seconds, rest = divmod(value.nanoseconds, SECOND)
    days, second = divmod(seconds, _DAY)
    day = date.fromordinal(_EPOCH + 1 + days)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{day.isoformat()}T{clock}{_fraction(rest)}Z"


def duration_text(value: Duration) -> str:
    """Write a duration in seconds: ``5400s``, ``-0.500s``."""
    seconds, rest = divmod(abs(value.nanoseconds), SECOND)
    return f"{'-' if value.nanoseconds < 0 else ''}{seconds}{_fraction(rest)}s"


def _fraction(nanoseconds: int) -> str:
    """Write a part of a second with 0, 3, 6 or 9 digits."""
    digits = f"{nanoseconds:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}" if digits else ""


def timestamp_part(name: str, value: Timestamp, zone: str) -> int:
    """Give what a ``get…`` method of a timestamp gives, seen from a time zone."""
    seconds, rest = divmod(value.nanoseconds, SECOND)
    days, second = divmod(seconds + _offset(zone), _DAY)
    cycle, day = divmod(_EPOCH + days, _CYCLE)
    here = date.fromordinal(day + 1)
    parts = {
        "getFullYear": here.year + 400 * cycle,
        "getMonth": here.month - 1,
        "getDate": here.day,
        "getDayOfMonth": here.day - 1,
        "getDayOfWeek": here.isoweekday() % 7,
        "getDayOfYear": here.timetuple().tm_yday - 1,
        "getHours": second // 3600,
        "getMinutes": second // 60 % 60,
        "getSeconds": second % 60,
        "getMilliseconds": rest // _MILLISECOND,
    }
    return parts[name]


def duration_part(name: str, value: Duration) -> int:
    """Give what a ``get…`` method of a duration gives: all of it in hours, minutes, seconds.

    ``getMilliseconds`` gives what is left below a second. All are cut off towards zero.
    """
    size = abs(value.nanoseconds)
    parts = {
        "getHours": size // (3600 * SECOND),
        "getMinutes": size // (60 * SECOND),
        "getSeconds": size // SECOND,
        "getMilliseconds": size % SECOND // _MILLISECOND,
    }
    if name not in parts:
        raise Fault(f"a duration has no {name}()", f"it has {', '.join(parts)}")
    return -parts[name] if value.nanoseconds < 0 else parts[name]


def _offset(zone: str) -> int:
    """Read a time zone as seconds east of Greenwich."""
    if zone in ("", "UTC"):
        return 0
    match = _ZONE.fullmatch(zone)
    if match is None:
        raise Fault(f"{zone[:_LONGEST]!r} is no time zone", "write the offset, as in '+08:00'")
    offset = int(match[2]) * 3600 + int(match[3]) * 60
    return -offset if match[1] == "-" else offset


def _no_timestamp(text: str) -> Fault:
    return Fault(
        f"{text[:_LONGEST]!r} is no timestamp", "write date, time and zone: '2026-01-31T12:00:00Z'"
    )
