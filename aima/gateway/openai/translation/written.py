"""How answers are written: JSON, events, and what comes while it is made."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aima.gateway.sse import EVENTS
from aima.ports.engine import Engine
from aima.ports.inference import Outlet, Pieces, RelayRequest

JSON = "application/json"
DONE = b"data: [DONE]\n\n"

Reply = TypeVar("Reply")


async def as_it_comes(
    ask: Callable[[Pieces], Awaitable[Reply]], show: Callable[[str], Awaitable[None]]
) -> Reply:
    """Ask, and show each piece of the answer when it is there; a cancel stops the asking."""
    pieces: asyncio.Queue[str | bytes | None] = asyncio.Queue()
    asking = asyncio.ensure_future(ask(pieces.put_nowait))
    asking.add_done_callback(lambda _: pieces.put_nowait(None))
    try:
        while (piece := await pieces.get()) is not None:
            if piece:
                await show(piece if isinstance(piece, str) else piece.decode(errors="replace"))
        return await asking
    finally:
        asking.cancel()
        await asyncio.wait((asking,))


async def whole(
    answer: Outlet, engine: Engine, asked: RelayRequest, data: bytes, media_type: str
) -> None:
    """Give an answer that is one piece."""
    answer.begin(engine.name, asked.model, media_type)
    await answer.write(data)
    await answer.end()


async def told(answer: Outlet, engine: Engine, asked: RelayRequest, value: object) -> None:
    """Give an answer that is JSON."""
    await whole(answer, engine, asked, as_json(value), JSON)


class Stream:
    """Events, which begin with the first of them: what fails before it has a status."""

    def __init__(self, answer: Outlet, engine: Engine, asked: RelayRequest) -> None:
        """Begin nothing yet."""
        self._answer = answer
        self._who = engine.name, asked.model
        self._began = False

    async def tell(self, value: object) -> None:
        """Send an event."""
        await self._send(b"data: " + as_json(value) + b"\n\n")

    async def end(self) -> None:
        """Send the last one."""
        await self._send(DONE)
        await self._answer.end()

    async def _send(self, event: bytes) -> None:
        if not self._began:
            self._began = True
            self._answer.begin(*self._who, EVENTS)
        await self._answer.write(event)


def head(kind: str, prefix: str, model: str) -> dict[str, object]:
    """Give what every answer of a model begins with."""
    name = f"{prefix}-{secrets.token_hex(12)}"
    return {"id": name, "object": kind, "created": int(time.time()), "model": model}


def as_json(value: object) -> bytes:
    """Write a value."""
    return json.dumps(value, ensure_ascii=False).encode()
