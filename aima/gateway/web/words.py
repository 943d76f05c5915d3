"""Times, sizes and values as people read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from aima.gateway.workflows.pipelines import SINGLE
from aima.temporal.runs import Run

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STEPS = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
_KILO = 1000


def age(moment: datetime, now: datetime | None = None) -> str:
    """Say how long ago it was."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    size, unit = next(((s, u) for s, u in _STEPS if seconds >= s), (1, ""))
    return f"{seconds // size:.0f} {unit} ago" if unit else "just now"


def seconds_since(moment: datetime) -> int:
    """Count the seconds since then; the page's script counts on from there."""
    return round((datetime.now(UTC) - moment).total_seconds())


def unit_of(run: Run) -> str:
    """Name the unit that a run is of; empty where it is of a workflow."""
    alone = (label.removeprefix("unit=") for label in run.labels if label.startswith("unit="))
    return next(alone, "") if run.workflow == SINGLE else ""


def lasted(seconds: float | None) -> str:
    """Say how long it took; nothing where nobody knows."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - digits
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def size(count: float) -> str:
    """Say how many bytes."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < _KILO:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"  # noqa: PLR2004 - digits
        count /= _KILO
    return f"{count:.1f} TB"


def pretty(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Write a value as JSON over several lines; a text stays as it is."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2)


def state_word(state: str) -> str:
    """Say a state as people do."""
    return {"timed_out": "timed out", "canceled": "cancelled"}.get(state, state)


WORDS: Mapping[str, Callable[..., str | int]] = {
    "age": age,
    "seconds_since": seconds_since,
    "unit_of": unit_of,
    "lasted": lasted,
    "size": size,
    "pretty": pretty,
    "state_word": state_word,
}
"""The filters of the templates."""
