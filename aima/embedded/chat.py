"""Chat: the request checked and bounded, llama.cpp asked, its answer passed on."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from aima.embedded.chat_request import ChatBody, CompleteBody
from aima.embedded.failure import WrongField, failure_body
from aima.embedded.llama import LlamaServer
from aima.embedded.resident import Resident
from aima.embedded.stopping import while_wanted
from aima.embedded.turns import Turns
from aima.errors import AimaError, Cancelled, ExecutionFailed, TooLarge
from aima.models.manifest import Model

TIMEOUT = httpx2.Timeout(10, read=600)
"""A long prompt on a busy machine takes minutes before its first token."""

STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]


class Clock:
    """The engine's own time, told beside llama.cpp's."""

    def __init__(self) -> None:
        """Start."""
        self._begun = time.monotonic()
        self.load_ms = 0.0

    def stamp(self, answer: dict[str, Any]) -> None:
        """Write the time so far into an answer's ``timings``."""
        total_ms = (time.monotonic() - self._begun) * 1000
        own = {"total_ms": round(total_ms, 1), "load_ms": round(self.load_ms, 1)}
        answer["timings"] = answer.get("timings", {}) | own


@dataclass(frozen=True)
class Chat:
    """A chat model behind its queue."""

    model: Model
    resident: Resident[LlamaServer]
    turns: Turns
    max_tokens: int
    context_tokens: int

    @property
    def loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self.resident.loaded

    async def answer(
        self, request: Request, body: ChatBody | CompleteBody, *, called: str = ""
    ) -> Response:
        """Answer a conversation or continue a text, whole or as a stream of events.

        ``called`` is the name under which the model answers; none means its own.
        """
        asked = self._asked(body)
        if body.stream:
            return _EventStream(self, asked, _Telling(called, body.stream_options.include_usage))
        clock = Clock()
        answer = await while_wanted(request, self._whole(asked, clock))
        clock.stamp(answer)
        return JSONResponse(answer | ({"model": called} if called else {}))

    async def whole(self, body: ChatBody, clock: Clock) -> dict[str, Any]:
        """Give the answer to a conversation as llama.cpp tells it."""
        return await self._whole(self._asked(body), clock)

    def _asked(self, body: ChatBody | CompleteBody) -> dict[str, JsonValue]:
        return body.for_llama(max_tokens=self.max_tokens, context_tokens=self.context_tokens)

    async def _whole(self, asked: dict[str, JsonValue], clock: Clock) -> dict[str, Any]:
        async with self.upstream(asked, clock) as response:
            answer: dict[str, Any] = json.loads(await response.aread())
            return answer

    @asynccontextmanager
    async def upstream(
        self, asked: dict[str, JsonValue], clock: Clock
    ) -> AsyncIterator[httpx2.Response]:
        """Have llama.cpp's successful response; leaving closes it, which ends its work.

        Raises:
            RateLimited: too many wait for this model.
            TooLarge: the conversation does not fit the model.
            WrongField: llama.cpp does not understand the request.
        """
        async with self.turns.turn():
            loaded = await self.resident.get()
            clock.load_ms = loaded.load_ms
            async with _asked(loaded.value, asked) as response:
                if response.is_error:
                    raise _refusal(await response.aread(), asked)
                yield response


@dataclass(frozen=True)
class _Telling:
    """What a stream's events tell beside the text."""

    called: str
    usage: bool


class _EventStream(Response):
    """Server-sent events; nothing is sent before llama.cpp accepted the request."""

    def __init__(self, chat: Chat, asked: dict[str, JsonValue], telling: _Telling) -> None:
        super().__init__()
        self._chat = chat
        self._asked = asked
        self._telling = telling
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await while_wanted(Request(scope, receive), self._send(send))
        except AimaError as error:
            if not self._begun:
                raise
            # The status is out: the stream itself tells, unless nobody is there to hear.
            if not isinstance(error, Cancelled):
                await send({"type": "http.response.body", "body": _event(failure_body(error))})

    async def _send(self, send: Send) -> None:
        clock = Clock()
        async with self._chat.upstream(self._asked, clock) as response:
            self._begun = True
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            async for line in response.aiter_lines():
                if event := self._passed_on(line, clock):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _passed_on(self, line: str, clock: Clock) -> bytes:
        """Give what the client gets for a line of llama.cpp's stream."""
        if not line.startswith("data:"):
            return b""
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return b"data: [DONE]\n\n"
        event = json.loads(data)
        if "timings" in event:
            clock.stamp(event)
        if not self._telling.usage:
            event.pop("usage", None)
        if self._telling.called:
            event["model"] = self._telling.called
        return _event(event)


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


@asynccontextmanager
async def _asked(llama: LlamaServer, body: dict[str, JsonValue]) -> AsyncIterator[httpx2.Response]:
    headers = {"authorization": f"Bearer {llama.api_key}"}
    path = "/v1/chat/completions" if "messages" in body else "/v1/completions"
    try:
        async with (
            httpx2.AsyncClient(base_url=llama.url, timeout=TIMEOUT, trust_env=False) as client,
            client.stream("POST", path, json=body, headers=headers) as response,
        ):
            yield response
    except httpx2.HTTPError as error:
        raise ExecutionFailed(f"llama.cpp broke off ({error!r}); ask again") from error


def _refusal(body: bytes, asked: dict[str, JsonValue]) -> AimaError:
    """Translate llama.cpp's refusal."""
    told = json.loads(body)["error"]
    if told["type"] == "exceed_context_size_error":
        return TooLarge(
            f"the conversation has {told['n_prompt_tokens']} tokens and the model holds "
            f"{told['n_ctx']}; shorten it, or raise AIMA_EMBEDDED_CONTEXT_TOKENS"
        )
    reason = str(told["message"]).rpartition("failed: ")[2]
    if told["type"] != "invalid_request_error":
        return ExecutionFailed(f"llama.cpp refused: {reason}")
    field = "response_format" if "response_format" in asked else "messages"
    return WrongField(field if "messages" in asked else "prompt", reason)
