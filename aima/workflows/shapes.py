"""Shapes that values of several constructs have, as JSON Schemas for editors and the reference."""

from __future__ import annotations

from aima.dsl.signature import JsonSchema

_SHORT = r"([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+"
_ISO = r"P([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?"
_COMPUTED = r"[^$]*\$\{(.|\n)*"

CONDITION: JsonSchema = {
    "title": "condition",
    "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"^\$\{(.|\n)*\}\s*$"}],
    "errorMessage": "Write exactly one `${…}` that is true or false.",
    "description": "Exactly one `${…}` that is true or false.",
}

_DURATION: JsonSchema = {
    "title": "duration",
    "type": "string",
    "pattern": f"^({_SHORT}|{_ISO}|{_COMPUTED})$",
    "patternErrorMessage": "Write a duration such as 500ms, 30s, 1h30m or 2d.",
    "examples": ["500ms", "30s", "1h30m", "2d"],
}


def condition(meaning: str) -> JsonSchema:
    """Give the schema of a condition."""
    return {**CONDITION, "description": meaning}


def duration(meaning: str) -> JsonSchema:
    """Give the schema of a duration such as ``1h30m``."""
    return {**_DURATION, "description": meaning}


def as_of_a_step(key: str, meaning: str) -> JsonSchema:
    """Give the schema of what a step has under the same key."""
    return {"$ref": f"#/$defs/step/properties/{key}", "description": meaning}
