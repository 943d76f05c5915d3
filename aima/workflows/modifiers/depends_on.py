"""``depends_on: [ids]``: wait for steps whose data this one does not read.

A step waits for every step it reads by itself; this adds the others. A step that was skipped
counts as done.

In a workflow::

    name: in-order
    steps:
      - {id: second, depends_on: [first], emit: {type: step.second}}
      - {id: first, emit: {type: step.first}}
    output: {}

Tried with::

    expect: {emitted: [step.first, step.second], output: {}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import WRONG_TYPE, Step
from aima.dsl.hints import suggestion
from aima.dsl.json import Json
from aima.dsl.language import Modifier
from aima.dsl.node import Node, Scalar, Sequence
from aima.dsl.signature import JsonSchema

UNKNOWN = define("order/unknown-step", "`depends_on` names a step that does not exist.")

CANNOT = define("order/cannot-wait", "`depends_on` names a step that can never end before.")


class DependsOn(Modifier):
    """Edges that no data carry; the compiler reads them when it orders the steps."""

    key = "depends_on"
    per_item = False

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {"type": "array", "items": {"type": "string"}}

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Tell ids that no step has."""
        if not isinstance(value, Sequence):
            message = "`depends_on` is a list of step ids"
            checker.findings.error(WRONG_TYPE, value, message, f"write [{step.id}]")
            return
        ids = [step.id for step in checker.document.all_steps]
        for item in value.items:
            name = item.value if isinstance(item, Scalar) else None
            if name not in ids:
                hint = suggestion(str(name), ids, "there is")
                checker.findings.error(UNKNOWN, item, f"there is no step `{name}`", hint)
            elif checker.scopes.meeting(step.id, str(name)) is None:
                message = f"`{name}` cannot be waited for here: it is this step, around it, "
                message += "inside it, or in another branch"
                checker.findings.error(CANNOT, item, message)

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give nothing of its own: the order is computed for all steps together."""
        del value, step, compiler
        return {}


MODIFIER = DependsOn()
