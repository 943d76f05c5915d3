"""Watching a run: its history as it grows, and beside it what no event tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from aima.dsl.json import Json
from aima.temporal.history import Steps, StepState
from aima.temporal.overview import Overview
from aima.temporal.refusals import AWAY

POLL_SECONDS = 0.4
"""How often the server is asked for what no event tells: attempts and progress."""

PICKUP_SECONDS = 0.05
"""When the server is asked first after a step was scheduled: a worker has it by then."""

QUIET_POLLS = 5
"""After so many times a tree is looked up though no event has come: children have their own."""

TICK_SECONDS = 1.0
"""How often a clock on somebody's screen moves."""

MOST_REPLAYED = 1_000
"""A run with more events than this is not asked once more after its end: it would be replayed."""

Tree: TypeAlias = dict[str, Json]


@dataclass
class Watch:
    """One look at a run, from its start to its end, through all its histories.

    Attributes:
        overview: looks the run up as a tree, where somebody wants one.
        history_of: reaches a history of the run by Temporal's id of it.
    """

    handle: WorkflowHandle[Any, Any]
    steps: Steps
    overview: Overview | None = None
    history_of: Callable[[str], WorkflowHandle[Any, Any]] | None = None
    _changes: asyncio.Queue[StepState | Tree | None] = field(default_factory=asyncio.Queue)
    _scheduled: asyncio.Event = field(default_factory=asyncio.Event)
    _news: bool = True
    _shown: Tree | None = None

    async def changes(self) -> AsyncGenerator[StepState | Tree, None]:
        """Give each change of a step and, if wanted, of the tree, until the run has ended."""
        history = asyncio.create_task(self._read_history())
        pending = asyncio.create_task(self._poll_pending())
        try:
            while (change := await self._next()) is not None:
                yield change
            await history  # raises what ended it too early
            if self.overview is not None and self.steps.last_event <= MOST_REPLAYED:
                with suppress(RPCError):
                    description = await self.handle.describe()
                    yield await self.overview.look(description.raw_description)
        finally:
            for reader in (history, pending):
                reader.cancel()
            await asyncio.gather(history, pending, return_exceptions=True)

    async def _next(self) -> StepState | Tree | None:
        """Wait for a change; who draws a tree hears every second that nothing has changed."""
        if self.overview is None:
            return await self._changes.get()
        try:
            async with asyncio.timeout(TICK_SECONDS):
                return await self._changes.get()
        except TimeoutError:
            return {}

    async def _read_history(self) -> None:
        handle = self.handle
        try:
            while True:
                try:
                    next_run = await self._read_events(handle)
                except RPCError as error:
                    if error.status not in AWAY:
                        raise
                    await asyncio.sleep(POLL_SECONDS)  # it restarts; then all is read again
                    continue
                if not next_run or self.history_of is None:
                    return
                handle = self.history_of(next_run)
                self.steps.continue_as_new()
        finally:
            self._changes.put_nowait(None)

    async def _read_events(self, handle: WorkflowHandle[Any, Any]) -> str:
        """Read a history to its end; give the id of the one that goes on from there, if any."""
        async for event in handle.fetch_history_events(wait_new_event=True):
            self._news = True
            for change in self.steps.take(event):
                self._changes.put_nowait(change)
                if change.state == "waiting":
                    self._scheduled.set()
            if self.steps.ended:
                break
        return self.steps.goes_on

    async def _poll_pending(self) -> None:
        quiet = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):  # wait_for (3.11) may lose a cancel
                    await self._scheduled.wait()
                self._scheduled.clear()
                await asyncio.sleep(PICKUP_SECONDS)
            with suppress(RPCError):  # the server is away for a moment; the history will tell
                description = await self.handle.describe()
                pendings = description.raw_description.pending_activities
                for pending in pendings:
                    change = await self.steps.take_pending(pending)
                    if change is not None:
                        self._changes.put_nowait(change)
                quiet += 1
                if self.overview is not None and (self._news or pendings or quiet > QUIET_POLLS):
                    quiet, self._news = 0, False
                    self._show(await self.overview.look(description.raw_description))

    def _show(self, tree: Tree) -> None:
        if tree != self._shown:
            self._shown = tree
            self._changes.put_nowait(tree)
