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
    """Raised by work that noticed its stop event."""


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


async def in_thread(executor: ThreadPoolExecutor, work: Callable[[Event], T]) -> T:
    """Run ``work(stop)`` in a thread; cancelling the task sets ``stop`` and waits for the end.

    Not to leave before the thread does keeps the model's turn taken while it still computes.
    """
    stop = Event()
    running = asyncio.get_running_loop().run_in_executor(executor, work, stop)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait((running,))
        raise
