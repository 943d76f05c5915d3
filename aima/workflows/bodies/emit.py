"""``emit: {type, data}``: publish a CloudEvent.

Other runs may wait for it with `wait_for: {event: …}`, and triggers start runs by it. It is
published once, whatever dies in between. `data` is the author's own, `subject` says what it is
about.

In a workflow::

    name: order-paid
    steps:
      - id: told
        emit: {type: order.paid, subject: order/7, data: {order: 7, amount: 12.5}}
    output: {done: "${has(steps.told.id)}"}

Tried with::

    expect: {output: {done: true}, emitted: [order.paid]}
"""

from __future__ import annotations

import re

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import WRONG_TYPE, Step
from aima.dsl.json import Json
from aima.dsl.node import Mapping
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY, TEXT
from aima.workflows.activity import ask
from aima.workflows.constructs import RunningBody
from aima.workflows.frame import Frame, Node

EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_SCHEMA: JsonSchema = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "properties": {
        "type": {
            "type": "string",
            "pattern": f"^{EVENT_TYPE.pattern}$",
            "description": "What happened, such as order.paid.",
        },
        "data": {**ANY, "description": "More about it: any value."},
        "subject": {**TEXT, "description": "What it is about, such as order/7."},
    },
}


class Emit(RunningBody):
    """An event, published once whatever dies in between."""

    keys = ("emit",)

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {"emit": {**_SCHEMA, "description": "The event: its type, such as order.paid."}}

    def check(self, step: Step, checker: Checker) -> None:
        """Tell an event without a type."""
        said = step.node.entries["emit"].value
        if isinstance(said, Mapping):
            checker.value(said, _SCHEMA)
        else:
            hint = "write {type: order.paid, data: {…}}"
            checker.findings.error(WRONG_TYPE, said, "`emit` is a map", hint)

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give the id of the event."""
        del step, checker
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {"id": TEXT},
            "required": ["id"],
        }

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the event."""
        return {"emit": compiler.value(step.node.entries["emit"].value)}

    def accept(self, node: Node) -> None:
        """Refuse an event without a type."""
        if "type" not in node.data["emit"]:
            raise ValueError("it emits no event")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Have it published; the effect key is what makes it one event."""
        event = node.value(frame, "emit")
        assert isinstance(event, dict)  # noqa: S101 - accept() has seen to it
        kind = node.read(_event_type, event["type"], "emit.type")
        return await ask("aima.emit", {"data": {}, **event, "type": kind}, node, frame)


def _event_type(value: Json) -> str:
    if isinstance(value, str) and EVENT_TYPE.fullmatch(value):
        return value
    raise ValueError(f"{str(value)[:60]!r} is no type of events; write order.paid")


BODY = Emit()
