"""``queue: "device-${x}"``: run the step on that task queue, which is that machine.

A worker on a device serves that device's queue; nothing else carries work to devices. Without a
worker there, the step waits until its `deadline`.

In a workflow::

    name: on-that-machine
    config: {device: gpu-1}
    steps:
      - id: answer
        type: template.render
        queue: "device-${config.device}"
        deadline: 10m
        input: {text: here}
    output: {text: "${steps.answer.text}"}
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

_NAME: JsonSchema = {"type": "string", "minLength": 1, "maxLength": 200}


class Queue(Modifier):
    """The task queue of the worker that shall do it."""

    key = "queue"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _NAME

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell what is no name of a queue."""
        if self.key in step.node.entries:
            only_units(self.key, step, checker)
        checker.value(value, _NAME)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the name."""
        del step
        return {"queue": compiler.value(value)}


MODIFIER = Queue()
