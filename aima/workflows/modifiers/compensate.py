"""``compensate: {type, input}``: how to undo the step if the run fails later.

It is registered once the step has succeeded, and reads the step's output. When the run fails or
is cancelled, undos run in the reverse order of completion, each with its own retries, and no
cancel reaches them. The run still ends as it would have; its result says what was undone.

In a workflow::

    name: book
    steps:
      - id: room
        type: template.render
        input: {text: room 12}
        compensate:
          type: template.render
          input: {text: "cancel {{ what }}", values: {what: "${steps.room.text}"}}
      - id: pay
        depends_on: [room]
        raise: {code: CARD_REFUSED, message: no money}

Tried with::

    stand_ins: {room: {output: {text: room 12}}, "undo:room": {output: {text: cancelled}}}
    expect: {state: failed, error: {code: CARD_REFUSED}, undone: [room]}
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import WRONG_TYPE, Step, unknown_keys
from aima.dsl.json import Json
from aima.dsl.node import Mapping
from aima.dsl.node import Node as Written
from aima.dsl.signature import JsonSchema
from aima.workflows.activity import call_of
from aima.workflows.bodies.unit import accept_call, check_call, compile_call
from aima.workflows.constructs import RunningModifier
from aima.workflows.frame import Call, Frame, Node
from aima.workflows.modifiers.retry import compile_policy
from aima.workflows.shapes import as_of_a_step
from aima.workflows.undo import register

_KEYS = ("type", "input", "timeout", "retry", "queue")


class Compensate(RunningModifier):
    """A unit that undoes the step; it runs when the run fails or is cancelled, the latest first."""

    key = "compensate"
    late = True
    rank = 60

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return {
            "type": "object",
            "required": ["type"],
            "additionalProperties": False,
            "properties": {
                "type": {"type": "string", "description": "Name of the unit that undoes it."},
                "input": {"type": "object", "description": "What it takes; may read the step."},
                "timeout": as_of_a_step("timeout", "Bounds one attempt of the undo."),
                "retry": as_of_a_step("retry", "How the undo is tried again."),
                "queue": as_of_a_step("queue", "The task queue of the undo."),
            },
        }

    def check(self, value: Written, step: Step, checker: Checker) -> None:
        """Tell an unknown unit, and what its input does not fit."""
        if not isinstance(value, Mapping):
            hint = "write {type: UNIT, input: {…}}"
            checker.findings.error(WRONG_TYPE, value, "`compensate` is a map", hint)
            return
        unknown_keys(value, _KEYS, checker.findings, where="`compensate`")
        check_call(value, checker)
        call = replace(step, body="type", node=value)
        for key in ("timeout", "retry", "queue"):
            if (said := value.get(key)) is not None:
                checker.language.modifiers[key].check(said, call, checker)

    def compile(self, value: Written, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the call."""
        del step
        said = cast("Mapping", value)
        call = compile_call(said, compiler)
        for key in ("timeout", "queue"):
            if (given := said.get(key)) is not None:
                call[key] = compiler.value(given)
        if (policy := said.get("retry")) is not None:
            call["retry"] = compile_policy(policy, call["retry"], compiler)
        return {"compensate": call}

    def accept(self, node: Node) -> None:
        """Refuse what calls no unit."""
        accept_call(node.data["compensate"])

    async def around(self, node: Node, frame: Frame, proceed: Call) -> Json:
        """Remember the undo once the step has succeeded; what came from a cache needs none."""
        output = await proceed(frame)
        if frame.path_of(node) not in frame.run.cached:
            steps = {**frame.outputs, node.id: output}
            told = replace(frame, roots={**frame.roots, "steps": steps})
            register(node, frame, call_of(node, told, "compensate"))
        return output


MODIFIER = Compensate()
