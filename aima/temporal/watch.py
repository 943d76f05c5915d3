"""Watching a run: its history as it grows, and beside it what no event tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from aima.temporal.history import Steps, StepState
from aima.temporal.refusals import AWAY

POLL_SECONDS = 0.4
"""How often the server is asked for what no event tells: attempts and progress."""

PICKUP_SECONDS = 0.05
"""When the server is asked first after a step was scheduled: a worker has it by then."""


@dataclass
class Watch:
    """One look at a run, from its start to its end."""

    handle: WorkflowHandle[Any, Any]
    steps: Steps
    _changes: asyncio.Queue[StepState | None] = field(default_factory=asyncio.Queue)
    _scheduled: asyncio.Event = field(default_factory=asyncio.Event)

    async def changes(self) -> AsyncGenerator[StepState, None]:
        """Give each change of a step, until the run has ended."""
        history = asyncio.create_task(self._read_history())
        pending = asyncio.create_task(self._poll_pending())
        try:
            while (change := await self._changes.get()) is not None:
                yield change
            await history  # raises what ended it too early
        finally:
            for reader in (history, pending):
                reader.cancel()
            await asyncio.gather(history, pending, return_exceptions=True)

    async def _read_history(self) -> None:
        try:
            while True:
                try:
                    return await self._read_events()
                except RPCError as error:
                    if error.status not in AWAY:
                        raise
                    await asyncio.sleep(POLL_SECONDS)  # it restarts; then all is read again
        finally:
            self._changes.put_nowait(None)

    async def _read_events(self) -> None:
        async for event in self.handle.fetch_history_events(wait_new_event=True):
            for change in self.steps.take(event):
                self._changes.put_nowait(change)
                if change.state == "waiting":
                    self._scheduled.set()
            if self.steps.ended:
                break

    async def _poll_pending(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):  # wait_for (3.11) may lose a cancel
                    await self._scheduled.wait()
                self._scheduled.clear()
                await asyncio.sleep(PICKUP_SECONDS)
            with suppress(RPCError):  # the server is away for a moment; the history will tell
                description = await self.handle.describe()
                for pending in description.raw_description.pending_activities:
                    change = await self.steps.take_pending(pending)
                    if change is not None:
                        self._changes.put_nowait(change)
