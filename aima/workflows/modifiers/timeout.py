"""``timeout: 30s``: Bounds one attempt of the step."""

from __future__ import annotations

from aima.workflows.duration_modifier import DurationModifier


class Timeout(DurationModifier):
    """A bound on one attempt, or one pass of a block."""

    key = "timeout"
    meaning = "Bounds one attempt of the step."
    rank = 80
    told = "the attempt took longer than its `timeout`"


MODIFIER = Timeout()
