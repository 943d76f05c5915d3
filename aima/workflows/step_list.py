"""What lists of steps inside constructs have in common."""

from __future__ import annotations

from collections.abc import Iterable

from aima.dsl.check import Checker
from aima.dsl.document import Step
from aima.dsl.signature import JsonSchema

STEP_LIST: JsonSchema = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}}


def output_of(steps: Iterable[Step], checker: Checker) -> JsonSchema:
    """Give the type of what a list of steps leaves behind: their outputs by id.

    A step that may be skipped may be missing.
    """
    listed = list(steps)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {step.id: checker.output(step.id) for step in listed},
        "required": [step.id for step in listed if step.get("if") is None],
    }
