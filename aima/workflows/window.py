"""Temporal's limits, kept: how much may be in flight, in one workflow task, and in one history.

A workflow with 2 000 pending activities hangs, one whose single task schedules more than 4 MB is
terminated without a chance to say why, and so is one whose history grows past 51 200 events. The
first two were measured (docs/decisions); the third is the server's default.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta

from temporalio import workflow

MAX_IN_FLIGHT = 500
MAX_TASK_BYTES = 3_000_000
MOST_BESIDE = 6
"""Units at once beside the workflow. Nobody knows before how much they leave, so all of them may
come on top of a full task: 6 times the largest value that stays in a history, 128 KB, fit."""

MAX_ROUNDS_IN_TASK = 500
MOST_EVENTS = 40_000
"""A history this long takes nothing more on, whatever is in flight: Temporal ends it at 51 200."""
MOST_BYTES = 40_000_000
DRAIN_PATIENCE = timedelta(seconds=5)
"""How long a run waits for what is in flight before it goes on in a history that is long."""
_OVERHEAD_BYTES = 600
"""What a scheduled activity costs besides its input: ids, timeouts, retry policy."""


class Window:
    """Lets at most so many activities, and so many bytes in one workflow task, through.

    Once the history is long, it lets nothing more through; as soon as nothing is in flight any
    more, the run can go on with a new history.
    """

    def __init__(
        self, full: Callable[[], bool], *, places: int = MAX_IN_FLIGHT, size: int = MAX_TASK_BYTES
    ) -> None:
        """Start empty; ``full`` tells whether the history is too long for more to start."""
        self._full = full
        self._kept_open = False
        self._patience: asyncio.Task[None] | None = None
        self._events = self._size = 0
        self._places = places
        self._taken = 0
        self._max_bytes = size
        self._queue: deque[asyncio.Future[None]] = deque()
        self._task = -1
        self._bytes = 0
        self._next_task: asyncio.Task[None] | None = None
        self._beside = asyncio.Semaphore(MOST_BESIDE)
        self._breaths = 0
        self._breathed_in = -1

    @property
    def drained(self) -> bool:
        """Whether the history is long and nothing is in flight: the time for a new one."""
        return self._closing() and not self._taken

    @property
    def stuck(self) -> bool:
        """Whether something waits for the new history because of what is in flight."""
        return bool(self._patience is None and self._taken and self._queue) and self._closing()

    def be_patient(self) -> None:
        """Let work go on in this history if what is in flight takes long.

        A person may take a week to answer in a child; nothing beside it shall stand still so long.
        """
        self._patience = asyncio.create_task(self._wait_and_reopen())

    def keep_open(self) -> None:
        """Go on in this history, however long it is."""
        self._kept_open = True
        self._admit()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Hold a place without waiting for it, for what cannot wait."""
        self._taken += 1
        try:
            yield
        finally:
            self.leave()

    async def breathe(self) -> None:
        """Let a loop that needs nothing from outside go on in the next workflow task.

        The SDK takes a workflow that thinks for two seconds for stuck, and tries the same again.
        """
        task = workflow.info().get_current_history_length()
        if task != self._breathed_in:
            self._breathed_in, self._breaths = task, 0
        self._breaths += 1
        if self._breaths > MAX_ROUNDS_IN_TASK:
            await _next_workflow_task()

    def place(self) -> AbstractAsyncContextManager[None]:
        """Hold one of the places in flight, waiting for it in line."""
        return _Place(self.enter, self.leave)

    async def carry(self, size: int) -> None:
        """Count an input of ``size`` bytes to this workflow task, or to the next if it is full."""
        size += _OVERHEAD_BYTES
        while True:
            self.weigh(0)
            if self._bytes == 0 or self._bytes + size <= self._max_bytes:
                self._bytes += size
                return
            if self._next_task is None or self._next_task.done():
                self._next_task = asyncio.create_task(_next_workflow_task())
            await asyncio.shield(self._next_task)

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Hold one of the places beside the workflow, in a task that has room for more."""
        async with self._beside:
            await self.carry(0)
            yield

    def weigh(self, size: int) -> None:
        """Count what a unit beside the workflow has left to the workflow task that carries it."""
        task = workflow.info().get_current_history_length()
        if task != self._task:
            self._task, self._bytes = task, 0
        self._bytes += size

    async def enter(self) -> None:
        """Take one of the places, waiting for it in line."""
        if self._taken < self._places and not self._closing():
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give it to the next in line."""
        self._taken -= 1
        self._admit()

    def _admit(self) -> None:
        while self._queue and self._taken < self._places and not self._closing():
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                self._taken += 1

    def _closing(self) -> bool:
        if not self._full() or self._kept_open:
            return False
        if not self._events and not self._size:
            return True
        info = workflow.info()
        events, size = info.get_current_history_length(), info.get_current_history_size()
        return events >= self._events or size >= self._size

    async def _wait_and_reopen(self) -> None:
        await workflow.sleep(DRAIN_PATIENCE, summary="a new history waits for what is in flight")
        info = workflow.info()
        events, size = info.get_current_history_length(), info.get_current_history_size()
        if self._closing() and events < MOST_EVENTS and size < MOST_BYTES:
            self._events, self._size = min(2 * events, MOST_EVENTS), min(2 * size, MOST_BYTES)
            self._admit()
        self._patience = None


class _Place(AbstractAsyncContextManager[None]):
    """A place in flight; every step takes one, and a generator would cost three times as much."""

    def __init__(self, enter: Callable[[], Awaitable[None]], leave: Callable[[], None]) -> None:
        self._enter = enter
        self._leave = leave

    async def __aenter__(self) -> None:
        await self._enter()

    async def __aexit__(self, *ended: object) -> None:
        self._leave()


async def _next_workflow_task() -> None:
    await workflow.sleep(timedelta(milliseconds=1), summary="room for more steps")
