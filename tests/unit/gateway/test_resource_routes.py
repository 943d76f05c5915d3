"""Resources at the door: who may read them, and how they are read and watched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from aima.errors import NotFound
from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Role
from aima.gateway.chain import create_app
from aima.gateway.events.resource_routes import ResourceRoutes
from aima.gateway.sse import event
from aima.resources.registry import Resources
from aima.resources.resource import Data, Resource, Values
from aima.resources.uri import Template
from tests.unit.gateway.test_door_parts import no_store

OWN = {role.value: Caller(role.value, role) for role in Role}
UNENCODED = "/api/v2/resource/asms://engine/embedded"
ENCODED = "/api/v2/resource/asms%3A%2F%2Fengine%2Fembedded"


async def show(values: Values) -> Data:
    """Show what was asked for, unless it ends."""
    if values["name"] == "gone":
        raise NotFound("there is no engine 'gone'")
    return dict(values)


async def show_nothing(_: Values) -> Data:
    """Show that there is something."""
    return {}


@pytest.fixture(scope="module")
def resources() -> Resources:
    """One kind of thing that operators may see, and one that viewers may."""
    return Resources(
        [
            Resource(Template.parse("asms://engine/{name}"), "An engine", "unit:query", show),
            Resource(Template.parse("asms://model/{name}"), "A model", "model:read", show),
            Resource(Template.parse("asms://both/a"), "One", "unit:query", show_nothing),
            Resource(Template.parse("asms://both/b"), "Another", "model:read", show_nothing),
        ]
    )


@pytest.fixture(scope="module")
def client(resources: Resources) -> TestClient:
    """A door with nothing but resources, for an operator."""
    return TestClient(
        create_app(ResourceRoutes(resources).ways(), Keys(OWN, no_store)),
        base_url="http://127.0.0.1",
        headers={"authorization": "Bearer operator"},
        raise_server_exceptions=False,
    )


def read(client: TestClient, uri: str, **headers: str) -> tuple[int, dict[str, Any]]:
    """Read a resource."""
    answer = client.get("/api/v2/resources", params={"uri": uri}, headers=headers)
    return answer.status_code, answer.json() if answer.content else {}


@pytest.mark.parametrize("path", [UNENCODED, ENCODED, "/api/v2/resource/engine/embedded"])
def test_the_older_address_reads_the_same(client: TestClient, path: str) -> None:
    """Programs of the earlier system go on, however they encode."""
    old = client.get(path)
    assert old.status_code == 200
    assert old.json() == read(client, "asms://engine/embedded")[1]


def test_an_identifier_may_hold_a_slash(client: TestClient) -> None:
    """At both addresses, encoded once."""
    uri = "asms://model/Qwen%2FQwen3-8B"
    told = read(client, uri)[1]
    assert (told["uri"], told["data"]) == (uri, {"name": "Qwen/Qwen3-8B"})
    assert client.get(f"/api/v2/resource/{uri}").json() == told


def test_what_is_unchanged_is_not_sent_again(client: TestClient) -> None:
    """The version is an ETag."""
    first = client.get("/api/v2/resources", params={"uri": "asms://engine/x"})
    tag = first.headers["etag"]
    assert tag == f'"{first.json()["resource_version"]}"'
    assert read(client, "asms://engine/x", **{"if-none-match": tag}) == (304, {})


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v2/resources?uri=asms://nothing", 404, "RESOURCE_NOT_FOUND"),
        ("/api/v2/resources?uri=asms://engine/gone", 404, "RESOURCE_NOT_FOUND"),
        ("/api/v2/resources?uri=asms://engine/..", 400, "INVALID_REQUEST"),
        ("/api/v2/resources?uri=file:///etc/passwd", 400, "INVALID_REQUEST"),
        ("/api/v2/resource/engine/%2e%2e", 400, "INVALID_REQUEST"),
        ("/api/v2/resources/watch", 400, "INVALID_REQUEST"),
        ("/api/v2/resources/watch?uri=asms://engine/gone", 404, "RESOURCE_NOT_FOUND"),
        ("/api/v2/resources/watch?uri=asms://engine/x&since=1", 410, "GONE"),
        ("/api/v2/resources/watch?uri=asms://engine/x&since=x", 400, "INVALID_REQUEST"),
        ("/api/v2/resources/watch?uri=asms://engine/x&since=%C2%B2", 400, "INVALID_REQUEST"),
        ("/api/v2/resources/watch?uri=asms://engine/x&interval=-1", 400, "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_read_has_a_status(
    client: TestClient, path: str, status: int, code: str
) -> None:
    """Also to watch it: the answer begins when the first thing is known."""
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("way", ["resources", "resources/watch"])
@pytest.mark.parametrize(
    ("role", "uri", "status"),
    [
        ("viewer", "asms://engine/gone", 403),
        ("viewer", "asms://model/gone", 404),
        ("operator", "asms://engine/gone", 404),
        ("device", "asms://model/gone", 403),
        ("nobody", "asms://model/gone", 401),
        ("viewer", "asms://both/*", 403),
        ("nobody", "asms://both/*", 401),
    ],
)
def test_who_may_not_ask_may_not_watch(
    client: TestClient, way: str, role: str, uri: str, status: int
) -> None:
    """A resource shows what a query says to those who may ask it, and to no others."""
    headers = {"authorization": f"Bearer {role}"}
    assert client.get(f"/api/v2/{way}?uri={uri}", headers=headers).status_code == status


def test_a_pattern_is_read_like_one(client: TestClient) -> None:
    """With a version to watch it from."""
    status, told = read(client, "asms://both/*")
    assert (status, told["uri"]) == (200, "asms://both/*")
    assert [row["uri"] for row in told["data"]["items"]] == ["asms://both/a", "asms://both/b"]


def test_the_list_has_what_the_caller_may_read(client: TestClient) -> None:
    """With templates apart."""
    listed = client.get("/api/v2/resources").json()
    assert [row["uri"] for row in listed["resources"]] == ["asms://both/a", "asms://both/b"]
    assert [row["uri_template"] for row in listed["templates"]] == [
        "asms://engine/{name}",
        "asms://model/{name}",
    ]
    viewed = client.get("/api/v2/resources", headers={"authorization": "Bearer viewer"}).json()
    assert [row["title"] for row in viewed["templates"]] == ["A model"]


def lines(stream: str) -> Iterator[dict[str, str]]:
    """Read events."""
    for block in stream.strip().split("\n\n"):
        yield dict(line.split(": ", 1) for line in block.split("\n"))


def test_an_event_is_one_block() -> None:
    """Whatever its data hold: a line break in them would end it."""
    [told] = lines(event("ADDED", {"text": "a\n\nb: c\r\n"}, number=7).decode())
    assert (told["id"], told["event"]) == ("7", "ADDED")
    assert json.loads(told["data"]) == {"text": "a\n\nb: c\r\n"}
