"""``timeout: 30s``: Bounds one attempt of the step."""

from __future__ import annotations

from aima.workflows.duration_modifier import DurationModifier

MODIFIER = DurationModifier("timeout", "Bounds one attempt of the step.")
