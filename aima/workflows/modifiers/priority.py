"""``priority: 1..5``: which steps a busy queue hands out first; 1 is the most urgent.

It matters only where a queue has more tasks than its workers can take.

In a workflow::

    name: urgent
    steps:
      - id: answer
        type: template.render
        priority: 1
        input: {text: now}
    output: {text: "${steps.answer.text}"}

Tried with::

    stand_ins: {answer: {output: {text: now}}}
    expect: {output: {text: now}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Node as Written
from aima.dsl.signature import JsonSchema
from aima.workflows.modifiers.cache import only_units

_PRIORITY: JsonSchema = {"type": "integer", "minimum": 1, "maximum": 5}


class Priority(Modifier):
    """Temporal's priority of a task; 3 unless given."""

    key = "priority"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _PRIORITY

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell what is no priority."""
        if self.key in step.node.entries:
            only_units(self.key, step, checker)
        checker.value(value, _PRIORITY)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the number."""
        del step
        return {"priority": compiler.value(value)}


MODIFIER = Priority()
