"""Durations as authors write them: ``500ms``, ``30s``, ``1h30m``, ``2d``, or ISO 8601."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from functools import lru_cache

from aima.dsl.json import Json

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SHORT = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_ISO = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_LONGEST_SECONDS = timedelta(days=3650).total_seconds()
_MOST_CHARACTERS = 60


def parse_duration(value: Json) -> timedelta:
    """Read a duration: a text, or a number of seconds as a plan and an expression may have it.

    Raises:
        ValueError: it is none, or longer than ten years; the message says what to write.
    """
    seconds = _seconds(value) if isinstance(value, str) else _number(value)
    if seconds is None:
        raise ValueError(f"{_said(value)} is no duration; write 500ms, 30s, 1h30m, 2d or PT30S")
    if seconds > _LONGEST_SECONDS:
        raise ValueError(f"{_said(value)} is longer than ten years")
    return timedelta(seconds=seconds)


def parse_bound(value: Json) -> timedelta:
    """Read a duration that bounds something, so that it cannot be zero.

    Raises:
        ValueError: as in :func:`parse_duration`, or it is zero.
    """
    bound = parse_duration(value)
    if not bound:
        raise ValueError("a bound of no time at all lets nothing run")
    return bound


def _said(value: Json) -> str:
    return repr(str(value)[:_MOST_CHARACTERS])


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if value >= 0 and math.isfinite(value) else None


@lru_cache(maxsize=1024)  # a loop reads the same few texts for each item
def _seconds(text: str) -> float | None:
    if _SHORT.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        return sum(float(number) * _UNITS[unit] for unit, number in iso.groupdict("0").items())
    return None
