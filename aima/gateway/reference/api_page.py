"""The page of the HTTP API, written from its own description (OpenAPI 3.1)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from aima.gateway.openapi import ALWAYS
from aima.gateway.reference.pages import table

_HEAD = """# HTTP API

Written from what `GET /api/v2/openapi.json` of a running AIMA tells programs (OpenAPI 3.1), which
has every schema too; [a how-to](../how-to/use-the-api.md) has commands to paste. A request brings
its key as `Authorization: Bearer KEY`; what the key must be allowed to do stands at each address.
What fails is told as `application/problem+json` (RFC 9457) with one of the [codes](errors.md), at
`/v1` in the form that clients of that API know. Any address may fail with
"""
_UNITS = """
## Units

Each unit has an address of its own: a query answers at once, a command with an operation.
"""
_API = "/api/v2/"
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "map",
}
_JSON, _PROBLEM = "application/json", "application/problem+json"
_AREAS = {"": "Health and the stack", "v1": "APIs of OpenAI and Anthropic", "resource": "Resources"}


@dataclass(frozen=True)
class Operation:
    """One address, and what is told of it."""

    method: str
    path: str
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As one writes it."""
        return f"`{self.method} {self.path}`"

    @property
    def area(self) -> str:
        """What it is about."""
        if self.path.startswith(("/v1/", "/v2/")):
            return _AREAS["v1"]
        head = self.path.removeprefix(_API).partition("/")[0] if _API in self.path else ""
        return _AREAS.get(head, head.capitalize())

    @property
    def unit(self) -> str:
        """A link to the unit that it asks; empty where it asks none."""
        name = self.told.get("x-unit")
        return f"[`{name}`](units/{name}.md)" if name else ""

    @property
    def of_unit(self) -> bool:
        """Tell whether it is the address that every unit has."""
        return self.path.endswith(f"/{self.told.get('x-unit')}")


def api_page(description: Mapping[str, Any]) -> Iterator[str]:
    """Give the lines of the page."""
    operations = [
        Operation(method.upper(), path, told)
        for path, methods in description["paths"].items()
        for method, told in methods.items()
    ]
    always = {str(error.status) for error in ALWAYS}
    yield _HEAD
    yield from _errors(next(one for one in operations if not one.unit), always)
    own = sorted((one for one in operations if not one.of_unit), key=lambda one: one.area)
    for area, inner in groupby(own, key=lambda one: one.area):
        yield f"\n## {area}"
        for operation in inner:
            yield from _operation(operation, description["components"]["schemas"])
            if not operation.unit:
                yield from _errors(operation, operation.told["responses"].keys() - always)
    yield _UNITS
    rows = ((one.name, one.unit, one.told["summary"]) for one in operations if one.of_unit)
    yield from table(("address", "unit", "what it does"), rows)


def _operation(operation: Operation, schemas: Mapping[str, Any]) -> Iterator[str]:
    told = operation.told
    yield f"\n### {operation.name}\n\n{told['summary']}"
    if operation.unit:
        yield f"\nAsks {operation.unit}, whose page tells the rest. Needs `{told['x-permission']}`."
        return
    if "description" in told:
        yield f"\n{told['description']}"
    yield f"\nNeeds `{told['x-permission']}`.\n"
    rows = list(_asked(told, schemas))
    if rows:
        yield from table(("name", "in", "type", "meaning"), rows)
        yield ""
    content = told.get("requestBody", {}).get("content", {})
    for example in (body["example"] for body in content.values() if "example" in body):
        yield f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```\n"
    given = {kind: None for one in told["responses"].values() for kind in one.get("content", ())}
    for verb, kinds in (("Takes", content), ("Gives", given)):
        if kinds.keys() - {_JSON, _PROBLEM}:
            listed = ", ".join(f"`{kind}`" for kind in kinds if kind != _PROBLEM)
            yield f"{verb} {listed}.\n"


def _asked(told: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give what a request says: its query, its headers, and the fields of its body."""
    for one in told["parameters"]:
        if one["in"] != "path":
            type_ = _type(one["schema"], schemas)
            yield f"`{one['name']}`", one["in"], type_, one.get("description", "")
    for body in told.get("requestBody", {}).get("content", {}).values():
        schema = body.get("schema", {})
        schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        for name, of in schema.get("properties", {}).items():
            yield f"`{name}`", "body", _type(of, schemas), of.get("description", "")


def _type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Name the type of a value; of lists and maps no more than that."""
    match schema:
        case {"$ref": str(name)}:
            return _type(schemas[name.rpartition("/")[2]], schemas)
        case {"enum": words}:
            return " or ".join(f"`{word}`" for word in words)
        case {"anyOf": [*options]}:
            told = (_type(one, schemas) for one in options if one.get("type") != "null")
            return " or ".join(dict.fromkeys(told))
    return _TYPES.get(schema.get("type", ""), "any")


def _errors(operation: Operation, statuses: Collection[str]) -> Iterator[str]:
    """Tell what an address fails with, by status."""
    rows = [
        (f"`{status}`", answer["description"].replace("\n", " "))
        for status, answer in sorted(operation.told["responses"].items())
        if status in statuses and status.startswith(("4", "5"))
    ]
    if rows:
        yield from table(("status", "code"), rows)
