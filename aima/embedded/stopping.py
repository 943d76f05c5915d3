"""Work that ends when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, TypeVar

from starlette.requests import Request

from aima.errors import Cancelled

T = TypeVar("T")


class Stopped(Exception):
    """Raised by work that noticed it should stop."""


class Stop:
    """Tells work in a thread that nobody wants it any more."""

    def __init__(self) -> None:
        """Nobody said so yet."""
        self._said = Event()
        self._interrupt: Callable[[], None] = lambda: None

    def set(self) -> None:
        """Say so, and interrupt what can be interrupted."""
        self._said.set()
        self._interrupt()

    def interrupts(self, call: Callable[[], None]) -> None:
        """Have ``call`` made, from another thread, when somebody says stop."""
        self._interrupt = call
        if self._said.is_set():
            call()

    def check(self) -> None:
        """Go on, or not.

        Raises:
            Stopped: somebody said stop.
        """
        if self._said.is_set():
            raise Stopped


async def while_wanted(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do ``work`` while the client listens. The request's body must have been read.

    Raises:
        Cancelled: the client left; the work was cancelled and has ended.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return await working
        raise Cancelled("the client left before its answer")
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait((working, leaving))


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def in_thread(executor: ThreadPoolExecutor, work: Callable[[Stop], T]) -> T:
    """Run ``work`` in a thread; cancelling the task stops it and waits for its end.

    Not to leave before the thread does keeps the model's turn taken while it still computes.
    """
    stop = Stop()
    running = asyncio.get_running_loop().run_in_executor(executor, work, stop)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait((running,))
        raise
