"""``return: {…}``: end the run successfully with this output.

Steps that still run are cancelled; `finally` runs. It stands anywhere but in steps that clean up.

In a workflow::

    name: nothing-to-do
    config: {orders: []}
    steps:
      - id: early
        if: ${size(config.orders) == 0}
        return: {sent: 0}
      - {id: count, depends_on: [early], set: {n: "${size(config.orders)}"}}
    output: {sent: "${steps.count.n}"}

Tried with::

    expect: {output: {sent: 0}}
"""

from __future__ import annotations

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.diagnostic import define
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY
from aima.workflows.constructs import RunningBody
from aima.workflows.failure import Returned, StepFailed
from aima.workflows.frame import Frame, Node
from aima.workflows.size import refusal

IN_CLEANUP = define("return/in-cleanup", "A step that cleans up tries to end the run well.")


class Return(RunningBody):
    """The end of the run, wherever it stands; what else runs is cancelled."""

    keys = ("return",)
    ends = True

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {"return": {"description": "The output of the run."}}

    def check(self, step: Step, checker: Checker) -> None:
        """Tell what is wrong in the output, and a return from cleaning up."""
        checker.value(step.node.entries["return"].value, ANY)
        lists = [inner.nested.path[-1] for inner in checker.scopes.lists_around(step.id)]
        if "finally" in lists or lists[0] == "on_failure":
            message = "cleaning up does not decide how the run ends"
            checker.findings.error(IN_CLEANUP, step.node.entries["return"].key, message)

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give nothing: no step comes after it."""
        del step, checker
        return {"type": "object", "additionalProperties": False, "properties": {}}

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the output."""
        return {"return": compiler.value(step.node.entries["return"].value)}

    def accept(self, node: Node) -> None:
        """Take any output."""
        del node

    async def run(self, node: Node, frame: Frame) -> Json:
        """End the run."""
        output = node.value(frame, "return")
        if (error := refusal(output)) is not None:
            raise StepFailed(node.error(error.type or "TOO_LARGE", error.message)) from error
        raise Returned(output)


BODY = Return()
