"""Chat: the request checked and bounded, llama.cpp asked, its answer passed on."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from aima.embedded.chat_request import ChatBody
from aima.embedded.failure import failure_body
from aima.embedded.llama import LlamaServer
from aima.embedded.resident import Resident
from aima.embedded.stopping import while_wanted
from aima.embedded.turns import Turns
from aima.errors import AimaError, Cancelled, ExecutionFailed, TooLarge, ValidationFailed

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]
TIMEOUT = httpx2.Timeout(10, read=600)
"""A long prompt on a busy machine takes minutes before its first token."""


@dataclass(frozen=True)
class Chat:
    """A chat model behind its queue."""

    resident: Resident[LlamaServer]
    turns: Turns
    max_tokens: int
    context_tokens: int

    async def answer(self, request: Request, body: ChatBody) -> Response:
        """Answer a conversation, whole or as a stream of events."""
        asked = body.for_llama(max_tokens=self.max_tokens, context_tokens=self.context_tokens)
        if body.stream:
            wants_usage = bool(body.stream_options and body.stream_options.include_usage)
            return _EventStream(self, asked, wants_usage=wants_usage)
        return await while_wanted(request, self._whole(asked))

    async def _whole(self, asked: dict[str, Any]) -> Response:
        clock = _Clock()
        async with self.upstream(asked, clock) as response:
            answer = json.loads(await response.aread())
        clock.stamp(answer)
        return JSONResponse(answer)

    @asynccontextmanager
    async def upstream(
        self, asked: dict[str, Any], clock: _Clock
    ) -> AsyncIterator[httpx2.Response]:
        """Have llama.cpp's successful response; leaving closes it, which ends its work."""
        loaded = await self.resident.get()
        clock.load_ms = loaded.load_ms
        llama = loaded.value
        async with (
            self.turns.turn(),
            _translated(),
            httpx2.AsyncClient(base_url=llama.url, timeout=TIMEOUT, trust_env=False) as client,
            client.stream(
                "POST",
                "/v1/chat/completions",
                json=asked,
                headers={"authorization": f"Bearer {llama.api_key}"},
            ) as response,
        ):
            if response.is_error:
                raise _refusal(await response.aread())
            yield response


class _Clock:
    """The engine's own time beside llama.cpp's."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self.load_ms = 0.0

    def stamp(self, answer: dict[str, Any]) -> None:
        total = (time.monotonic() - self._begun) * 1000
        answer["timings"] = answer.get("timings", {}) | {
            "total_ms": round(total, 1),
            "load_ms": round(self.load_ms, 1),
        }


class _EventStream(Response):
    """Server-sent events; nothing is sent before llama.cpp accepts the request."""

    def __init__(self, chat: Chat, asked: dict[str, Any], *, wants_usage: bool) -> None:
        self._chat = chat
        self._asked = asked
        self._wants_usage = wants_usage
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await while_wanted(Request(scope, receive), self._send(send))
        except AimaError as error:
            if not self._begun:
                raise
            # The status is out: the stream itself tells, unless nobody is there to hear.
            if not isinstance(error, Cancelled):
                event = f"data: {json.dumps(failure_body(error))}\n\n".encode()
                await send({"type": "http.response.body", "body": event})

    async def _send(self, send: Send) -> None:
        clock = _Clock()
        async with self._chat.upstream(self._asked, clock) as response:
            self._begun = True
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            async for line in response.aiter_lines():
                if event := self._event(line, clock):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _event(self, line: str, clock: _Clock) -> bytes:
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data == "[DONE]":
            return f"{line}\n\n".encode() if data else b""
        event = json.loads(data)
        if "timings" in event:
            clock.stamp(event)
        if "usage" in event and not self._wants_usage:
            del event["usage"]
        return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except httpx2.HTTPError as error:
        raise ExecutionFailed(f"llama.cpp broke off ({error!r}); ask again") from error


def _refusal(body: bytes) -> AimaError:
    """Translate llama.cpp's refusal."""
    told = json.loads(body).get("error", {})
    if told.get("type") == "exceed_context_size_error":
        return TooLarge(
            f"the conversation has {told.get('n_prompt_tokens')} tokens and the model holds "
            f"{told.get('n_ctx')}; shorten it, or raise AIMA_EMBEDDED_CONTEXT_TOKENS"
        )
    message = str(told.get("message", body[:200].decode(errors="replace")))
    if told.get("type") == "invalid_request_error":
        return ValidationFailed(message)
    return ExecutionFailed(f"llama.cpp refused: {message}")
