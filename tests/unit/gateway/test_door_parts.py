"""The parts of the door that stand by themselves: who may come in, and what is told."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from temporalio.service import RPCError, RPCStatusCode

from aima.errors import Conflict, ValidationFailed
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.guard import Guard
from aima.gateway.incoming import accept, read
from aima.gateway.problem import tell

TOKEN = "open sesame"  # noqa: S105 - of a door that leads nowhere


class Given(BaseModel):
    """A body."""

    count: int


async def take(request: Request) -> Response:
    """Give back what was sent."""
    return JSONResponse({"count": (await read(request, Given)).count})


async def fail(request: Request) -> Response:
    """Fail as the address says."""
    raise FAILURES[request.path_params["how"]]


FAILURES: dict[str, Exception] = {
    "known": Conflict("it is taken"),
    "temporal": RPCError("shard status unknown", RPCStatusCode.UNAVAILABLE, b""),
    "http": HTTPException(405, headers={"allow": "POST"}),
    "bug": ZeroDivisionError("the secret is 42"),
}


@pytest.fixture
def client() -> TestClient:
    """A small application behind the guard."""
    app = Starlette(
        routes=[Route("/take", take, methods=["POST"]), Route("/fail/{how}", fail)],
        exception_handlers=dict.fromkeys((*map(type, FAILURES.values()), Exception), tell),
        middleware=[Middleware(Guard, token=TOKEN, lesser={"/fail/http": "less"})],
    )
    headers = {"authorization": f"Bearer {TOKEN}"}
    return TestClient(
        app, base_url="http://127.0.0.1", headers=headers, raise_server_exceptions=False
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "LOCALHOST:80"}, 200),
        ({"host": "[::1]"}, 200),
        ({"authorization": "Bearer less"}, 401),
        ({"host": "[::1"}, 403),
        ({"host": ""}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "localhost@evil.example"}, 403),
        ({"host": "127.0.0.1.nip.io"}, 403),
        ({"authorization": ""}, 401),
        ({"authorization": f"bearer {TOKEN}"}, 200),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": f"Bearer {TOKEN}x"}, 401),
        ({"authorization": "Bearer"}, 401),
    ],
)
def test_the_guard_lets_in_by_token_and_name(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    """Nothing else decides: not the address, not the method, not what is asked for."""
    assert client.post("/take", json={"count": 1}, headers=headers).status_code == status


def test_a_body_of_the_most_that_is_allowed_is_taken(client: TestClient) -> None:
    """The bound is the bound, to the byte."""
    body = b'{"count": 1}'
    full = body + b" " * (MOST_BODY_BYTES - len(body))
    assert client.post("/take", content=full).json() == {"count": 1}
    refused = client.post("/take", content=full + b" ")
    assert (refused.status_code, refused.json()["code"]) == (413, "TOO_LARGE")


def test_a_body_without_a_stated_size_is_counted(client: TestClient) -> None:
    """A stream of any length is read up to the bound and no further."""
    parts = (b" " * (1 << 20) for _ in range(12))
    assert client.post("/take", content=parts).status_code == 413


@pytest.mark.parametrize(
    ("how", "status", "code", "detail"),
    [
        ("known", 409, "CONFLICT", "it is taken"),
        ("temporal", 503, "TEMPORAL_UNREACHABLE", "shard status unknown"),
        ("http", 405, "INVALID_REQUEST", "Method Not Allowed"),
        ("bug", 500, "INTERNAL_ERROR", "logs/stack.log"),
    ],
)
def test_each_failure_is_a_problem(
    client: TestClient, how: str, status: int, code: str, detail: str
) -> None:
    """With AIMA's code; of a bug no more is told than where to read of it."""
    told = client.get(f"/fail/{how}")
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert detail in told.json()["detail"]
    assert "42" not in told.text
    assert told.headers["content-type"] == "application/problem+json"
    assert told.headers.get("allow") == ("POST" if how == "http" else None)


def test_an_address_that_there_is_not_is_a_problem_too(client: TestClient) -> None:
    """No answer of the door is plain text."""
    assert client.get("/nowhere").json()["code"] in ("RESOURCE_NOT_FOUND", "INTERNAL_ERROR")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": "many"}, "the body: 'count': Input should be a valid integer"),
        ({}, "the body: 'count': Field required"),
        ([], "the body: Input should be"),
    ],
)
def test_what_does_not_fit_is_told_by_its_place(given: object, message: str) -> None:
    """The first mistake, and which field it is in."""
    with pytest.raises(ValidationFailed, match=message):
        accept(Given.model_validate, given, what="the body")
