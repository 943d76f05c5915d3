"""Cron lines: five fields as in POSIX crontab, with names, ranges, lists and steps."""

from __future__ import annotations

import re
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from aima.dsl.nearest import nearest

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_DAYS_OF = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_EXAMPLE = "write minute, hour, day, month and day of the week, such as 0 7 * * mon-fri"


class BadCron(Exception):
    """A text is no cron line, or no time zone."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Tell what is wrong and what to write."""
        super().__init__(message)
        self.hint = hint


def check_cron(text: str) -> None:
    """Check a cron line.

    Raises:
        BadCron: it is none; the message names the field.
    """
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise BadCron(f"a cron line has five fields, and this one {len(fields)}", _EXAMPLE)
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            _check_part(part, name, range(low, high + 1), words)
    if fields[4] == "*":  # else the day of the week will do
        _check_date(fields[2], fields[3])


def _check_date(day: str, month: str) -> None:
    """Tell a day that none of the months has, such as the 30th of February."""
    first = min(_values(day, 2))
    if all(_DAYS_OF[number - 1] < first for number in _values(month, 3)):
        raise BadCron("there is no such day in these months", "February ends with the 29th")


def _values(field: str, index: int) -> set[int]:
    """Give the values that a field names."""
    _, low, high, words = _FIELDS[index]
    found: set[int] = set()
    for part in field.split(","):
        first, last, step = cast("re.Match[str]", _PART.fullmatch(part)).groups()
        start = low if first is None else cast("int", _value(first, words, low))
        alone = first is not None and last is None and step is None
        end = start if alone else high if last is None else cast("int", _value(last, words, low))
        found.update(range(start, end + 1, int(step or 1)))
    return found


def check_timezone(text: str) -> None:
    """Check the name of a time zone of the IANA database.

    Raises:
        BadCron: there is none of this name.
    """
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(text, sorted(available_timezones()))
        hint = f"did you mean {near}?" if near else "write a name such as Europe/Berlin"
        raise BadCron(f"there is no time zone {text[:60]!r}", hint) from None


def _check_part(part: str, name: str, allowed: range, words: list[str]) -> None:
    found = _PART.fullmatch(part)
    if found is None:
        raise BadCron(f"{part[:60]!r} is no {name}", _EXAMPLE)
    first, last = (_value(text, words, allowed.start) for text in found.group(1, 2))
    for value, text in ((first, found[1]), (last, found[2])):
        if text is not None and value not in allowed:
            most = allowed.stop - 1
            raise BadCron(f"the {name} {text!r} is not from {allowed.start} to {most}")
    if first is not None and last is not None and last < first:
        raise BadCron(f"{part!r}: a range goes upwards")
    if found[3] is not None and int(found[3]) == 0:
        raise BadCron(f"{part!r}: a step is at least 1")


def _value(text: str | None, words: list[str], start: int) -> int | None:
    if text is None:
        return None
    if text.lower() in words:
        return words.index(text.lower()) + start
    return int(text) if text.isascii() and text.isdecimal() else -1
