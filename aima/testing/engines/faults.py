"""What goes wrong with a fake engine, and how fast it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class StreamError(Exception):
    """To be told in the middle of a stream, in the words of its dialect."""


class Faults(BaseModel):
    """Knobs; as they are by default, nothing is wrong and nothing takes time."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    latency: float = Field(default=0, ge=0, description="Seconds before any answer.")
    ttft: float = Field(default=0, ge=0, description="Seconds before the first token.")
    token_seconds: float = Field(default=0, ge=0, description="Seconds before each further one.")
    tokens: int = Field(default=5, ge=1, description="Tokens of an answer unless asked for fewer.")
    fail_every: int = Field(default=0, ge=0, description="Each so-many-th request fails. 0: none.")
    status: int = Field(default=500, ge=400, le=599, description="How it fails.")
    retry_after: int | None = Field(default=None, description="Sent with a failure, seconds.")
    hang: bool = Field(default=False, description="Never send a first byte.")
    die_after: int | None = Field(default=None, description="Cut a stream after so many tokens.")
    error_after: int | None = Field(
        default=None, description="Tell an error after so many tokens, in the middle of a stream."
    )
    drip: float = Field(default=0, ge=0, description="Seconds before each byte of an answer.")
    crash_after: int = Field(
        default=0, ge=0, description="End as in a crash with the so-many-th request. 0: never."
    )
    fail_start: bool = Field(default=False, description="The program ends before it listens.")
    bad_utf8: bool = Field(default=False, description="Write tokens that are not UTF-8.")
    garbage: bool = Field(default=False, description="Answer a web page where JSON is expected.")
    malformed: bool = Field(default=False, description="Answer half of a JSON object.")
    empty: bool = Field(default=False, description="Answer nothing, with status 200.")
    endless: bool = Field(default=False, description="Never stop writing.")
    memory_short: bool = Field(default=False, description="No model can be brought in.")
    memory_bytes: int = Field(default=1000, ge=0, description="What a model takes, where told.")
    load_delay: float = Field(default=0, ge=0, description="Seconds to bring a model in.")
    models: tuple[str, ...] = Field(
        default=(), description="Names of its models, in dialects that list them. None: `fake`."
    )
    no_metrics: bool = Field(default=False, description="Count nothing: no `/metrics`.")
    asked: int = Field(default=0, description="Requests so far that an engine would work for.")

    _crash: Callable[[], None] | None = PrivateAttr(default=None)

    def crash_by(self, crash: Callable[[], None]) -> None:
        """Say how the program ends that these faults belong to."""
        self._crash = crash

    async def before(self, request: Request, refusal: Callable[[str], object]) -> Response | None:
        """Count a request; give what it gets in place of an answer, if anything."""
        self.asked += 1
        if self.crash_after and self.asked >= self.crash_after:
            if self._crash is not None:
                self._crash()
            return StreamingResponse(_cut())
        body = await request.body()
        if self.hang:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        await asyncio.sleep(self.latency)
        if self.fail_every and self.asked % self.fail_every == 0:
            headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
            told = refusal("a fault that was asked for")
            return JSONResponse(told, self.status, headers=headers)
        if spoilt := self._spoilt():
            return spoilt
        if self.endless and b'"stream":true' not in body.replace(b" ", b""):
            return StreamingResponse(_flood(request), media_type="application/json")
        return None

    def _spoilt(self) -> Response | None:
        """Give an answer that is none."""
        if self.garbage:
            return Response(b"<html>\xff this is no answer", media_type="text/html")
        if self.malformed:
            return Response(b'{"model": "fake", "cho', media_type="application/json")
        return Response(b"", media_type="application/json") if self.empty else None

    async def words(self, request: Request, most: int | None) -> AsyncIterator[str]:
        """Write the tokens of an answer, at their pace."""
        count = min(self.tokens, most or self.tokens)
        number = 0
        while number < count or (self.endless and not await request.is_disconnected()):
            await asyncio.sleep(self.token_seconds if number else self.ttft)
            if number == self.die_after:
                raise ConnectionAbortedError("a death that was asked for")
            if number == self.error_after:
                raise StreamError("a fault that was asked for")
            yield f"w{number}" if number == 0 else f" w{number}"
            number += 1

    def encoded(self, text: str) -> bytes:
        """Encode what is sent, or spoil it."""
        data = text.encode()
        return data.replace(b" w", b" \xffw") if self.bad_utf8 else data


class Hindered:
    """An application whose answers are slow or missing as its faults say, whatever they are."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        """Hinder ``app``."""
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if self.faults.no_metrics and scope.get("path") == "/metrics":
            await Response(status_code=404)(scope, receive, send)
            return

        async def slowly(message: Message) -> None:
            body = message.get("body", b"")
            if not self.faults.drip or len(body) < 2:  # noqa: PLR2004 - nothing to take apart
                await send(message)
                return
            for index in range(len(body)):
                await asyncio.sleep(self.faults.drip)
                last = index == len(body) - 1 and not message.get("more_body", False)
                await send({**message, "body": body[index : index + 1], "more_body": not last})

        await self.app(scope, receive, slowly)


async def change(request: Request, faults: Faults) -> Response:
    """Change knobs by their names."""
    for name, value in (await request.json()).items():
        setattr(faults, name, value)
    return JSONResponse(faults.model_dump())


async def _cut() -> AsyncIterator[bytes]:
    """Begin an answer whose connection then is gone."""
    yield b" "
    raise ConnectionAbortedError("a crash that was asked for")


async def _flood(request: Request) -> AsyncIterator[bytes]:
    yield b'{"model": "'
    while not await request.is_disconnected():
        yield b"x" * 65_536
