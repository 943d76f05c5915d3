"""``labels: {key: value}``: words that stand beside the step in the log of its run.

They are text, computed or not, and change nothing else.

In a workflow::

    name: labelled
    steps:
      - id: answer
        type: template.render
        labels: {tenant: acme}
        input: {text: hi}
    output: {text: "${steps.answer.text}"}

Tried with::

    stand_ins: {answer: {output: {text: hi}}}
    expect: {output: {text: hi}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Node as Written
from aima.dsl.signature import JsonSchema
from aima.dsl.types import TEXT
from aima.workflows.modifiers.cache import only_units

_LABELS: JsonSchema = {"type": "object", "additionalProperties": TEXT}


class Labels(Modifier):
    """Texts by name."""

    key = "labels"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _LABELS

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell what is no text."""
        only_units(self.key, step, checker)
        checker.value(value, _LABELS)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the texts."""
        del step
        return {"labels": compiler.value(value)}


MODIFIER = Labels()
