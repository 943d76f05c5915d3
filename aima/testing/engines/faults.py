"""What goes wrong with a fake engine, and how fast it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse


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
        default=None, description="Tell an error in a stream after so many tokens (OpenAI's)."
    )
    drip: float = Field(
        default=0, ge=0, description="Seconds before each single byte of a stream (OpenAI's)."
    )
    bad_utf8: bool = Field(default=False, description="Write tokens that are not UTF-8.")
    garbage: bool = Field(default=False, description="Answer a web page where JSON is expected.")
    malformed: bool = Field(default=False, description="Answer half of a JSON object.")
    empty: bool = Field(default=False, description="Answer nothing, with status 200.")
    endless: bool = Field(default=False, description="Never stop writing.")
    memory_short: bool = Field(default=False, description="No model can be brought in.")
    load_delay: float = Field(default=0, ge=0, description="Seconds to bring a model in.")
    asked: int = Field(default=0, description="Requests so far that an engine would work for.")

    async def before(self, request: Request, refusal: Callable[[str], object]) -> Response | None:
        """Count a request; give what it gets in place of an answer, if anything."""
        self.asked += 1
        body = await request.body()
        if self.hang:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        await asyncio.sleep(self.latency)
        if self.fail_every and self.asked % self.fail_every == 0:
            headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
            told = refusal("a fault that was asked for")
            return JSONResponse(told, self.status, headers=headers)
        if self.garbage:
            return Response(b"<html>\xff this is no answer", media_type="text/html")
        if self.malformed:
            return Response(b'{"model": "fake", "cho', media_type="application/json")
        if self.empty:
            return Response(b"", media_type="application/json")
        if self.endless and b'"stream":true' not in body.replace(b" ", b""):
            return StreamingResponse(_flood(request), media_type="application/json")
        return None

    async def words(self, request: Request, most: int | None) -> AsyncIterator[str]:
        """Write the tokens of an answer, at their pace."""
        count = min(self.tokens, most or self.tokens)
        number = 0
        while number < count or (self.endless and not await request.is_disconnected()):
            await asyncio.sleep(self.token_seconds if number else self.ttft)
            if number == self.die_after:
                raise ConnectionAbortedError("a death that was asked for")
            yield f"w{number}" if number == 0 else f" w{number}"
            number += 1

    async def dripped(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Send a stream as it is, or byte by byte, as slowly as keeps a connection alive."""
        async for chunk in stream:
            for piece in [chunk[n : n + 1] for n in range(len(chunk))] if self.drip else [chunk]:
                await asyncio.sleep(self.drip)
                yield piece

    def encoded(self, text: str) -> bytes:
        """Encode what is sent, or spoil it."""
        data = text.encode()
        return data.replace(b" w", b" \xffw") if self.bad_utf8 else data


async def change(request: Request, faults: Faults) -> Response:
    """Change knobs by their names."""
    for name, value in (await request.json()).items():
        setattr(faults, name, value)
    return JSONResponse(faults.model_dump())


async def _flood(request: Request) -> AsyncIterator[bytes]:
    yield b'{"model": "'
    while not await request.is_disconnected():
        yield b"x" * 65_536
