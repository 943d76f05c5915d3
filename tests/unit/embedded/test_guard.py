"""What is refused before anybody reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aima.embedded.failure import tell
from aima.embedded.guard import BodyLimit, LocalOnly
from aima.errors import AimaError

MIB = 1 << 20


async def echo_length(request: Request) -> Response:
    """Tell how long the body was."""
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a guarded application."""
    limit = Middleware(BodyLimit, most_bytes=MIB)
    app = Starlette(
        routes=[Route("/", echo_length, methods=["POST"], middleware=[limit])],
        middleware=[Middleware(LocalOnly)],
        exception_handlers={AimaError: tell},
    )
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as made:
        yield made


async def chunks(count: int) -> AsyncIterator[bytes]:
    """Send megabytes without stating how many."""
    for _ in range(count):
        yield bytes(MIB)


async def test_a_body_up_to_the_bound_comes_in(client: httpx2.AsyncClient) -> None:
    """The bound itself is allowed."""
    assert (await client.post("/", content=bytes(MIB))).text == str(MIB)
    assert (await client.post("/", content=chunks(1))).text == str(MIB)


async def test_a_larger_body_is_refused_however_it_comes(client: httpx2.AsyncClient) -> None:
    """Stated, or found out on the way."""
    stated = await client.post("/", content=bytes(MIB + 1))
    found = await client.post("/", content=chunks(5))
    for response in stated, found:
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "TOO_LARGE"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8000"}, 200),
        ({"host": "[::1]:8000"}, 200),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "rebound.example"}, 403),
        ({"host": "localhost.example"}, 403),
        ({"origin": "https://site.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
async def test_only_programs_of_this_machine_come_in(
    client: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    """A page of any site can make a browser send requests to loopback."""
    assert (await client.post("/", headers=headers)).status_code == status
