"""``on_failure: abort | continue | retry``: what a step's failure does to the run."""

from __future__ import annotations

from typing import cast

from aima.dsl.check import Checker
from aima.dsl.compile import Compiler
from aima.dsl.document import Step
from aima.dsl.json import Json
from aima.dsl.node import Node, Scalar
from aima.dsl.signature import JsonSchema

_SCHEMA: JsonSchema = {"enum": ["abort", "continue", "retry"]}


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

    def compile(self, value: Node, step: Step, compiler: Compiler) -> dict[str, Json]:
        """Give the word."""
        del step, compiler
        return {"on_failure": cast("Scalar", value).value}


MODIFIER = OnFailure()
