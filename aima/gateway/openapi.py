"""The description of the door for programs (OpenAPI 3.1), written from its routes and units."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima import __version__
from aima.catalog import Catalog
from aima.errors import AimaError, Forbidden, TooLarge, Unauthorized, ValidationFailed
from aima.gateway.permission import Permission
from aima.gateway.route import Way
from aima.gateway.unit_routes import way_of
from aima.unit import Kind, Unit

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_OPERATION = {"$ref": "#/components/schemas/Operation"}
_ALWAYS = (ValidationFailed, Unauthorized, Forbidden, TooLarge)
_SCHEMAS: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "retryable", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "code": {"type": "string"},
            "retryable": {"type": "boolean"},
            "request_id": {"type": "string"},
            "errors": {"type": "array", "items": {"type": "object"}},
        },
    },
    "Operation": {
        "type": "object",
        "description": "Long work; the run of this id in Temporal.",
        "required": ["id", "state", "started", "links"],
        "properties": {
            "id": {"type": "string"},
            "unit": {"type": ["string", "null"]},
            "state": {"enum": ["running", "succeeded", "failed", "cancelled"]},
            "started": {"type": "string", "format": "date-time"},
            "seconds": {"type": ["number", "null"]},
            "result": {"description": "Of one that succeeded: what the unit gives."},
            "error": {"type": "object", "description": "Of one that did not."},
            "links": {"type": "object"},
        },
    },
}


@dataclass(frozen=True)
class Described:
    """Tells what there is at the door."""

    ways: list[Way]
    catalog: Catalog

    def way(self) -> Way:
        """Give the address."""
        return Way("GET", "/api/v2/openapi.json", self.get, Permission.UNIT_READ)

    async def get(self, _: Request) -> Response:
        """Describe every address and every unit (OpenAPI 3.1)."""
        return JSONResponse(description([*self.ways, self.way()], self.catalog))


def description(ways: Iterable[Way], units: Iterable[Unit]) -> dict[str, Any]:
    """Describe the routes, and each unit under an address of its own."""
    schemas = dict(_SCHEMAS)
    paths: dict[str, dict[str, Any]] = {}
    for way in ways:
        path = _PARAMETER.sub(r"{\1}", way.path)
        paths.setdefault(path, {})[way.method.lower()] = _of_way(way)
    for unit in units:
        paths[way_of(unit)] = {"post": _of_unit(unit, schemas)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "AIMA", "version": __version__},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def _of_way(way: Way) -> dict[str, Any]:
    names = _PARAMETER.findall(way.path)
    told: dict[str, Any] = {
        "summary": (getattr(way.call, "func", way.call).__doc__ or "").partition("\n")[0],
        "parameters": [
            {"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names
        ],
        "responses": {"2XX": {"description": "It worked."}, **_failures(_ALWAYS)},
        "x-permission": way.permission.value,
    }
    if way.permission is Permission.PUBLIC:
        told["security"] = []
    if way.method == "POST":
        told["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return told


def _of_unit(unit: Unit, schemas: dict[str, Any]) -> dict[str, Any]:
    reply = _named(unit, "output", schemas)
    answers: dict[str, Any] = {"200": _json(reply, "What it says.")}
    parameters: list[dict[str, Any]] = []
    if unit.kind is Kind.COMMAND:
        answers = {
            "200": _json(_OPERATION, "It has ended within the time that `Prefer: wait` gives it."),
            "202": _json(_OPERATION, "It is on its way; ask its `links.self`."),
        }
        parameters = [
            {"name": name, "in": "header", "schema": {"type": "string"}, "description": meaning}
            for name, meaning in (
                ("Prefer", "`wait=10` waits up to ten seconds for the end."),
                ("Idempotency-Key", "Sent again with the same key it is not done again."),
            )
        ]
    examples = {example.title: {"value": dict(example.input)} for example in unit.examples}
    content: dict[str, Any] = {"schema": _named(unit, "input", schemas)}
    return {
        "operationId": unit.name,
        "summary": unit.summary,
        "description": unit.description,
        "tags": [unit.name.partition(".")[0]],
        "parameters": parameters,
        "requestBody": {
            "content": {"application/json": content | ({"examples": examples} if examples else {})}
        },
        "responses": answers | _failures((*_ALWAYS, *unit.errors)),
        "x-permission": (
            Permission.UNIT_QUERY if unit.kind is Kind.QUERY else Permission.UNIT_RUN
        ).value,
    }


def _named(unit: Unit, side: str, schemas: dict[str, Any]) -> dict[str, str]:
    """Put a model of a unit, and what it is made of, among the schemas."""
    model, mode = (unit.input, "validation") if side == "input" else (unit.output, "serialization")
    prefix = f"{unit.name}.{side}"
    told = model.model_json_schema(
        mode=mode,  # type: ignore[arg-type] # one of the two
        ref_template=f"#/components/schemas/{prefix}.{{model}}",
    )
    schemas |= {f"{prefix}.{name}": inner for name, inner in told.pop("$defs", {}).items()}
    schemas[prefix] = told
    return {"$ref": f"#/components/schemas/{prefix}"}


def _json(schema: dict[str, str], meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def _failures(errors: Iterable[type[AimaError]]) -> dict[str, Any]:
    """Tell each status with the codes that have it."""
    told: dict[str, Any] = {}
    for error in errors:
        meaning = f"`{error.code}`: {(error.__doc__ or '').partition(chr(10))[0]}"
        before = told.get(str(error.status), {}).get("description", "")
        if meaning in before:
            continue
        told[str(error.status)] = {
            "description": f"{before}\n{meaning}".strip(),
            "content": {"application/problem+json": {"schema": _PROBLEM}},
        }
    return told
