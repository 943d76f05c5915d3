"""A small HTTP server that answers as a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Answering = Callable[[Request], Awaitable[Response]]


@dataclass
class EngineServer:
    """What it answers on each path, and what came."""

    url: str = ""
    answers: dict[str, Answering] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def answer(self, path: str, body: object, *, status: int = 200) -> None:
        """Answer with JSON, or with bytes as they are, from now on."""

        async def reply(_: Request) -> Response:
            if isinstance(body, bytes):
                return Response(body, status_code=status)
            return JSONResponse(body, status_code=status)

        self.answers[path] = reply

    def stream(self, *events: object, done: bool = True) -> None:
        """Answer chats with these events, each JSON or bytes as they are."""
        body = b"".join(e if isinstance(e, bytes) else event(e) for e in events)
        self.answer("chat/completions", body + (b"data: [DONE]\n\n" if done else b""))

    @property
    def body(self) -> Any:  # noqa: ANN401 - any JSON
        """The last request's JSON."""
        return json.loads(self.bodies[-1])

    async def handle(self, request: Request) -> Response:
        """Answer a request."""
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.body())
        answer = self.answers.get(request.path_params["path"])
        if answer is None:
            return JSONResponse({"error": {"message": "no such address"}}, status_code=404)
        return await answer(request)


def event(data: object) -> bytes:
    """Write a server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def piece(text: str | None, **more: object) -> dict[str, object]:
    """Write a piece of a chat answer."""
    return {"choices": [{"delta": {"content": text}, **more}]}


@dataclass
class Endless(Response):
    """A stream that begins and never ends; tells when its reader has gone."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send one piece, then wait."""
        del scope
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = event(piece("Once"))
        await send({"type": "http.response.body", "body": body, "more_body": True})
        self.began.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


class CutOff(Response):
    """A stream that promises more than it sends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send one piece of a longer body, then close the connection."""
        del scope, receive
        headers = [(b"content-length", b"100000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = event(piece("Half an"))
        await send({"type": "http.response.body", "body": body, "more_body": True})
        raise ConnectionAbortedError


class _Quiet(uvicorn.Server):
    """A server inside a test: signals are not its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def engine_server() -> AsyncIterator[EngineServer]:
    """Run such a server on a free port."""
    answers = EngineServer()
    app = Starlette(routes=[Route("/v1/{path:path}", answers.handle, methods=["GET", "POST"])])
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = _Quiet(config)
    serving = asyncio.create_task(server.serve())
    while True:
        await asyncio.sleep(0.005)
        if server.started:
            break
    port = server.servers[0].sockets[0].getsockname()[1]
    answers.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield answers
    finally:
        server.should_exit = True
        server.force_exit = True
        await serving
