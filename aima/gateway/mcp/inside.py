"""Asking the door from within its own process: HTTP without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

from httpx2 import AsyncBaseTransport, AsyncByteStream, ReadError, Request, Response
from starlette.types import ASGIApp, Message, Scope

MOST_WAITING = 16
"""Pieces of an answer that wait to be read; whoever sends more of them waits."""


@dataclass(frozen=True)
class Inside(AsyncBaseTransport):
    """Hands requests to an application; an answer can be read while it is made."""

    app: ASGIApp

    async def handle_async_request(self, request: Request) -> Response:
        """Ask, and give the answer as soon as it begins."""
        exchange = _Exchange(await request.aread())
        exchange.begin(self.app, _scope(request))
        try:
            head = await exchange.next()
        except BaseException:
            await exchange.aclose()
            raise
        return Response(head["status"], headers=head["headers"], stream=exchange)


@dataclass
class _Exchange(AsyncByteStream):
    """One request and its answer; closed, the application sees its client go."""

    body: bytes
    _given: bool = False
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _sent: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    _work: asyncio.Task[None] | None = None

    def begin(self, app: ASGIApp, scope: Scope) -> None:
        """Have the application answer."""

        async def answered() -> None:
            await app(scope, self._receive, self._sent.put)

        self._work = asyncio.create_task(answered())

    async def next(self) -> Message:
        """Give the next message of the answer.

        Raises:
            ReadError: the application ended without one.
        """
        if self._work is None:
            raise ReadError("nobody was asked")
        more = asyncio.ensure_future(self._sent.get())
        try:
            await asyncio.wait((more, self._work), return_when=asyncio.FIRST_COMPLETED)
            if more.done():
                return more.result()
            if not self._sent.empty():
                return self._sent.get_nowait()
        finally:
            more.cancel()
        raise ReadError("the answer broke off")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Walk the pieces of the answer."""
        goes_on = True
        while goes_on:
            message = await self.next()
            goes_on = message.get("more_body", False)
            yield message.get("body", b"")

    async def aclose(self) -> None:
        """Leave, wherever the answer is."""
        self._gone.set()
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait((self._work,))
            with suppress(asyncio.CancelledError):
                self._work.exception()  # the door has told and logged it

    async def _receive(self) -> Message:
        if not self._given:
            self._given = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}


def _scope(request: Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": None,
        "server": (request.url.host, request.url.port),
    }
