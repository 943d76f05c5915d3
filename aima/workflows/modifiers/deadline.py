"""``deadline: 30s``: Bounds the step as a whole, its retries and its time in the queue included.

Every attempt, every pause between them and all items of a loop count. When it is over the step
fails with `TIMEOUT`, which is not tried again.

In a workflow::

    name: not-later
    steps:
      - id: patient
        deadline: 1h
        wait: 2d

Tried with::

    expect: {state: failed, error: {code: TIMEOUT, step: patient}}
"""

from __future__ import annotations

from aima.workflows.duration_modifier import DurationModifier
from aima.workflows.frame import Node


class Deadline(DurationModifier):
    """A bound on everything a step does, all items of a loop included."""

    key = "deadline"
    meaning = "Bounds the step as a whole, its retries and its time in the queue included."
    per_item = False
    rank = 20
    told = "the step took longer than its `deadline`"

    def applies(self, node: Node) -> bool:
        """Stand around all but a single call of a unit, which Temporal bounds itself."""
        return self.key in node.data and (super().applies(node) or "for_each" in node.data)


MODIFIER = Deadline()
