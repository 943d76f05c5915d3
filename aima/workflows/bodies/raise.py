"""``raise: {code, message}``: fail on purpose.

The code is the author's own, in capitals, and a `catch` around it may name it. The message may be
computed.

In a workflow::

    name: only-adults
    config: {age: 17}
    steps:
      - id: refuse
        if: ${config.age < 18}
        raise: {code: TOO_YOUNG, message: "${config.age} is under 18"}

Tried with::

    expect: {state: failed, error: {code: TOO_YOUNG, step: refuse}}
"""

from __future__ import annotations

import re

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import WRONG_TYPE, Step
from aima.dsl.json import Json
from aima.dsl.node import Mapping
from aima.dsl.signature import JsonSchema
from aima.workflows.constructs import RunningBody
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Frame, Node

CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_SCHEMA: JsonSchema = {
    "type": "object",
    "required": ["code", "message"],
    "additionalProperties": False,
    "properties": {
        "code": {
            "type": "string",
            "pattern": f"^{CODE.pattern}$",
            "description": "The error's code, which a `catch` may name.",
        },
        "message": {"type": "string", "description": "What is wrong, for people."},
    },
}


class Raise(RunningBody):
    """A failure with a code of the author's own, which a ``catch`` may name."""

    keys = ("raise",)
    ends = True

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its keys, by key."""
        return {"raise": {**_SCHEMA, "description": "Fail with this code and message."}}

    def check(self, step: Step, checker: Checker) -> None:
        """Tell a code that is none, and a missing message."""
        said = step.get("raise")
        if isinstance(said, Mapping):
            checker.value(said, _SCHEMA)
        else:
            hint = "write {code: NO_ANSWER, message: …}"
            checker.findings.error(WRONG_TYPE, said or step.node.mark, "`raise` is a map", hint)

    def output(self, step: Step, checker: Checker) -> JsonSchema:
        """Give nothing: it never leaves anything behind."""
        del step, checker
        return {"type": "object", "additionalProperties": False, "properties": {}}

    def compile(self, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give code and message."""
        return {"raise": compiler.value(step.node.entries["raise"].value)}

    def accept(self, node: Node) -> None:
        """Refuse a failure without code or message."""
        if node.data["raise"].keys() != {"code", "message"}:
            raise ValueError("it raises nothing")

    async def run(self, node: Node, frame: Frame) -> Json:
        """Fail."""
        code = str(node.value(frame, "raise", "code"))
        if not CODE.fullmatch(code):
            message = f"`raise.code`: {code[:64]!r} is no code; write capitals, digits and `_`"
            raise StepFailed(node.error("VALIDATION_ERROR", message))
        raise StepFailed(node.error(code, str(node.value(frame, "raise", "message"))))


BODY = Raise()
