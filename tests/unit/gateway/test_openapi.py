"""The description of the door for programs: whole, and true of the units' own examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aima.catalog import Catalog
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Permission
from aima.gateway.openapi import Described, description
from aima.gateway.route import Way
from aima.gateway.units.domain_routes import places
from aima.gateway.units.installed import units_of
from aima.gateway.units.routes import way_of
from aima.settings import Settings
from aima.unit import Context, Domain
from tests.door import door_in

CATALOG = units_of(Settings())

PAGES = {
    ("GET", "/"),
    ("GET", "/engines"),
    ("GET", "/runs"),
    ("GET", "/runs/{id}"),
    ("GET", "/signin"),
    ("GET", "/static/{version}/{file}"),
    ("GET", "/workflows/{name}"),
    ("POST", "/runs/{id}/again"),
    ("POST", "/runs/{id}/answer"),
    ("POST", "/runs/{id}/cancel"),
    ("POST", "/runs/{id}/retry"),
    ("POST", "/runs/{id}/signal"),
    ("POST", "/signin"),
    ("POST", "/signout"),
    ("POST", "/workflows/{name}"),
}
"""What a browser opens or sends for somebody: pages, their forms and their files."""


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


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> list[Way]:
    """Every address of the door that `aima up` serves."""
    return door_in(tmp_path_factory.mktemp("door")).ways


@pytest.fixture(scope="module")
def door(ways: list[Way]) -> dict[str, Any]:
    """The description of that door."""
    told: Described = next(
        way.call.__self__  # type: ignore[attr-defined] # it is a method
        for way in ways
        if way.path == "/api/v2/openapi.json"
    )
    return told.description


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


class Kinds(StrEnum):
    """Kinds of things."""

    GOOD = "good"


class Thing(BaseModel):
    """A thing."""

    name: str
    kind: Kinds = Kinds.GOOD


def test_a_route_tells_what_it_takes_and_gives() -> None:
    """By the models that check it: body, query, headers, media types, errors."""
    ways = [
        Way(
            "POST",
            "/things",
            look,
            Permission.RUN_START,
            about=About(body=Thing, example={"name": "a"}, headers={"Prefer": "x"}, takes=("a/b",)),
        ),
        Way("GET", "/things", look, Permission.RUN_READ, about=About(query=Thing, gives=("a/b",))),
    ]
    described = description(ways, ())
    told = described["paths"]["/things"]
    content = told["post"]["requestBody"]["content"]
    assert content["application/json"]["example"] == {"name": "a"}
    assert set(content) == {"application/json", "a/b"}
    assert [p["name"] for p in told["post"]["parameters"]] == ["Prefer"]
    name, kind = told["get"]["parameters"]
    assert (name["name"], name["required"], kind["required"]) == ("name", True, False)
    assert "good" in str(kind["schema"]), "what it refers to is written out"
    assert set(told["get"]["responses"]["200"]["content"]) == {"a/b"}
    assert set(references(described)) <= {
        f"#/components/schemas/{name}" for name in described["components"]["schemas"]
    }


def test_every_address_of_the_door_is_described(door: dict[str, Any]) -> None:
    """Whole, with references that lead somewhere, and examples that fit."""
    schemas = door["components"]["schemas"]
    for reference in set(references(door)):
        assert reference.rpartition("/")[2] in schemas, reference
    checked = 0
    for path, methods in door["paths"].items():
        for method, told in methods.items():
            assert told["summary"], (method, path)
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            if "example" in body:
                rules = {**body["schema"], "components": door["components"]}
                assert Draft202012Validator(rules).is_valid(body["example"]), (method, path)
                checked += 1
    assert checked > 8


def test_whatever_is_no_page_is_described(ways: list[Way], door: dict[str, Any]) -> None:
    """An addition to the list of what people alone open is a decision."""
    served = {(way.method, re.sub(r"{(\w+):\w+}", r"{\1}", way.path)) for way in ways}
    told = {(method.upper(), path) for path, ways in door["paths"].items() for method in ways}
    assert served - told == PAGES


def test_whatever_takes_something_shows_what(door: dict[str, Any]) -> None:
    """An example is what most readers look for; what is only bytes has none."""
    for path, method, told in operations(door):
        content = told.get("requestBody", {}).get("content", {})
        shown = [one for one in content.values() if "example" in one or "examples" in one]
        assert shown or not content.keys() - {"application/octet-stream"}, (method, path)


def test_whatever_can_be_refused_says_with_what(door: dict[str, Any]) -> None:
    """Who generates a client from the description has to handle these."""
    for path, method, told in operations(door):
        refusals = {"400", "401", "403", "413"} - (set() if "security" not in told else {"401"})
        assert refusals <= told["responses"].keys(), (method, path)
        for status in refusals:
            assert told["responses"][status]["content"], (method, path, status)


def test_an_answer_of_a_query_that_is_shown_could_be_one(door: dict[str, Any]) -> None:
    """Every unit shows what comes back; what a query gives is whole."""
    for unit in CATALOG:
        told = door["paths"][way_of(unit)]["post"]["responses"]["200"]["content"][JSON]
        assert told["examples"].keys() == {example.title for example in unit.examples}
        rules = {**told["schema"], "components": door["components"]}
        for shown in told["examples"].values():
            Draft202012Validator(rules).validate(shown["value"])


def operations(door: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Walk what may be done, with its address and method."""
    for path, methods in door["paths"].items():
        for method, told in methods.items():
            yield path, method, told


def test_what_is_managed_has_addresses(door: dict[str, Any]) -> None:
    """By its noun; what the address says is not asked for again."""
    assert {"get"} == set(door["paths"]["/api/v2/engines"])
    assert {"get"} == set(door["paths"]["/api/v2/engines/{name}"])
    load = door["paths"]["/api/v2/engines/{name}/load"]["post"]
    schema = load["requestBody"]["content"]["application/json"]["schema"]
    assert (schema["required"], "name" in schema["properties"]) == (["model"], False)
    [listed] = door["paths"]["/api/v2/models"]["get"]["parameters"]
    assert listed["name"] == "type"


service = Domain("service")


class All(BaseModel):
    """Names none."""

    limit: int = 10


class One(BaseModel):
    """Names a service."""

    service_id: str


@service.query()
async def list_(request: All, ctx: Context) -> All:
    """List."""
    del ctx
    return request


@service.query()
async def get(request: One, ctx: Context) -> One:
    """Get."""
    del ctx
    return request


@service.query()
async def recommend(request: All, ctx: Context) -> All:
    """Recommend."""
    del ctx
    return request


@service.command(idempotent=True)
async def create(request: All, ctx: Context) -> All:
    """Create."""
    del ctx
    return request


@service.command(idempotent=True)
async def delete(request: One, ctx: Context) -> One:
    """Delete."""
    del ctx
    return request


@service.command(idempotent=True)
async def scale(request: One, ctx: Context) -> One:
    """Scale."""
    del ctx
    return request


def test_new_domains_get_their_addresses_by_themselves() -> None:
    """By the names of their units and the field that names a thing."""
    assert [(p.method, p.path, p.unit) for p in places(Catalog(dict(service.units)))] == [
        ("POST", "/services/{service_id:path}/scale", "service.scale"),
        ("GET", "/services/recommend", "service.recommend"),
        ("GET", "/services/{service_id:path}", "service.get"),
        ("DELETE", "/services/{service_id:path}", "service.delete"),
        ("GET", "/services", "service.list"),
        ("POST", "/services", "service.create"),
    ]
