"""The description of the door for programs (OpenAPI 3.1), written from its routes and units."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aima import __version__
from aima.blocking import in_thread
from aima.catalog import Catalog
from aima.errors import (
    AimaError,
    EngineNotRunning,
    Forbidden,
    RateLimited,
    TooLarge,
    Unauthorized,
    UnsupportedMedia,
    ValidationFailed,
)
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Permission, needed
from aima.gateway.problem import MESSAGES, OPENAI
from aima.gateway.route import Way
from aima.gateway.runs.form_parts import FORM
from aima.gateway.runs.starting import STARTING
from aima.gateway.units.operation import OPERATION
from aima.gateway.units.routes import way_of
from aima.unit import Kind, Unit

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_PROBLEM = "application/problem+json", {"$ref": "#/components/schemas/Problem"}
_FORMS = (
    (MESSAGES, (JSON, {"$ref": "#/components/schemas/MessagesError"})),
    (OPENAI, (JSON, {"$ref": "#/components/schemas/OpenAIError"})),
)
"""How what fails is told below a path; elsewhere as a problem."""
_OPERATION = {"$ref": "#/components/schemas/Operation"}
_INLINE = "{model}"
_TEXTS = {"string", "integer", "number", "boolean"}
_DOOR = "aima.gateway."
_EMPTY = {204: "There is nothing to say.", 304: "It is what the caller has already."}
ALWAYS = (
    ValidationFailed,
    Unauthorized,
    Forbidden,
    TooLarge,
    UnsupportedMedia,
    RateLimited,
    EngineNotRunning,
)
"""What any address may fail with."""
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
    "OpenAIError": {
        "type": "object",
        "description": "What went wrong, as clients of OpenAI's API read it.",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                },
            }
        },
    },
    "MessagesError": {
        "type": "object",
        "description": "What went wrong, as clients of Anthropic's API read it.",
        "required": ["type", "error"],
        "properties": {
            "type": {"const": "error"},
            "error": {
                "type": "object",
                "required": ["type", "message"],
                "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "Operation": OPERATION,
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
        return Response(await in_thread(lambda: self._written), media_type=JSON)

    @cached_property
    def _written(self) -> bytes:
        """Write it once; that takes a second."""
        return json.dumps(self.description, ensure_ascii=False).encode()

    @property
    def description(self) -> dict[str, Any]:
        """What it tells."""
        return description([*self.ways, self.way()], self.catalog)


def description(ways: Iterable[Way], units: Iterable[Unit]) -> dict[str, Any]:
    """Describe the routes, and each unit under an address of its own."""
    schemas = dict(_SCHEMAS)
    paths: dict[str, dict[str, Any]] = {}
    for way in ways:
        path = _PARAMETER.sub(r"{\1}", way.path)
        paths.setdefault(path, {})[way.method.lower()] = _of_way(way, schemas)
    for unit in units:
        paths[way_of(unit)] = {"post": _of_unit(unit, schemas)}
        if unit.kind is Kind.QUERY:
            paths[way_of(unit)]["get"] = _looked_up(unit, schemas)
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


def _of_way(way: Way, schemas: dict[str, Any]) -> dict[str, Any]:
    about = way.about
    names = _PARAMETER.findall(way.path)
    told: dict[str, Any] = {} if about.unit is None else _of_unit(about.unit, schemas)
    told |= {"x-permission": way.permission.value, "operationId": f"{way.method} {way.path}"}
    asked = about.unit.input if about.unit and way.method == "GET" else about.query
    told["parameters"] = [*_in_path(names), *_in_query(asked, names), *_in_headers(about)]
    if about.unit is None:
        told |= _words(way)
        told["responses"] = {
            **_answers(way),
            **_failures((*ALWAYS, *about.errors), path=way.path, passes_on=about.passes_on),
            **({"default": _passed_on(way.path)} if about.passes_on else {}),
        }
    if way.permission is Permission.PUBLIC:
        told["security"] = []
    if way.method == "GET":
        told.pop("requestBody", None)
    elif about.unit is not None:
        names = [*names, *about.fixed]
        told["requestBody"] = _without_path(told["requestBody"], schemas, about.unit, names)
    elif content := _body(about, schemas):
        told["requestBody"] = {"content": content}
    return told


def _looked_up(unit: Unit, schemas: dict[str, Any]) -> dict[str, Any]:
    """Tell of a query that is asked by `GET`, with those of its fields that a text can say."""
    told = _of_unit(unit, schemas) | {"operationId": f"GET {way_of(unit)}"}
    del told["requestBody"]
    whole = schemas[f"{unit.name}.input"]
    needed = whole.get("required", ())
    told["parameters"] = [
        {"name": name, "in": "query", "required": name in needed, "schema": schema}
        for name, schema in whole["properties"].items()
        if _TEXTS & {one.get("type") for one in schema.get("anyOf", [schema])}
    ]
    return told


def _words(way: Way) -> dict[str, str]:
    """Say what a route does: in words of its own, or by its docstring's first line and the rest."""
    if way.about.summary:
        return {"summary": way.about.summary}
    summary, _, more = (getattr(way.call, "func", way.call).__doc__ or "").partition("\n")
    described = dedent(more).strip()
    return {"summary": summary, **({"description": described} if described else {})}


def _in_path(names: list[str]) -> list[dict[str, Any]]:
    text = {"type": "string"}
    return [{"name": n, "in": "path", "required": True, "schema": text} for n in names]


def _in_query(asked: type[BaseModel] | None, names: Collection[str]) -> list[dict[str, Any]]:
    """Tell the query of a model, but for what the path says."""
    if asked is None:
        return []
    schema = asked.model_json_schema(ref_template=_INLINE)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _plain(inner, schema.get("$defs", {})),
            **({"description": said} if (said := inner.get("description")) else {}),
        }
        for name, inner in schema.get("properties", {}).items()
        if name not in names
    ]


def _plain(schema: Any, defined: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON Schema
    """Write out what a schema refers to; parameters have no place for definitions."""
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            return _plain(defined[reference], defined)
        return {key: _plain(inner, defined) for key, inner in schema.items()}
    return [_plain(one, defined) for one in schema] if isinstance(schema, list) else schema


def _in_headers(about: About) -> list[dict[str, Any]]:
    text = {"type": "string"}
    return [
        {"name": name, "in": "header", "schema": text, "description": meaning}
        for name, meaning in (about.headers or {}).items()
    ]


def _body(about: About, schemas: dict[str, Any]) -> dict[str, Any]:
    """Tell what a body may be, by media type."""
    content: dict[str, Any] = {}
    if about.body is not None or (about.example is not None and not about.takes):
        schema = {"type": "object"} if about.body is None else _model(about.body, schemas)
        content[JSON] = {"schema": schema}
    for media_type in about.takes:
        fields = {"type": "object", "additionalProperties": {"type": "string"}}
        content[media_type] = {"schema": fields} if media_type == FORM else {}
    if about.example is not None:
        next(iter(content.values()))["example"] = dict(about.example)
    return content


def _answers(way: Way) -> dict[str, Any]:
    content: dict[str, Any] = {media_type: {} for media_type in way.about.gives}
    shown = way.about.example if way.method == "GET" else way.about.answer
    if shown is not None:
        content[way.about.gives[0]]["example"] = dict(shown)
    worked = {"description": "It worked.", **({"content": content} if content else {})}
    return {
        str(status): {"description": _EMPTY[status]} if status in _EMPTY else worked
        for status in way.about.statuses
    }


def _model(model: type[BaseModel], schemas: dict[str, Any]) -> dict[str, str]:
    """Put a model of the door, and what it is made of, among the schemas."""
    prefix = f"door.{model.__module__.removeprefix(_DOOR)}.{model.__name__}"
    told = model.model_json_schema(ref_template=f"#/components/schemas/{prefix}.{{model}}")
    schemas |= {f"{prefix}.{name}": inner for name, inner in told.pop("$defs", {}).items()}
    schemas[prefix] = told
    return {"$ref": f"#/components/schemas/{prefix}"}


def _without_path(
    body: dict[str, Any], schemas: dict[str, Any], unit: Unit, names: list[str]
) -> dict[str, Any]:
    """Leave out of a unit's input what the address says."""
    if not names:
        return body
    whole = schemas[f"{unit.name}.input"]
    needed = [name for name in whole.get("required", ()) if name not in names]
    rest = {name: inner for name, inner in whole["properties"].items() if name not in names}
    schema = {"type": "object", "properties": rest, "required": needed}
    examples = {
        example.title: {"value": {k: v for k, v in example.input.items() if k not in names}}
        for example in unit.examples
    }
    content = {JSON: {"schema": schema, "examples": examples}}
    return {"content": content, "required": bool(needed)}


def _of_unit(unit: Unit, schemas: dict[str, Any]) -> dict[str, Any]:
    reply = _named(unit, "output", schemas)
    outputs = {example.title: {"value": dict(example.output)} for example in unit.examples}
    answers: dict[str, Any] = {"200": _json(reply, "What it says.", outputs)}
    parameters: list[dict[str, Any]] = []
    failures: list[type[AimaError]] = [*ALWAYS, *unit.errors]
    if unit.kind is Kind.COMMAND:
        failures += STARTING
        ended = {title: {"value": _ended(unit, shown["value"])} for title, shown in outputs.items()}
        answers = {
            "200": _json(_OPERATION, "It ended within the time of `Prefer: wait`.", ended),
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
        "x-unit": unit.name,
        "parameters": parameters,
        "requestBody": {
            "content": {"application/json": content | ({"examples": examples} if examples else {})}
        },
        "responses": answers | _failures(failures),
        "x-permission": needed(unit).value,
    }


def _named(unit: Unit, side: str, schemas: dict[str, Any]) -> dict[str, str]:
    """Put a model of a unit, and what it is made of, among the schemas."""
    prefix = f"{unit.name}.{side}"
    places = f"#/components/schemas/{prefix}.{{model}}"
    told = (
        unit.input.model_json_schema(ref_template=places)
        if side == "input"
        else unit.sent_schema(places)
    )
    schemas |= {f"{prefix}.{name}": inner for name, inner in told.pop("$defs", {}).items()}
    schemas[prefix] = told
    return {"$ref": f"#/components/schemas/{prefix}"}


def _ended(unit: Unit, result: Mapping[str, object]) -> dict[str, object]:
    """Show an operation that has succeeded."""
    way = "/api/v2/operations/exec-01m8kwb82whr5wgyg9"
    told = {"id": way.rpartition("/")[2], "unit": unit.name, "state": "succeeded"}
    links = {"self": way, "cancel": f"{way}/cancel"}
    return {**told, "started": "2026-11-29T14:46:47Z", "links": links, "result": result}


def _json(
    schema: dict[str, str], meaning: str, examples: Mapping[str, object] | None = None
) -> dict[str, Any]:
    shown = {"schema": schema, **({"examples": dict(examples)} if examples else {})}
    return {"description": meaning, "content": {"application/json": shown}}


def _failures(
    errors: Iterable[type[AimaError]], *, path: str = "", passes_on: bool = False
) -> dict[str, Any]:
    """Tell each status with the codes that have it."""
    media_type, schema = _form(path)
    content = {**({JSON: {}} if passes_on else {}), media_type: {"schema": schema}}
    told: dict[str, Any] = {}
    for error in errors:
        meaning = f"`{error.code}`: {(error.__doc__ or '').partition(chr(10))[0]}"
        before = told.get(str(error.status), {}).get("description", "")
        if meaning in before:
            continue
        told[str(error.status)] = {
            "description": f"{before}\n{meaning}".strip(),
            "content": content,
        }
    return told


def _passed_on(path: str) -> dict[str, Any]:
    """Tell of what the server behind an address says, in its own words or the address's."""
    media_type, _ = _form(path)
    return {"description": "As the server behind it says.", "content": {media_type: {}, JSON: {}}}


def _form(path: str) -> tuple[str, dict[str, str]]:
    return next((form for below, form in _FORMS if path.startswith(below)), _PROBLEM)
