"""The parts of the door that stand by themselves: who may come in, and what is told."""

from __future__ import annotations

import json
import logging
from contextlib import AbstractContextManager

import pytest
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient
from temporalio.service import RPCError, RPCStatusCode

from aima.dsl.inputs import Misfit, UnfitInput
from aima.errors import Conflict, ModelNotFound, RateLimited, ValidationFailed
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.chain import MOST_HEADERS, create_app
from aima.gateway.incoming import read
from aima.gateway.route import Way
from aima.mistakes import accept
from aima.store.database import Store

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
    "busy": RateLimited("too many", retry_after=1.2),
    "model": ModelNotFound("no engine serves 'x'"),
    "temporal": RPCError("shard status unknown", RPCStatusCode.UNAVAILABLE, b""),
    "unfit": UnfitInput("w", [Misfit("/n", "'n': it is no number", "type")]),
    "http": HTTPException(405, headers={"allow": "POST"}),
    "bug": ZeroDivisionError("the secret is 42"),
}


def no_store() -> AbstractContextManager[Store]:
    """Fail: nobody needs the store for a secret of the stack."""
    raise AssertionError


@pytest.fixture
def client() -> TestClient:
    """A small application behind the chain."""
    own = {TOKEN: Caller("test", Role.ADMIN), "less": Caller("worker", Role.DEVICE)}
    ways = [
        Way("POST", "/take", take, Permission.RUN_CONTROL),
        Way("GET", "/fail/{how}", fail, Permission.RUN_READ),
        Way("GET", "/v1/fail/{how}", fail, Permission.RUN_READ),
        Way("POST", "/v1/take", take, Permission.RUN_READ),
    ]
    headers = {"authorization": f"Bearer {TOKEN}"}
    return TestClient(
        create_app(ways, Keys(own, no_store)),
        base_url="http://127.0.0.1",
        headers=headers,
        raise_server_exceptions=False,
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "LOCALHOST:80"}, 200),
        ({"host": "[::1]"}, 200),
        ({"authorization": "Bearer less"}, 403),
        ({"host": "[::1"}, 403),
        ({"host": ""}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "localhost@evil.example"}, 403),
        ({"host": "evil.example@localhost"}, 403),
        ({"host": "localhost/take?x="}, 403),
        ({"host": "127.0.0.1.nip.io"}, 403),
        ({"host": "evil.example", "x-forwarded-host": "localhost"}, 403),
        ({"authorization": ""}, 401),
        ({"authorization": f"bearer {TOKEN}"}, 200),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": f"Bearer {TOKEN}x"}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": "Bearer nothing"}, 401),
        ({"authorization": "", "x-request-from": "internal"}, 401),
        ({"content-encoding": "gzip"}, 415),
        ({f"x-{n}": "" for n in range(MOST_HEADERS)}, 431),
        ({"x-long": "x" * 17_000}, 431),
    ],
)
def test_the_guard_lets_in_by_token_and_name(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    """Nothing else decides: not the address, not the method, not what is asked for."""
    assert client.post("/take", json={"count": 1}, headers=headers).status_code == status


@pytest.mark.parametrize(
    "path", ["/take/", "/x/%2e%2e/take", "/take;x", "/take%2f", "/TAKE", "/livez/take"]
)
def test_an_address_that_only_looks_like_another_leads_nowhere(
    client: TestClient, path: str
) -> None:
    """With a key it is not there; without one nothing is told of it."""
    assert client.post(path, json={"count": 1}).status_code in (404, 405)
    assert client.post(path, headers={"authorization": ""}).status_code == 401


def test_an_address_with_what_nobody_sees_is_refused(client: TestClient) -> None:
    """A line break at the end of an address must not be taken for its end."""
    for path in ("/take%00", "/take%0a", "/take%7f", "/take%e2%80%ae"):
        assert client.post(path, json={"count": 1}).status_code == 400


def test_the_door_answers_to_more_names_where_the_settings_say(client: TestClient) -> None:
    """Behind a proxy it is called as the proxy is, and by nothing that only looks like it."""
    del client
    own = {TOKEN: Caller("test", Role.ADMIN)}
    ways = [Way("POST", "/take", take, Permission.RUN_CONTROL)]
    app = create_app(ways, Keys(own, no_store), hosts={"AI.example.org", "127.0.0.1"})
    with_key = {"authorization": f"Bearer {TOKEN}"}
    door = TestClient(app, base_url="http://127.0.0.1", headers=with_key)
    told = {
        host: door.post("/take", json={"count": 1}, headers={"host": host}).status_code
        for host in ("ai.example.org", "ai.EXAMPLE.org:443", "x.ai.example.org", "ai.example.org.x")
    }
    assert list(told.values()) == [200, 200, 403, 403]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("application/vnd.aima+json", 200),
        ("application/x-www-form-urlencoded", 200),
        ("application/xml", 415),
        ("multipart/form-data; boundary=x", 415),
        ("image/png", 415),
    ],
)
def test_a_body_that_says_it_is_no_json_is_not_read_as_json(
    client: TestClient, kind: str, status: int
) -> None:
    """`curl -d` says nothing that it was not told; whoever says `image/png` means another thing."""
    told = client.post("/take", content=b'{"count": 1}', headers={"content-type": kind})
    assert told.status_code == status
    if status != 200:
        assert told.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"


def test_an_input_that_does_not_fit_is_told_place_by_place(client: TestClient) -> None:
    """Where in the body each mistake is, so that a program shows it there."""
    told = client.get("/fail/unfit").json()
    assert (told["status"], told["title"]) == (400, "ValidationFailed")
    assert told["errors"] == [
        {"pointer": "/input/n", "detail": "'n': it is no number", "code": "type"}
    ]


def test_a_page_of_the_web_gets_no_leave_to_read(client: TestClient) -> None:
    """No answer has a CORS header, so a browser keeps it from the page."""
    asked = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    preflight = client.options("/take", headers=asked)
    answer = client.post("/take", json={"count": 1}, headers=asked)
    for told in (preflight, answer):
        assert not [name for name in told.headers if name.startswith("access-control-")]


def test_each_request_has_an_id_and_a_line_in_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A request can be named to whoever looks after the machine, also one that was refused."""
    caplog.set_level(logging.INFO, "aima.access")
    assert client.get("/nowhere?secret=1").json()["request_id"]
    given = client.get("/fail/known", headers={"x-request-id": "mine-1"})
    strange = client.get("/fail/bug", headers={"x-request-id": "no id", "authorization": "x"})
    assert given.headers["x-request-id"] == given.json()["request_id"] == "mine-1"
    assert len(strange.headers["x-request-id"]) == 32
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(n["status"], n["caller"], n["path"]) for n in lines if "ms" in n] == [
        (404, "test", "/nowhere"),
        (409, "test", "/fail/known"),
        (401, None, "/fail/bug"),
    ]


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
        ("busy", 429, "RATE_LIMITED", "too many"),
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
    assert "42" not in told.json()["detail"]
    assert told.headers["content-type"] == "application/problem+json"
    assert told.headers.get("allow") == ("POST" if how == "http" else None)
    assert told.headers.get("retry-after") == {"busy": "2", "temporal": "1"}.get(how)
    assert told.json()["status"] == status


@pytest.mark.parametrize(
    ("how", "status", "error"),
    [
        ("model", 404, {"code": "model_not_found", "param": "model"}),
        ("busy", 429, {"code": "rate_limit_exceeded", "type": "invalid_request_error"}),
        ("bug", 500, {"code": "internal_error", "type": "server_error", "param": None}),
    ],
)
def test_clients_of_openai_are_told_in_their_own_form(
    client: TestClient, how: str, status: int, error: dict[str, object]
) -> None:
    """Their libraries read `error.message` and `error.code`, and look at the status."""
    told = client.get(f"/v1/fail/{how}")
    assert told.status_code == status
    assert told.json()["error"] == told.json()["error"] | error
    assert client.get("/v1/x", headers={"authorization": ""}).json()["error"]["code"] == (
        "invalid_api_key"
    )


def test_each_mistake_of_a_body_is_told_with_its_place(client: TestClient) -> None:
    """A form can show it beside the field."""
    wrong = client.post("/take", json={"count": "many"})
    assert wrong.json()["errors"] == [
        {
            "pointer": "/count",
            "detail": "Input should be a valid integer",
            "code": "int_type",
        }
    ]
    assert client.post("/v1/take", json={"count": "x"}).json()["error"]["param"] == "count"


def test_an_address_that_there_is_not_is_a_problem_too(client: TestClient) -> None:
    """No answer of the door is plain text."""
    assert client.get("/nowhere").json()["code"] == "RESOURCE_NOT_FOUND"


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
