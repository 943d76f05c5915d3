"""The door's part in showing answers while they are made: workers write, whoever watches reads."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aima.gateway.incoming import accept, body_of
from aima.streams.hub import Hub, Said


class Say(BaseModel):
    """Which piece of which answer is sent; the body is the piece."""

    model_config = ConfigDict(extra="forbid")

    run: str = Field(min_length=1, max_length=1000)
    step: str = Field(min_length=1, max_length=1000)
    attempt: int = Field(ge=0)
    offset: int = Field(ge=0)
    ended: bool = False


class Listen(BaseModel):
    """Whose answer is read."""

    model_config = ConfigDict(extra="forbid")

    run: str
    step: str


class StreamRoutes:
    """Writing to the hub and reading from it."""

    def __init__(self, hub: Hub) -> None:
        """Serve a hub."""
        self._hub = hub

    async def write(self, request: Request) -> Response:
        """Take a piece in; tell how much of that attempt is here."""
        say = accept(Say.model_validate, dict(request.query_params), what="the query")
        data = await body_of(request)
        media_type = request.headers.get("content-type", "application/octet-stream")
        said = Said(say.step, say.attempt, say.offset, data, media_type, say.ended)
        return JSONResponse({"have": self._hub.say(say.run, said)})

    async def read(self, request: Request) -> Response:
        """Stream all that the steps of a run show, from the beginning, as JSON lines."""
        run = request.path_params["id"]
        return self._lines(run, request.query_params.get("step"))

    async def listen(self, request: Request) -> Response:
        """Stream what one step shows, for a worker whose step follows it."""
        asked = accept(Listen.model_validate, dict(request.query_params), what="the query")
        return self._lines(asked.run, asked.step)

    def _lines(self, run: str, step: str | None) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            async with aclosing(self._hub.read(run, step)) as pieces:
                async for said in pieces:
                    yield json.dumps(as_json(said), ensure_ascii=False).encode() + b"\n"

        return StreamingResponse(lines(), media_type="application/jsonl")


def as_json(said: Said) -> dict[str, object]:
    """Write a piece: text as ``text``, anything else as ``base64``."""
    told: dict[str, object] = {
        "type": "piece",
        "step": said.step,
        "attempt": said.attempt,
        "offset": said.offset,
        "media_type": said.media_type,
        "ended": said.ended,
    }
    if said.media_type.startswith("text/"):
        return {**told, "text": said.data.decode(errors="replace")}
    return {**told, "base64": base64.b64encode(said.data).decode("ascii")}
