"""The door ends: whoever is answered is answered to the end, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.chain import create_app
from aima.gateway.draining import Drain
from aima.gateway.route import Way
from aima.gateway.serve import serve_door
from aima.store.database import Store


def no_store() -> AbstractContextManager[Store]:
    """Fail: nobody needs the store for a secret of the stack."""
    raise AssertionError


@dataclass
class Work:
    """What the door of a test does.

    Attributes:
        begun: set when a request has come.
        go: lets those who wait be answered.
        stopped: how many streams were stopped.
    """

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: int = 0

    async def slow(self, _: Request) -> Response:
        """Answer when the test says so."""
        self.begun.set()
        await self.go.wait()
        return JSONResponse({"done": True})

    async def stream(self, request: Request) -> Response:
        """Say one thing, and then nothing for ever."""
        media_type = request.query_params["type"]

        async def said() -> AsyncIterator[bytes]:
            try:
                yield b"data: 1\n\n"
                self.begun.set()
                await asyncio.Event().wait()
            finally:
                self.stopped += 1

        return StreamingResponse(said(), media_type=media_type)


@dataclass
class Door:
    """A door that is served, and how to end it."""

    work: Work
    http: httpx2.AsyncClient
    serving: asyncio.Task[None]

    async def end(self) -> None:
        """End it, and wait until it has."""
        self.serving.cancel()
        await asyncio.wait([self.serving])


@asynccontextmanager
async def door(tmp_path: Path, seconds: float) -> AsyncIterator[Door]:
    """Serve a door that gives requests so many seconds when it ends."""
    work, drain = Work(), Drain(seconds)
    ways = [
        Way("GET", "/slow", work.slow, Permission.RUN_READ),
        Way("GET", "/stream", work.stream, Permission.RUN_READ),
        Way("GET", "/v1/stream", work.stream, Permission.RUN_READ),
    ]
    app = create_app(ways, Keys({"key": Caller("t", Role.ADMIN)}, no_store), drain=drain)
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving = asyncio.ensure_future(serve_door(app, [listener], (), tmp_path / "access.log", drain))
    headers = {"authorization": "Bearer key"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
        made = Door(work, http, serving)
        try:
            yield made
        finally:
            await made.end()


async def test_a_request_under_way_is_answered(tmp_path: Path) -> None:
    """And nobody new is let in meanwhile."""
    async with door(tmp_path, seconds=30) as served:
        asking = asyncio.ensure_future(served.http.get("/slow"))
        await served.work.begun.wait()
        served.serving.cancel()
        await refused(served.http)
        served.work.go.set()
        assert (await asking).json() == {"done": True}
        await asyncio.wait([served.serving])


async def refused(http: httpx2.AsyncClient) -> None:
    """Wait until nobody is let in any more."""
    async with httpx2.AsyncClient(base_url=http.base_url) as stranger:
        while True:
            try:
                await stranger.get("/slow")
            except httpx2.ConnectError:
                return


async def test_a_request_that_does_not_end_is_left(tmp_path: Path) -> None:
    """The door has an end, whatever others do; whoever waited may ask again."""
    async with door(tmp_path, seconds=0) as served:
        asking = asyncio.ensure_future(served.http.get("/slow"))
        await served.work.begun.wait()
        await served.end()
        answer = await asking
        assert (answer.status_code, answer.json()["retryable"]) == (503, True)


@pytest.mark.parametrize(
    ("path", "seconds", "end"),
    [
        ("/stream", 30, b'"retryable": true}\n\nevent: end\ndata: {}\n\n'),
        ("/v1/stream", 0, b'"code": "engine_not_running"}}\n\n'),
    ],
)
async def test_a_stream_of_events_has_a_last_event(
    tmp_path: Path, path: str, seconds: float, end: bytes
) -> None:
    """A watcher's at once; an answer's when its time is over, and it is an error."""
    async with (
        door(tmp_path, seconds) as served,
        served.http.stream("GET", f"{path}?type=text/event-stream") as response,
    ):
        await served.work.begun.wait()
        await served.end()
        heard = await response.aread()
        assert heard.startswith(b"data: 1\n\n")
        assert heard.endswith(end)
        assert served.work.stopped == 1


async def test_a_stream_of_lines_breaks_off(tmp_path: Path) -> None:
    """Its reader must not take what it has for all there is."""
    async with (
        door(tmp_path, seconds=30) as served,
        served.http.stream("GET", "/stream?type=application/jsonl") as response,
    ):
        await served.work.begun.wait()
        ending = asyncio.ensure_future(served.end())
        with pytest.raises(httpx2.RemoteProtocolError):
            await response.aread()
        await ending
        assert served.work.stopped == 1
