"""``on_failure: abort | continue | retry``: what a step's failure does to the run."""

from __future__ import annotations

from typing import cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.node import Node, Scalar, to_json
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY, TEXT, Type

_SCHEMA: JsonSchema = {"enum": ["abort", "continue", "retry"]}

ERROR: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "message", "step", "attempt", "line"],
    "properties": {
        "code": TEXT,
        "message": TEXT,
        "step": TEXT,
        "unit": TEXT,
        "attempt": {"type": "integer"},
        "line": {"type": "integer"},
    },
}
"""An error as ``on_failure: continue`` leaves it behind."""


class OnFailure:
    """Abort ends the run; continue leaves ``{error}`` as the output.

    ``retry`` is the earlier system's word for the unit's own policy, then abort: what happens
    anyway.
    """

    key = "on_failure"

    def schema(self) -> JsonSchema:
        """Give the JSON Schema of its value."""
        return _SCHEMA

    def check(self, value: Node, step: Step, checker: Checker) -> None:
        """Tell any other word."""
        del step
        checker.literal(value, _SCHEMA)

    def output(self, value: Node, schema: JsonSchema) -> JsonSchema:
        """Give what the step leaves behind: with ``continue`` it may be ``{error}`` instead."""
        if to_json(value) != "continue":
            return schema
        here = Type.of(schema).resolved().schema
        if "properties" not in here:
            return ANY
        return {**here, "properties": {**here["properties"], "error": ERROR}, "required": []}

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the word."""
        del step, compiler
        return {"on_failure": cast("Scalar", value).value}


MODIFIER = OnFailure()
