"""``if: "${…}"``: run the step only where this is true.

It is exactly one `${…}`, or true or false: nothing is true by being there. A step whose condition
is false is skipped: it counts as done for those that wait for it, and has no output, so those
that read it ask `has` first.

In a workflow::

    name: perhaps
    config: {polite: false}
    steps:
      - {id: greeting, if: "${config.polite}", set: {text: "Dear Sir, "}}
      - id: letter
        set: {text: "${steps.?greeting.?text.orValue('')}we are closed."}
    output: {text: "${steps.letter.text}"}

Tried with::

    expect: {output: {text: we are closed.}}
"""

from __future__ import annotations

from aima.dsl.check import NEVER, Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.node import Node as Written
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningModifier
from aima.workflows.frame import Call, Frame, Node
from aima.workflows.schedule import SKIPPED
from aima.workflows.shapes import condition


class If(RunningModifier):
    """A step whose condition is false is skipped: it is done, and has no output."""

    key = "if"
    per_item = False
    rank = 0

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return condition("Run the step only where this is true.")

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell what is no condition, and one that never holds."""
        del step
        checker.condition(value)
        if checker.decided(value) is False:
            checker.findings.warning(NEVER, value, "this step never runs", "remove it")

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the condition."""
        del step
        return {"if": compiler.value(value)}

    async def around(self, node: Node, frame: Frame, proceed: Call) -> Json:
        """Decide once; a continued run does not decide again."""
        place = frame.place_of(node)
        if "if" not in place:
            place["if"] = node.decides(frame, "if")
        return await proceed(frame) if place["if"] else SKIPPED


MODIFIER = If()
