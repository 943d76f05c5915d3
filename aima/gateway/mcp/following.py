"""Waiting for long work: its end in time, its progress, and a handle where it takes longer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import anyio

from aima.errors import Cancelled, error_class
from aima.gateway.mcp.rest import Refused
from aima.gateway.mcp.tool import Call, Told
from aima.gateway.problem import problem
from aima.gateway.units import operation

PATIENCE_SECONDS = 45.0
"""How long a tool waits for the end of its work; many clients give up after a minute."""

MOMENT_SECONDS = 0.5
"""How long it waits where the work may go on as a task, which its caller asks for by itself."""

LONGEST_WAIT_SECONDS = 60.0
"""As long as the API waits at once."""

CANCEL_SECONDS = 5.0

OPERATION: Mapping[str, Any] = {
    **operation.OPERATION,
    "title": "Operation",
    "description": "The work goes on: ask with `wait_operation`, stop it with `cancel_operation`.",
}


class GoesOnError(Exception):
    """The work goes on as a task; ``operation`` is what it is by now."""

    def __init__(self, operation: Told, /) -> None:
        """Carry the operation."""
        super().__init__(operation["id"])
        self.operation = operation


async def started(
    call: Call, path: str, body: object, *, seconds: float = PATIENCE_SECONDS
) -> Told:
    """Start work and wait for its end; whoever gives up waiting has it cancelled.

    Raises:
        Refused: it could not start, failed, or was cancelled.
        GoesOnError: it takes longer than a moment, and the caller takes tasks.
    """
    with anyio.CancelScope(shield=True):  # else nobody would know what to cancel
        begun = await call.rest.ask("POST", path, body)
    try:
        moment = min(seconds, MOMENT_SECONDS) if call.takes_tasks else seconds
        operation = await followed(call, begun["id"], seconds=moment)
    except asyncio.CancelledError:
        await _cancel(call, begun["id"])
        raise
    except Refused as refused:
        if refused.problem.get("code") != "FORBIDDEN":
            raise
        operation = begun  # a key that may start work and not look at it
    if operation.get("error") is not None or operation.get("state") == "cancelled":
        raise failure_of(operation)
    if call.takes_tasks and operation is not begun and operation.get("ended") is None:
        raise GoesOnError(operation)
    return operation


async def followed(call: Call, run_id: str, *, seconds: float) -> Told:
    """Wait for the end of an operation, and tell how it goes if somebody listens."""
    path = f"/operations/{quote(run_id, safe='')}"
    if call.tell is None:
        return await call.rest.ask("GET", path, wait=seconds)
    try:
        async with asyncio.timeout(seconds):
            await _tell(call, run_id)
    except TimeoutError:
        pass
    return await call.rest.ask("GET", path)


async def _tell(call: Call, run_id: str) -> None:
    changes = call.rest.lines(f"/runs/{quote(run_id, safe='')}/events")
    async with aclosing(changes) as read:
        async for change in read:
            if call.tell is not None and change.get("type") == "step":
                said = f": {change['message']}" if change.get("message") else ""
                await call.tell(f"{change['step']} {change['state']}{said}")


async def _cancel(call: Call, run_id: str) -> None:
    """Cancel an operation for a caller that has gone."""
    with anyio.move_on_after(CANCEL_SECONDS, shield=True):
        await call.rest.ask("POST", f"/operations/{quote(run_id, safe='')}/cancel")


def failure_of(operation: Told) -> Refused:
    """Tell what an operation failed with, or that it was cancelled."""
    error = operation.get("error") or {}
    kind = error_class(str(error.get("code", Cancelled.code)))
    said = str(error.get("message", "")) or "the operation was cancelled"
    told = {**problem(kind(said)), **error, "operation": operation["id"]}
    return Refused({key: value for key, value in told.items() if key != "message"})
