"""Chats whose answers are told in the words of another API, whole or as they come."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aima.errors import AimaError, ExecutionFailed
from aima.gateway.accounts import Spent
from aima.gateway.relaying import passed_on
from aima.gateway.sse import EVENTS, HEADERS
from aima.ports.inference import Outlet

MOST_ANSWER_BYTES = 64 << 20
_DONE = b"[DONE]"

Ask = Callable[[Outlet], Awaitable[None]]
"""Asks an engine, whose answer goes to the outlet."""


class Teller(Protocol):
    """Tells an answer's events in the words of an API."""

    def take(self, chunk: dict[str, Any]) -> Iterable[bytes]:
        """Give the events of one chunk of the chat."""
        ...

    async def end(self) -> bytes:
        """Give the events that end the answer."""
        ...

    def fail(self, error: AimaError) -> bytes:
        """Give the events that tell of a failure in the middle."""
        ...


async def whole(ask: Ask, spent: Spent) -> dict[str, Any]:
    """Ask, and give the whole answer."""
    answer = _Collected(spent)
    await ask(answer)
    return spent.read(bytes(answer.body))


class _Collected:
    """Takes a whole answer."""

    def __init__(self, spent: Spent) -> None:
        self.body = bytearray()
        self._spent = spent

    def begin(self, engine: str, model: str, media_type: str) -> None:
        """Learn who answers."""
        del media_type
        self._spent.engine, self._spent.model = engine, model
        self.body.clear()

    async def write(self, chunk: bytes) -> None:
        """Take bytes."""
        self.body += chunk
        if len(self.body) > MOST_ANSWER_BYTES:
            raise ExecutionFailed(f"engine {self._spent.engine!r} answers without an end")

    async def end(self) -> None:
        """Learn that this was all."""


class Retold(Response):
    """Asks when it is sent, and tells the answer's events as they come."""

    def __init__(self, ask: Ask, teller: Teller, spent: Spent) -> None:
        """Tell what ``ask`` gives; ``spent`` learns what it cost."""
        self._ask = ask
        self._teller = teller
        self._spent = spent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell the events; when the client goes the engine is stopped."""
        told = _Told(send, self._teller, self._spent)
        await passed_on(Request(scope, receive), self._ask, told)


class _Told:
    """Takes the events of a chat and sends those of the other API."""

    def __init__(self, send: Send, teller: Teller, spent: Spent) -> None:
        self.events_began = False
        self._send = send
        self._teller = teller
        self._spent = spent
        self._rest = b""
        self._done = False

    def begin(self, engine: str, model: str, media_type: str) -> None:
        """Learn who answers.

        Raises:
            ExecutionFailed: not with events.
        """
        self._spent.engine, self._spent.model = engine, model
        if not media_type.startswith(EVENTS):
            raise ExecutionFailed(f"engine {engine!r} does not answer with events")

    async def write(self, chunk: bytes) -> None:
        """Take bytes, and tell what is whole."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MOST_ANSWER_BYTES:
            raise ExecutionFailed(f"engine {self._spent.engine!r} sends an event without an end")
        told = b"".join(part for line in lines for part in self._line(line.strip()))
        if told:
            await self._pass(told)

    async def end(self) -> None:
        """Tell the end.

        Raises:
            ExecutionFailed: a part may be missing.
        """
        if not self._done:
            raise ExecutionFailed(
                f"engine {self._spent.engine!r} broke off before the end of its answer"
            )
        await self._pass(await self._teller.end())

    async def fail(self, error: AimaError) -> None:
        """Tell of a failure in the middle of the events."""
        await self._pass(self._teller.fail(error))

    async def _pass(self, data: bytes) -> None:
        """Send bytes, behind a head."""
        if not self.events_began:
            self.events_began = True
            head = {"content-type": EVENTS, "x-aima-engine": self._spent.engine, **HEADERS}
            headers = [(k.encode(), v.encode("latin-1", "replace")) for k, v in head.items()]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def close(self) -> None:
        """End the answer."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _line(self, line: bytes) -> Iterable[bytes]:
        """Give the events of a line of the chat's stream; a sign of life is passed on."""
        if line.startswith(b":"):
            return (line + b"\n\n",)
        if not line.startswith(b"data:"):
            return ()
        data = line.removeprefix(b"data:").strip()
        if data == _DONE:
            self._done = True
            return ()
        try:
            chunk = json.loads(data)
        except ValueError as error:
            raise ExecutionFailed(f"engine {self._spent.engine!r} sent a broken event") from error
        if not isinstance(chunk, dict):
            raise ExecutionFailed(f"engine {self._spent.engine!r} sent a broken event")
        if "error" in chunk:
            said = chunk["error"]
            said = said.get("message") if isinstance(said, dict) else said
            raise ExecutionFailed(f"engine {self._spent.engine!r} failed: {str(said)[:500]}")
        if chunk.get("usage"):
            self._spent.read(data)
        return self._teller.take(chunk)
