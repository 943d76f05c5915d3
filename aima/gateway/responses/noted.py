"""Answers of engines that have the Responses API: passed on as they come, and kept."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aima.ports.inference import Outlet

_ENDS = (b'"response.completed"', b'"response.incomplete"')
_MOST_BYTES = 2 << 20
"""Of a line that is looked at; an answer that is larger is not kept."""


class Noted:
    """Passes the events of an answer on; whoever hears that it is whole can ask for it."""

    def __init__(self, outlet: Outlet, keep: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """Pass on to ``outlet``; ``keep`` gets the whole answer before."""
        self._outlet = outlet
        self._keep = keep
        self._rest = b""

    def begin(self, engine: str, model: str, media_type: str) -> None:
        """Learn who answers."""
        self._rest = b""
        self._outlet.begin(engine, model, media_type)

    async def write(self, chunk: bytes) -> None:
        """Take bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _MOST_BYTES:
            self._rest = b""
        for line in lines:
            if line.startswith(b"data:") and any(end in line for end in _ENDS):
                await self._note(line.removeprefix(b"data:"))
        await self._outlet.write(chunk)

    async def end(self) -> None:
        """Learn that this was all."""
        await self._outlet.end()

    async def _note(self, data: bytes) -> None:
        try:
            told = json.loads(data)
        except ValueError:
            return
        response = told.get("response") if isinstance(told, dict) else None
        if isinstance(response, dict) and isinstance(response.get("id"), str):
            await self._keep(response)
