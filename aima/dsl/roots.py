"""The types of what an expression can start with, as a document declares them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from aima.dsl.document import Document
from aima.dsl.node import Mapping, Node, to_json
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY, TEXT, Type, dangling_reference
from aima.json_schema import check_schema

_RUN: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "name", "status", "attempt", "started_at"],
    "properties": {
        "id": TEXT,
        "name": TEXT,
        "status": TEXT,
        "attempt": {"type": "integer"},
        "started_at": TEXT,
    },
}

ERROR: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "message", "step", "attempt", "line"],
    "properties": {
        "code": TEXT,
        "message": TEXT,
        "step": TEXT,
        "unit": TEXT,
        "item": {"type": "integer"},
        "attempt": {"type": "integer"},
        "line": {"type": "integer"},
    },
}
"""An error as ``catch``, ``on_failure: continue`` and failed items give it."""

EVENT: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "type", "source", "time", "data", "partitionkey"],
    "properties": {
        "id": TEXT,
        "type": TEXT,
        "source": TEXT,
        "subject": TEXT,
        "time": TEXT,
        "data": ANY,
        "partitionkey": TEXT,
        "correlationid": TEXT,
        "causationid": TEXT,
        "traceparent": TEXT,
    },
}
"""A CloudEvent (version 1.0) as triggers and waits read it."""


class BadSchema(Exception):
    """What should be a JSON Schema is none; ``path`` leads to the mistake."""

    def __init__(self, path: Iterable[object], message: str, hint: str | None = None) -> None:
        """Tell what is wrong where."""
        super().__init__(message)
        self.path = tuple(path)
        self.message = message
        self.hint = hint


def roots_of(document: Document) -> dict[str, Type]:
    """Give the type of each root; anything, where its declaration is wrong."""
    config, secrets = document.get("config"), document.get("secrets")
    return {
        "input": input_type(document.get("inputs")),
        "config": Type.of(_schema_of(to_json(config) if isinstance(config, Mapping) else {})),
        "steps": Type.of(ANY),
        "run": Type.of(_RUN),
        "secrets": Type.of(_texts(secrets.entries if isinstance(secrets, Mapping) else ())),
    }


def input_type(node: Node | None) -> Type:
    """Give the type of ``input``, which is anything where nothing right is said."""
    if not isinstance(node, Mapping):
        return Type.of(ANY)
    try:
        return Type.of(read_inputs(node))
    except BadSchema:
        return Type.of(ANY)


def read_inputs(node: Mapping) -> JsonSchema:
    """Read ``inputs``.

    Raises:
        BadSchema: it is no JSON Schema of an object.
    """
    schema = read_schema(node)
    if schema.get("type") != "object":
        hint = "write `type: object` and name each input under `properties`"
        raise BadSchema((), "a run's input is an object", hint)
    return schema


def read_schema(node: Mapping) -> JsonSchema:
    """Read a JSON Schema (2020-12) that refers to nothing outside itself.

    Raises:
        BadSchema: it is none.
    """
    from jsonschema import SchemaError

    schema = cast("JsonSchema", to_json(node))
    try:
        check_schema(schema)
    except SchemaError as error:
        reason = f": {error.cause}" if error.cause else ""
        message = f"this is no JSON Schema: {error.message}{reason}"
        raise BadSchema(error.absolute_path, message) from error
    if dangling := dangling_reference(schema, schema):
        hint = "a `$ref` leads to a place in the schema itself, such as `#/$defs/name`"
        raise BadSchema(dangling, "this leads nowhere", hint)
    return schema


def _texts(names: Iterable[str]) -> JsonSchema:
    properties = dict.fromkeys(names, TEXT)
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema_of(value: object) -> JsonSchema:
    """Give the type of a literal; maps are closed, since config is known as written."""
    if isinstance(value, dict):
        properties = {key: _schema_of(v) for key, v in value.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    if isinstance(value, list):
        return {"type": "array"}
    return {"const": value}
