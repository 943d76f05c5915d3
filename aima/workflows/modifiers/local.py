"""``local: false``: never run the unit beside the workflow, always as a task of its own.

The compiler runs units that change nothing and take at most 5 s beside the workflow, without a
task of their own, which is faster; `aima plan` tells which, and why the others are not. That holds
for the first attempt: what fails or takes too long there is tried again as a task. `false` forbids
it, `true` insists: then the check tells why it cannot be.

In a workflow::

    name: elsewhere
    steps:
      - id: answer
        type: template.render
        local: false
        input: {text: hi}
    output: {text: "${steps.answer.text}"}

Tried with::

    stand_ins: {answer: {output: {text: hi}}}
    expect: {output: {text: hi}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Node as Written
from aima.dsl.node import to_json
from aima.dsl.signature import JsonSchema
from aima.workflows.bodies.unit import reason_for_a_task, signature_of
from aima.workflows.modifiers.cache import only_units

CANNOT = define("local/cannot", "A unit cannot run beside the workflow.")

_BOOLEAN: JsonSchema = {"type": "boolean"}


class Local(Modifier):
    """The compiler decides by itself; this forbids it, or insists."""

    key = "local"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _BOOLEAN

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell an author who insists on what cannot be."""
        only_units(self.key, step, checker)
        checker.literal(value, _BOOLEAN)
        signature = signature_of(step, checker.signatures)
        if signature is not None and to_json(value) is True:
            reason = reason_for_a_task(step, signature, checker.document)
            if reason is not None:
                checker.findings.error(CANNOT, value, f"this unit needs a task: {reason}")

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give nothing: the body decides."""
        del value, step, compiler
        return {}


MODIFIER = Local()
