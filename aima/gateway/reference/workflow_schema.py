"""The JSON Schema of workflow files, for editors: the checker's own constructs and units, told.

It completes and explains what the checker knows by name: keys, units and their inputs. What
takes more than one place to decide, such as the type behind a ``${…}``, is left to `aima check`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from aima.dsl.document import NAME
from aima.dsl.language import Body, Language, Modifier, Section
from aima.unit import Unit

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = f"^{NAME.pattern}$"
_EXPRESSION: Schema = {"$ref": "#/$defs/expression"}
_COUNTED = ("integer", "number", "boolean")

DOCUMENT: Schema = {
    "name": {
        "type": "string",
        "pattern": _NAME,
        "description": "What the workflow is called; its runs show under this name in Temporal.",
    },
    "description": {"type": "string", "description": "What it is for."},
    "version": {"type": "string", "description": "Version of the file, such as 1.0.0."},
    "steps": {
        "type": "array",
        "minItems": 1,
        "items": {"$ref": "#/$defs/step"},
        "description": "What to do. Steps that read nothing of each other run side by side.",
    },
    "output": {"description": "What a run returns. Absent: the outputs of all steps, by id."},
}

STEP: Schema = {
    "id": {
        "type": "string",
        "pattern": _NAME,
        "description": "Its name; others read its output as `${steps.ID}`.",
    },
    "description": {"type": "string", "description": "What the step is for."},
}


def workflow_schema(language: Language, units: Iterable[Unit]) -> Schema:
    """Give the JSON Schema (2020-12) of a workflow file for one language and catalogue."""
    known = list(units)
    return {
        "$schema": DIALECT,
        "title": "AIMA workflow",
        "type": "object",
        "required": ["name", "steps"],
        "additionalProperties": False,
        "properties": {**DOCUMENT, **_sections(language)},
        "$defs": {
            "expression": {
                "type": "string",
                "pattern": r"\$\{",
                "description": "Computed for each run, such as `${steps.transcribe.text}`.",
            },
            "step": _step(language, known),
        }
        | {unit.name: _input_of(unit) for unit in known},
    }


def _sections(language: Language) -> Schema:
    return {
        key: {"description": _meaning(section), **_with_counts(section.schema())}
        for key, section in language.sections.items()
    }


def _step(language: Language, units: list[Unit]) -> Schema:
    properties = dict(STEP)
    for body in language.bodies.values():
        properties |= {key: _with_counts(schema) for key, schema in body.schema().items()}
    properties["type"] = {**properties["type"], "anyOf": _unit_names(units)}
    for key, modifier in language.modifiers.items():
        properties[key] = {"description": _meaning(modifier), **_with_counts(modifier.schema())}
    return {
        "type": "object",
        "required": ["id"],
        "additionalProperties": False,
        "properties": properties,
        "anyOf": [{"required": [key]} for key in language.bodies],
        "errorMessage": f"A step does one thing: {', '.join(language.bodies)}.",
        "dependentSchemas": dict(_one_body(language)),
        "defaultSnippets": [_snippet(unit) for unit in units],
        "allOf": [_takes_its_input(unit) for unit in units],
    }


def _one_body(language: Language) -> Iterator[tuple[str, Schema]]:
    """Forbid beside each body what chooses another one."""
    for key, body in language.bodies.items():
        taken = {
            name: {"not": {}, "errorMessage": f"A step is either `{key}` or `{name}`, not both."}
            for name, other in language.bodies.items()
            if name not in body.keys and key not in other.keys
        }
        yield key, {"properties": taken}


def _snippet(unit: Unit) -> Schema:
    """Give a step with all that a unit must be given, for editors to write in one go."""
    schema = unit.input.model_json_schema()
    needed = {key: f"${index}" for index, key in enumerate(schema.get("required", ()), 2)}
    body: Schema = {"id": "${1:name}", "type": unit.name}
    if needed:
        body["input"] = needed
    return {"label": unit.name, "description": unit.summary, "body": body}


def _unit_names(units: list[Unit]) -> list[Schema]:
    """Name the known units for completion; a unit of one's own is as good."""
    known = [{"const": unit.name, "description": unit.summary} for unit in units]
    return [*known, {"pattern": r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$"}]


def _takes_its_input(unit: Unit) -> Schema:
    then: Schema = {"properties": {"input": {"$ref": f"#/$defs/{unit.name}"}}}
    if unit.input.model_json_schema().get("required"):
        then["required"] = ["input"]
    return {
        "if": {"properties": {"type": {"const": unit.name}}, "required": ["type"]},
        "then": then,
    }


def _meaning(construct: Body | Modifier | Section) -> str:
    """Take the sentence at the top of a construct's module: ``key: shape``: what it means."""
    told = (sys.modules[type(construct).__module__].__doc__ or "").partition("\n")[0]
    sentence = told.rpartition("``: ")[2]
    return sentence[:1].upper() + sentence[1:]


def _input_of(unit: Unit) -> Schema:
    schema = unit.input.model_json_schema()
    parts = schema.pop("$defs", {})
    base = f"#/$defs/{unit.name}/$defs/"
    told = _loosened(schema, base)
    told["examples"] = [dict(example.input) for example in unit.examples]
    if parts:
        told["$defs"] = {name: _loosened(part, base) for name, part in parts.items()}
    return told


def _computable(schema: Mapping[str, Any], base: str) -> Schema:
    """Let a value, and every value in it, be an expression as well."""
    told = _loosened(schema, base)
    outside: Schema = {key: told.pop(key) for key in ("description", "default") if key in told}
    if told == {"type": "string"}:
        return {**outside, **told}
    options = told["anyOf"] if told.keys() == {"anyOf"} else [told]
    return {**outside, "anyOf": [*options, _EXPRESSION]}


def _loosened(schema: Mapping[str, Any], base: str) -> Schema:
    told = {k: v for k, v in schema.items() if k != "title" and (k, v) != ("default", None)}
    if "$ref" in told:
        told["$ref"] = base + told["$ref"].removeprefix("#/$defs/")
    if "properties" in told:
        told["properties"] = {k: _computable(v, base) for k, v in told["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(told.get(key), Mapping):
            told[key] = _computable(told[key], base)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in told:
            told[key] = [_loosened(option, base) for option in told[key]]
    return told


def _with_counts(schema: Mapping[str, Any]) -> Schema:
    """Let the numbers of a modifier be expressions; its words and names are literal."""
    told = dict(schema)
    if told.get("type") in _COUNTED:
        return {"anyOf": [told, _EXPRESSION]}
    if "properties" in told:
        told["properties"] = {key: _with_counts(value) for key, value in told["properties"].items()}
    return told
