"""``heartbeat: 30s``: an attempt that makes no progress for so long fails."""

from __future__ import annotations

from aima.workflows.duration_modifier import DurationModifier

MODIFIER = DurationModifier(
    "heartbeat",
    "Bounds the silence of a running unit: an attempt without progress for so long fails.",
)
