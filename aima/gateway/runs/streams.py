"""The door's part in showing answers while they are made: workers write, whoever watches reads."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aima.gateway.sse import Brief, within
from aima.mistakes import accept
from aima.streams.hub import Hub, Reader, Said

T = TypeVar("T")


class Say(BaseModel):
    """Which piece of which answer is sent; the body is the piece."""

    model_config = ConfigDict(extra="forbid")

    run: str = Field(min_length=1, max_length=1000, description="The run's id.")
    step: str = Field(min_length=1, max_length=1000, description="The step's path.")
    attempt: int = Field(ge=0, description="Which attempt of it, from 1.")
    offset: int = Field(ge=0, description="Where in the stream the piece begins.")
    ended: bool = Field(default=False, description="Nothing follows.")


class Listen(Brief):
    """Whose answer is read."""

    run: str = Field(description="The run's id.")
    step: str = Field(description="The step's path.")


class Show(Brief):
    """What is read of a run."""

    step: str | None = Field(default=None, description="Only what this step shows.")


@dataclass(frozen=True)
class StreamRoutes:
    """Writing to the hub and reading from it."""

    hub: Hub

    async def write(self, request: Request) -> Response:
        """Take a piece in; tell how much of that attempt is here."""
        say = accept(Say.model_validate, dict(request.query_params), what="the query")
        data = await request.body()
        media_type = request.headers.get("content-type", "application/octet-stream")
        said = Said(say.run, say.step, say.attempt, say.offset, data, media_type, say.ended)
        return JSONResponse({"have": self.hub.say(said)})

    async def read(self, request: Request) -> Response:
        """Stream all that the steps of a run show, from the beginning, as JSON lines."""
        asked = accept(Show.model_validate, dict(request.query_params), what="the query")
        return self._lines(request.path_params["id"], asked.step, asked.seconds)

    async def listen(self, request: Request) -> Response:
        """Stream what one step shows, for a worker whose step follows it."""
        asked = accept(Listen.model_validate, dict(request.query_params), what="the query")
        return self._lines(asked.run, asked.step, asked.seconds)

    def _lines(self, run: str, step: str | None, seconds: float) -> Response:
        async def lines() -> AsyncGenerator[bytes]:
            async with aclosing(self.hub.read(run, step)) as pieces:
                async for said in pieces:
                    yield json.dumps(as_json(said), ensure_ascii=False).encode() + b"\n"

        return StreamingResponse(within(lines(), seconds), media_type="application/jsonl")


async def along(changes: AsyncGenerator[T], reader: Reader) -> AsyncGenerator[T | Said]:
    """Give what changes and, between, what is shown meanwhile, up to the end of the changes."""
    change: asyncio.Future[T | None] = asyncio.ensure_future(anext(changes, None))
    try:
        while True:
            more = asyncio.ensure_future(reader.changed())
            await asyncio.wait((change, more), return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
            ended = change.done()
            for said in reader.news():
                yield said
            if ended:
                found = change.result()
                if found is None:
                    return
                yield found
                change = asyncio.ensure_future(anext(changes, None))
    finally:
        change.cancel()
        await asyncio.wait((change,))


def as_json(said: Said) -> dict[str, object]:
    """Write a piece: text as ``text``, anything else as ``base64``."""
    told: dict[str, object] = {
        "type": "piece",
        "run": said.run,
        "step": said.step,
        "attempt": said.attempt,
        "offset": said.offset,
        "media_type": said.media_type,
        "ended": said.ended,
    }
    if said.media_type.startswith("text/"):
        return {**told, "text": said.data.decode(errors="replace")}
    return {**told, "base64": base64.b64encode(said.data).decode("ascii")}
