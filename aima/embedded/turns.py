"""One at a time: who computes with a model, who waits, and who is turned away."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aima.errors import RateLimited

MOST_WAITING = 32
SMOOTHING = 0.3
LONGEST_ADVICE_SECONDS = 60


class Turns:
    """A bounded queue in front of one model; first come, first served.

    A model does one thing at a time: two computations on the same cores take twice as long each
    and hold memory twice.
    """

    def __init__(self, model: str, *, most_waiting: int = MOST_WAITING) -> None:
        """Let one in, ``most_waiting`` wait, and refuse the rest."""
        self._model = model
        self._most_waiting = most_waiting
        self._lock = asyncio.Lock()
        self._inside = 0
        self._usual_seconds = 1.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and have it; cancelling the task gives the place up.

        Raises:
            RateLimited: too many wait already.
        """
        if self._inside > self._most_waiting:
            likely = math.ceil(self._usual_seconds * self._inside)
            raise RateLimited(
                f"model {self._model!r} has {self._most_waiting} requests waiting; "
                "try again later, or serve the model with a larger engine",
                retry_after=min(likely, LONGEST_ADVICE_SECONDS),
            )
        self._inside += 1
        try:
            async with self._lock:
                begun = time.monotonic()
                yield
                taken = time.monotonic() - begun
                self._usual_seconds += SMOOTHING * (taken - self._usual_seconds)
        finally:
            self._inside -= 1
