"""The description of the door for programs: whole, and true of the units' own examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import Response

from aima.gateway.openapi import description
from aima.gateway.permission import Permission
from aima.gateway.route import Way
from aima.gateway.unit_routes import way_of
from aima.gateway.units import units_of
from aima.settings import Settings

CATALOG = units_of(Settings())


async def look(_: Request) -> Response:
    """Look at a thing."""
    return Response()


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description of two routes and all units."""
    ways = [
        Way("GET", "/things/{id:path}", look, Permission.RUN_READ),
        Way("GET", "/livez", look, Permission.PUBLIC),
    ]
    return description(ways, CATALOG)


def references(value: object) -> Iterator[str]:
    """Find all references in a description."""
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    """Generators of clients stop at the first one that does not."""
    found = set(references(described))
    assert len(found) > 50
    for reference in found:
        head, _, name = reference.rpartition("/")
        assert head == "#/components/schemas", reference
        assert name in described["components"]["schemas"], reference


def test_a_route_tells_its_parameters_and_its_permission(described: dict[str, Any]) -> None:
    """And what it is, in the words of its docstring."""
    told = described["paths"]["/things/{id}"]["get"]
    assert told["summary"] == "Look at a thing."
    assert [p["name"] for p in told["parameters"]] == ["id"]
    assert told["x-permission"] == "run:read"
    assert "`UNAUTHORIZED`" in told["responses"]["401"]["description"]
    assert described["paths"]["/livez"]["get"]["security"] == []


def test_each_unit_tells_its_errors_and_examples(described: dict[str, Any]) -> None:
    """The examples fit the schema beside them."""
    for unit in CATALOG:
        told = described["paths"][way_of(unit)]["post"]
        content = told["requestBody"]["content"]["application/json"]
        rules = {**content["schema"], "components": described["components"]}
        for example in content.get("examples", {}).values():
            plain = "@" not in str(example["value"])  # those with assets name files, not artifacts
            assert not plain or Draft202012Validator(rules).is_valid(example["value"]), unit.name
        for error in unit.errors:
            assert f"`{error.code}`" in told["responses"][str(error.status)]["description"]
