"""One at a time, among all workers of a data folder: what dies leaves the lock to the next."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aima.disk import told

_POLL_SECONDS = 0.1


@asynccontextmanager
async def alone(lock: Path) -> AsyncIterator[int]:
    """Hold a lock; whoever has it is waited for.

    A process that inherits the descriptor holds it, too, and until its own end.
    """
    with told(lock.parent):
        lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _taken(held):  # noqa: ASYNC110 - a lock sets no event
            await asyncio.sleep(_POLL_SECONDS)
        yield held
    finally:
        os.close(held)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
