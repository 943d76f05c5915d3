"""The door is asked from within as from outside: whole answers, streams, and clients that go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient, ReadError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from aima.gateway.mcp.inside import Inside


def client_of(*routes: Route) -> AsyncClient:
    """Give a client of an application."""
    return AsyncClient(transport=Inside(Starlette(routes=list(routes))), base_url="http://x")


async def echo(request: Request) -> Response:
    """Tell what has arrived."""
    told = {
        "path": request.url.path,
        "raw": request.scope["raw_path"].decode(),
        "query": dict(request.query_params),
        "host": request.headers["host"],
        "header": request.headers.get("x-one", ""),
        "body": (await request.body()).decode(),
    }
    return JSONResponse(told, 201)


async def test_a_request_arrives_as_it_was_sent() -> None:
    """Names with signs in them, a query, headers and a body."""
    async with client_of(Route("/{name:path}", echo, methods=["POST"])) as client:
        answer = await client.post("/a%2Fb?q=1", content=b"text", headers={"X-One": "1"})
    assert answer.status_code == 201
    assert answer.json() == {
        "path": "/a/b",
        "raw": "/a%2Fb",
        "query": {"q": "1"},
        "host": "x",
        "header": "1",
        "body": "text",
    }


async def test_a_stream_is_read_while_it_is_made() -> None:
    """Progress that comes all at once at the end is none."""
    go_on = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield b"one\n"
        await go_on.wait()
        yield b"two\n"

    async def streamed(_: Request) -> Response:
        return StreamingResponse(lines())

    async with (
        client_of(Route("/", streamed)) as client,
        client.stream("GET", "/") as answer,
    ):
        read = answer.aiter_lines()
        assert await anext(read) == "one"
        go_on.set()
        assert [line async for line in read] == ["two"]


async def test_work_ends_when_nobody_reads_it() -> None:
    """Else each agent that was stopped would leave a task behind."""
    left = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        try:
            yield b"one\n"
            await asyncio.Event().wait()
        finally:
            left.set()

    async def streamed(_: Request) -> Response:
        return StreamingResponse(lines())

    async with client_of(Route("/", streamed)) as client:
        async with client.stream("GET", "/") as answer:
            assert await anext(answer.aiter_lines()) == "one"
        assert left.is_set()


async def test_a_large_answer_is_made_no_faster_than_it_is_read() -> None:
    """Memory holds a few pieces, whatever is asked for."""
    made = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal made
        for _ in range(1000):
            made += 1
            yield b"x"

    async def streamed(_: Request) -> Response:
        return StreamingResponse(pieces())

    async with client_of(Route("/", streamed)) as client, client.stream("GET", "/") as answer:
        read = answer.aiter_raw()
        await anext(read)
        assert made < 100
        assert sum([len(piece) async for piece in read]) == 999


async def test_an_application_that_breaks_is_an_error_of_transport() -> None:
    """It is told as what it is, and nobody waits for ever."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive, send

    for app in (broken, silent):
        async with AsyncClient(transport=Inside(app), base_url="http://x") as client:
            with pytest.raises(ReadError, match="broke off"):
                await client.get("/")
