"""Durations as authors write them: ``500ms``, ``30s``, ``1h30m``, ``2d``, or ISO 8601."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SHORT = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_ISO = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is none, or longer than ten years; the message says what to write.
    """
    seconds = _seconds(text)
    if seconds is None:
        raise ValueError(f"{text!r} is no duration; write 500ms, 30s, 1h30m, 2d or PT30S")
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{text!r} is longer than ten years")
    return timedelta(seconds=seconds)


def _seconds(text: str) -> float | None:
    if _SHORT.fullmatch(text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        return sum(float(number) * _UNITS[unit] for unit, number in iso.groupdict("0").items())
    return None
