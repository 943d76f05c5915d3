"""``timeout: 30s``: Bounds one attempt of the step.

An attempt that takes longer fails with `TIMEOUT`, and is tried again as `retry` says. For a block
it bounds one pass. `deadline` bounds all attempts together.

In a workflow::

    name: in-time
    steps:
      - id: round
        timeout: 1m
        steps: [{id: pause, wait: 5m}]
        catch: [{codes: [TIMEOUT], steps: [{id: late, set: {text: too slow}}]}]
    output: {text: "${has(steps.late.text) ? steps.late.text : 'in time'}"}

Tried with::

    expect: {output: {text: too slow}}
"""

from __future__ import annotations

from aima.workflows.duration_modifier import DurationModifier


class Timeout(DurationModifier):
    """A bound on one attempt, or one pass of a block."""

    key = "timeout"
    meaning = "Bounds one attempt of the step."
    rank = 80
    told = "the attempt took longer than its `timeout`"


MODIFIER = Timeout()
