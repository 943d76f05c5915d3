"""``heartbeat: 30s``: an attempt that makes no progress for so long fails.

Units tell their progress; one that tells none for so long has hung, and is tried again as `retry`
says. It must be shorter than the `timeout`.

In a workflow::

    name: watchful
    steps:
      - id: answer
        type: template.render
        timeout: 1m
        heartbeat: 20s
        input: {text: Here I am.}
    output: {text: "${steps.answer.text}"}

Tried with::

    stand_ins: {answer: {output: {text: Here I am.}}}
    expect: {output: {text: Here I am.}}
"""

from __future__ import annotations

from contextlib import suppress

from aima.dsl.check import Checker
from aima.dsl.diagnostic import define
from aima.dsl.document import Step
from aima.dsl.duration import parse_bound
from aima.dsl.node import Node
from aima.workflows.bodies.unit import signature_of
from aima.workflows.duration_modifier import DurationModifier, literal_text
from aima.workflows.modifiers.cache import only_units

TOO_LONG = define("heartbeat/too-long", "A heartbeat is not shorter than the step's timeout.")


class Heartbeat(DurationModifier):
    """A bound on silence; one as long as the timeout would bound nothing."""

    key = "heartbeat"
    meaning = "Bounds the silence of a running unit: an attempt without progress for so long fails."
    rank = 90
    told = "the unit made no progress"

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Tell a text that is no duration, and one that the timeout makes meaningless."""
        super().check(value, step, checker)
        if self.key in step.node.entries:
            only_units(self.key, step, checker)
        unit = signature_of(step, checker.signatures)
        said = step.get("timeout") or checker.document.default("timeout")
        timeout = unit.timeout if unit is not None and said is None else None
        text = literal_text(value)
        with suppress(ValueError):  # a duration that is none is told where it stands
            if (bound := literal_text(said)) is not None:
                timeout = parse_bound(bound)
            if timeout is not None and text is not None and parse_bound(text) >= timeout:
                message = f"the timeout of {timeout.total_seconds():g} s ends each attempt before"
                hint = "shorten the heartbeat or lengthen the `timeout`"
                checker.findings.error(TOO_LONG, value, message, hint)


MODIFIER = Heartbeat()
