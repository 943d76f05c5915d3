"""Server-sent events: what a browser's `EventSource` and `curl -N` read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import StreamingResponse

from aima.errors import AimaError, InvalidRequest

EVENTS = "text/event-stream"

RETRY_MS = 2_000
"""How long a client waits before it comes again."""

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}

Told = TypeVar("Told")


class Brief(BaseModel):
    """What every stream can be asked."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(
        default=0, ge=0, le=86_400, description="End the stream after so long. 0: do not."
    )


async def within(told: AsyncGenerator[Told], seconds: float) -> AsyncGenerator[Told]:
    """Give what there is to tell for so many seconds; 0: all of it."""
    ends = asyncio.get_running_loop().time() + seconds if seconds else None
    async with aclosing(told):
        while True:
            try:
                async with asyncio.timeout_at(ends):
                    more = await anext(told)
            except (TimeoutError, StopAsyncIteration):
                return
            yield more


def event(kind: str, data: object, *, number: int | None = None) -> bytes:
    """Write one event; a client that comes again names the number of the last it has seen."""
    name = f"id: {number}\n" if number is not None else ""
    return f"{name}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def streamed(told: AsyncGenerator[Told], write: Callable[[Told], bytes]) -> StreamingResponse:
    """Answer with events, the first of which is awaited: what fails before it has a status.

    Raises:
        AimaError: there is nothing to tell.
    """
    first = await anext(told)

    async def events() -> AsyncIterator[bytes]:
        yield f"retry: {RETRY_MS}\n\n".encode() + write(first)
        try:
            async with aclosing(told):
                async for more in told:
                    yield write(more)
        except AimaError as error:  # the status is sent; whoever reads must learn of it here
            wrong = {"code": error.code, "status": error.status, "detail": error.message}
            yield event("error", {**wrong, "retryable": error.retryable})
        yield event("end", {})

    return StreamingResponse(events(), media_type=EVENTS, headers=HEADERS)


def since(request: Request) -> int | None:
    """Tell after which number the client wants to hear more; None: from the start.

    A client that comes again says so in `Last-Event-ID`, whatever its address still says.

    Raises:
        InvalidRequest: it is no number.
    """
    given = request.headers.get("last-event-id") or request.query_params.get("since") or None
    if given is None:
        return None
    if not given.isascii() or not given.isdecimal() or len(given) > 18:  # noqa: PLR2004 - 64 bits
        raise InvalidRequest(f"{given[:40]!r} is no number; give the last one that was told")
    return int(given)
