"""``set: {name: value}``: compute values, without an activity.

It costs no activity, and its values keep their types. Values of one `set` do not read each other.

In a workflow::

    name: sum-up
    config: {prices: [3, 4, 5]}
    steps:
      - id: bill
        set:
          total: ${sum(config.prices)}
          text: "${size(config.prices)} things"
    output: ${steps.bill}

Tried with::

    expect: {output: {total: 12, text: 3 things}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import WRONG_TYPE, Step
from aima.dsl.json import Json
from aima.dsl.node import Mapping
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY
from aima.workflows.constructs import RunningBody
from aima.workflows.frame import Frame, Node


class Set(RunningBody):
    """Values by name; the step's output is the map of them."""

    keys = ("set",)

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        description = "Values by name, read as `${steps.ID.name}`."
        return {"set": {"type": "object", "description": description}}

    def check(self, step: Step, checker: Checker) -> None:
        """Tell what is wrong in its expressions."""
        said = step.get("set")
        if isinstance(said, Mapping):
            checker.value(said, ANY)
        else:
            where = said or step.node.mark
            checker.findings.error(WRONG_TYPE, where, "`set` is a map", "write {name: value}")

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give the types of the values, as far as they are known."""
        said = step.get("set")
        if not isinstance(said, Mapping):
            return ANY
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {k: checker.type_of(e.value) for k, e in said.entries.items()},
            "required": list(said.entries),
        }

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the values."""
        return {"set": compiler.value(step.node.entries["set"].value)}

    def accept(self, node: Node) -> None:
        """Refuse what is no map."""
        if not isinstance(node.data["set"], dict):
            raise TypeError("it sets no names")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Evaluate the values."""
        return node.value(frame, "set")


BODY = Set()
