"""``deadline: 30s``: Bounds the step as a whole, its retries and its time in the queue included."""

from __future__ import annotations

from aima.workflows.duration_modifier import DurationModifier

MODIFIER = DurationModifier(
    "deadline", "Bounds the step as a whole, its retries and its time in the queue included."
)
