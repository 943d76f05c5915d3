"""An answer that is passed on as it comes in, for as long as its client listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aima.errors import AimaError, ExecutionFailed
from aima.gateway.accounts import Spent
from aima.gateway.problem import openai_error
from aima.ports.inference import Outlet

EVENTS = "text/event-stream"
MOST_READ_BYTES = 4 << 20
"""Of an answer that is JSON; what a larger one tells of its usage is not looked for."""
_LONGEST_EVENT = 16 << 20
_NULL = (b'"usage":null', b'"usage": null')
_ENDS = (b"\n\n", b"\r\n\r\n")

Done = TypeVar("Done")


class Relayed(Response):
    """Asks when it is sent, and sends what comes."""

    def __init__(
        self,
        ask: Callable[[Outlet], Awaitable[None]],
        spent: Spent,
        *,
        closing: tuple[bytes, ...] = (b"",),
        tells_usage: bool = True,
    ) -> None:
        """Relay what ``ask`` gives.

        Args:
            ask: asks an engine, whose answer goes to the outlet.
            spent: learns what the answer cost.
            closing: one of them stands in the last of its events.
            tells_usage: the client wants the event that tells what it cost.
        """
        self._ask = ask
        self._spent = spent
        self._closing = closing
        self._tells_usage = tells_usage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the answer on; when the client goes the engine is stopped."""
        passing = _Passing(send, self._spent, closing=self._closing, tells_usage=self._tells_usage)
        await passed_on(Request(scope, receive), self._ask, passing)


class Passing(Outlet, Protocol):
    """Sends an answer to a client in the form that the client reads."""

    @property
    def events_began(self) -> bool:
        """Tell whether a failure can only be told as an event."""
        ...

    async def fail(self, error: AimaError) -> None:
        """Tell of a failure in the middle of the events; a short answer must not seem whole."""
        ...

    async def close(self) -> None:
        """End the answer."""
        ...


async def passed_on(
    request: Request, ask: Callable[[Outlet], Awaitable[None]], passing: Passing
) -> None:
    """Ask, and pass the answer on for as long as the client listens."""
    try:
        await while_heard(request, _all(ask, passing))
    except ClientDisconnect:
        return  # nobody is there to be told


async def _all(ask: Callable[[Outlet], Awaitable[None]], passing: Passing) -> None:
    try:
        await ask(passing)
    except AimaError as error:
        if not passing.events_began:
            raise  # before the first byte it is an answer like any other
        await passing.fail(error)
    await passing.close()


async def while_heard(request: Request, work: Coroutine[Any, Any, Done]) -> Done:
    """Do work for as long as the client listens.

    Raises:
        ClientDisconnect: it went, and the work was cancelled.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        with suppress(asyncio.CancelledError, AimaError):
            await working


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Passing:
    """Sends an answer's bytes on, and reads along what it cost."""

    def __init__(
        self, send: Send, spent: Spent, *, closing: tuple[bytes, ...], tells_usage: bool
    ) -> None:
        self._send = send
        self._closing = closing
        self._spent = spent
        self._tells_usage = tells_usage
        self._headers: list[tuple[bytes, bytes]] = []
        self._events = False
        self._began = False
        self._closed = False
        self._rest = b""
        self._read = bytearray()

    @property
    def events_began(self) -> bool:
        """Tell whether a failure can only be told as an event."""
        return self._began and self._events

    def begin(self, engine: str, model: str, media_type: str) -> None:
        """Learn who answers, and in which form."""
        self._spent.engine, self._spent.model = engine, model
        self._events = media_type.startswith(EVENTS)
        told = {"content-type": media_type, "x-aima-engine": engine, "x-aima-model": model}
        if self._events:
            told |= {"cache-control": "no-store", "x-accel-buffering": "no"}
        self._headers = [(k.encode(), v.encode("latin-1", "replace")) for k, v in told.items()]

    async def write(self, chunk: bytes) -> None:
        """Send bytes on, events only when they are whole."""
        if self._events:
            chunk = self._whole_events(chunk)
        elif len(self._read) <= MOST_READ_BYTES:
            self._read += chunk
        if chunk:
            await self._pass(chunk)

    async def end(self) -> None:
        """See whether that was all.

        Raises:
            ExecutionFailed: the events have no end, so a part may be missing.
        """
        if self._events and not self._closed:
            raise ExecutionFailed(
                f"engine {self._spent.engine!r} broke off before the end of its answer"
            )
        if not self._events:
            self._spent.read(bytes(self._read))

    async def fail(self, error: AimaError) -> None:
        """Tell of a failure in the middle of the events; a short answer must not seem whole."""
        await self._pass(b"data: " + json.dumps(openai_error(error)).encode() + b"\n\n")

    async def close(self) -> None:
        """End the answer."""
        if not self._began:
            await self._pass(b"")
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass(self, chunk: bytes) -> None:
        if not self._began:
            self._began = True
            head = {"type": "http.response.start", "status": 200, "headers": self._headers}
            await self._send(head)
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    def _whole_events(self, chunk: bytes) -> bytes:
        """Take bytes in; give the events that are whole now, without what nobody asked for."""
        data = self._rest + chunk
        ends = max((data.rfind(end) + len(end) for end in _ENDS if end in data), default=0)
        whole, self._rest = data[:ends], data[ends:]
        if len(self._rest) > _LONGEST_EVENT:
            raise ExecutionFailed(f"engine {self._spent.engine!r} sends an event without an end")
        self._closed = self._closed or any(end in whole for end in self._closing)
        if b'"usage"' not in whole:
            return whole
        return b"".join(event for event in _events(whole) if self._is_wanted(event))

    def _is_wanted(self, event: bytes) -> bool:
        """Note what an event tells of the cost; one that tells nothing else may be unwanted."""
        if b'"usage"' not in event or any(null in event for null in _NULL):
            return True
        told = self._spent.read(event[event.find(b"{") :])
        return self._tells_usage or told.get("choices") != []


def _events(whole: bytes) -> list[bytes]:
    """Cut whole events apart, each with its end."""
    end = b"\r\n\r\n" if b"\r\n\r\n" in whole else b"\n\n"
    return [event + end for event in whole.split(end) if event]
