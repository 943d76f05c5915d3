"""``on_failure: abort | continue | retry``: what a step's failure does to the run.

With `abort` the run fails, after undoing. With `continue` the error becomes the step's output,
`{error: {code, message, step, …}}`, and the run goes on. `retry` is a word of older files: the
unit's own attempts, then abort, which is what happens anyway.

In a workflow::

    name: go-on
    steps:
      - {id: risky, on_failure: continue, raise: {code: NO_LUCK, message: bad day}}
      - {id: told, set: {text: "It was ${steps.risky.error.code}."}}
    output: {text: "${steps.told.text}"}

Tried with::

    expect: {output: {text: It was NO_LUCK.}}
"""

from __future__ import annotations

from typing import cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.node import Node as Written
from aima.dsl.node import Scalar, to_json
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningModifier
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Call, Frame, Node
from aima.workflows.modifiers.catch import with_error

_SCHEMA: JsonSchema = {"enum": ["abort", "continue", "retry"], "default": "abort"}


class OnFailure(RunningModifier):
    """Abort ends the run; continue leaves ``{error}`` as the output.

    ``retry`` is the earlier system's word for the unit's own policy, then abort: what happens
    anyway.
    """

    key = "on_failure"
    per_item = False
    rank = 10

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _SCHEMA

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell any other word."""
        del step
        checker.literal(value, _SCHEMA)

    def output(self, value: Written, schema: JsonSchema) -> JsonSchema:
        """Give what the step leaves behind: with ``continue`` it may be ``{error}`` instead."""
        return with_error(schema) if to_json(value) == "continue" else schema

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the word."""
        del step, compiler
        return {"on_failure": cast("Scalar", value).value}

    def applies(self, node: Node) -> bool:
        """Stand around a step whose failure does not count."""
        return node.data.get("on_failure") == "continue"

    async def around(self, node: Node, frame: Frame, proceed: Call) -> Json:
        """Let the error be the output."""
        try:
            return await proceed(frame)
        except StepFailed as failure:
            frame.run.progress.note(node, went_on=1)
            return {"error": failure.error.data()}


MODIFIER = OnFailure()
