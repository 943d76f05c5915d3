"""A slice of `make fuzz-api` for every day: the door answers as it describes, at every address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from aima.catalog import discover
from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Role
from aima.gateway.chain import create_app
from aima.gateway.openapi import description
from tests.door import door_in
from tests.unit.gateway.test_door_parts import no_store

KEY = {"authorization": "Bearer t"}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> tuple[TestClient, dict[str, Any]]:
    """The door of `aima up` with nobody behind it, and what it describes."""
    ways = door_in(tmp_path_factory.mktemp("door")).ways
    app = create_app(ways, Keys({"t": Caller("t", Role.ADMIN)}, no_store))
    client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    told = next(way.call.__self__ for way in ways if way.path == "/api/v2/openapi.json")  # type: ignore[attr-defined] # it is a method
    return client, description(told.ways, discover())["paths"]


def operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give each operation at an address where nothing is."""
    for path, methods in paths.items():
        for method, told in methods.items():
            yield method.upper(), path.replace("{", "no-").replace("}", ""), told


def fits(answer: Any, told: dict[str, Any]) -> bool:  # noqa: ANN401 - of the test client
    """Tell whether an answer is one of those that are described."""
    described = told["responses"].get(str(answer.status_code)) or told["responses"].get("default")
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return described is not None and kind in described.get("content", {"": None})


def test_who_brings_no_key_is_refused_as_described(
    door: tuple[TestClient, dict[str, Any]],
) -> None:
    """At each address that is not open to everybody, in its own form of errors."""
    client, paths = door
    for method, path, told in operations(paths):
        answer = client.request(method, path)
        if told.get("security") != []:
            assert answer.status_code == 401, (method, path)
            assert fits(answer, told), (method, path, answer.headers["content-type"])


def test_each_address_names_the_methods_that_are_described(
    door: tuple[TestClient, dict[str, Any]],
) -> None:
    """Where another one is tried (RFC 9110 §15.5.6)."""
    client, paths = door
    for path, methods in paths.items():
        answer = client.request("PATCH", path.replace("{", "no-").replace("}", ""), headers=KEY)
        allowed = set(answer.headers["allow"].split(", ")) - {"HEAD"}
        assert (answer.status_code, allowed) == (405, {m.upper() for m in methods}), path


def test_a_body_that_is_no_object_is_refused_as_described(
    door: tuple[TestClient, dict[str, Any]],
) -> None:
    """At each address that reads one."""
    client, paths = door
    asked = 0
    for method, path, told in operations(paths):
        content = told.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if "$ref" in schema or "properties" in schema:
            answer = client.request(method, path, json=[1], headers=KEY)
            assert 400 <= answer.status_code < 500, (method, path, answer.text)
            assert fits(answer, told), (method, path, answer.text)
            asked += 1
    assert asked > 50
