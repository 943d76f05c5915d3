"""The door's addresses of the Messages API.

A request is asked as a chat of OpenAI's API, which every engine of chats takes, and the answer is
told back as it comes. Source: the API's public reference, version 2023-06-01.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from aima.errors import AimaError, ExecutionFailed
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Permission
from aima.gateway.accounts import SPENT, Spent
from aima.gateway.incoming import read
from aima.gateway.messages.answered import Events, message
from aima.gateway.messages.asked import Asked
from aima.gateway.openai.remote_media import bring_in
from aima.gateway.openai.translation.translated import Translated
from aima.gateway.problem import anthropic_error
from aima.gateway.relaying import passed_on, while_heard
from aima.gateway.route import Way
from aima.gateway.sse import EVENTS, HEADERS, event
from aima.outbound import Outbound
from aima.ports.inference import ModelType, Outlet, RelayRequest

MOST_BYTES = 96 << 20
MOST_ANSWER_BYTES = 64 << 20
_DONE = b"[DONE]"
_TURN = {"role": "user", "content": "Why is the sky blue?"}
_EXAMPLE = {"model": "default", "max_tokens": 100, "messages": [_TURN]}
_ASKS = About(body=Asked, example=_EXAMPLE)
_CREATES = About(body=Asked, example=_EXAMPLE, gives=(JSON, EVENTS))


@dataclass(frozen=True)
class MessagesRoutes:
    """Answers conversations of the Messages API.

    Attributes:
        outbound: fetches what requests name by address; no engine does that for them.
    """

    engines: Translated
    outbound: Outbound

    def ways(self) -> list[Way]:
        """Give the addresses."""
        use = Permission.INFERENCE_USE
        return [
            Way("POST", "/v1/messages", self.create, use, MOST_BYTES, about=_CREATES),
            Way("POST", "/v1/messages/count_tokens", self.count, use, MOST_BYTES, about=_ASKS),
        ]

    async def create(self, request: Request) -> Response:
        """Go on with a conversation."""
        asked, body, kind = await self._asked(request)
        wanted = RelayRequest(model=asked.model, path="chat/completions", body=body)
        spent = request.scope[SPENT] = Spent()
        if asked.stream:
            return _Streamed(partial(self.engines.relay, wanted, kind), Events(asked.model), spent)
        told = await while_heard(request, self._whole(wanted, kind, spent))
        return JSONResponse(message(told, asked.model))

    async def count(self, request: Request) -> Response:
        """Count the tokens of a conversation: the engine reads it and writes one."""
        asked, body, kind = await self._asked(request)
        body = {key: value for key, value in body.items() if not key.startswith("stream")}
        wanted = RelayRequest(
            model=asked.model, path="chat/completions", body=body | {"max_tokens": 1}
        )
        spent = request.scope[SPENT] = Spent()
        await while_heard(request, self._whole(wanted, kind, spent))
        if spent.prompt_tokens is None:
            raise ExecutionFailed(f"engine {spent.engine!r} does not tell how much it read")
        return JSONResponse({"input_tokens": spent.prompt_tokens})

    async def _asked(self, request: Request) -> tuple[Asked, dict[str, Any], ModelType]:
        asked = await read(request, Asked)
        body = asked.chat()
        await while_heard(request, bring_in(body, self.outbound))
        return asked, body, "vlm" if asked.sees() else "llm"

    async def _whole(self, wanted: RelayRequest, kind: ModelType, spent: Spent) -> dict[str, Any]:
        answer = _Collected(spent)
        await self.engines.relay(wanted, kind, answer)
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


class _Streamed(Response):
    """Asks when it is sent, and tells the answer's events as they come."""

    def __init__(
        self, ask: Callable[[Outlet], Awaitable[None]], events: Events, spent: Spent
    ) -> None:
        self._ask = ask
        self._events = events
        self._spent = spent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell the events; when the client goes the engine is stopped."""
        told = _Told(send, self._events, self._spent)
        await passed_on(Request(scope, receive), self._ask, told)


class _Told:
    """Takes the events of a chat and sends those of the Messages API."""

    def __init__(self, send: Send, events: Events, spent: Spent) -> None:
        self.events_began = False
        self._send = send
        self._events = events
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
        await self._pass(b"".join(self._events.end()))

    async def fail(self, error: AimaError) -> None:
        """Tell of a failure in the middle of the events."""
        await self._pass(event("error", anthropic_error(error)))

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

    def _line(self, line: bytes) -> list[bytes]:
        """Give the events of a line of the chat's stream."""
        if not line.startswith(b"data:"):
            return []
        data = line.removeprefix(b"data:").strip()
        if data == _DONE:
            self._done = True
            return []
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
        return list(self._events.take(chunk))
