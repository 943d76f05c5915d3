"""Who waits for a place, first come, first served, up to a bound."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from aima.errors import RateLimited

MOST_WAITING = 1000
_LOOK_SECONDS = 0.05
"""How often to look for places that other processes have freed: nobody tells of those."""

Found = TypeVar("Found")


class Line:
    """Those who wait for one model."""

    def __init__(self, model: str, most: int) -> None:
        """Start empty."""
        self._model = model
        self._most = most
        self._waiting: deque[asyncio.Event] = deque()

    def __len__(self) -> int:
        """Count those who wait."""
        return len(self._waiting)

    async def first(self, look: Callable[[], Found | None]) -> Found:
        """Wait until ``look`` finds something, behind those who came before.

        Raises:
            RateLimited: too many wait already.
        """
        if not self._waiting and (found := look()) is not None:
            return found
        if len(self._waiting) >= self._most:
            raise RateLimited(
                f"{self._most} requests wait for model {self._model!r}; try again later, or serve "
                "it with more instances",
                retry_after=1,
            )
        turn = asyncio.Event()
        self._waiting.append(turn)
        try:
            while True:
                if self._waiting[0] is turn and (found := look()) is not None:
                    return found
                await _told(turn)
        finally:
            self._waiting.remove(turn)
            self.freed()

    def freed(self) -> None:
        """Let the first look."""
        if self._waiting:
            self._waiting[0].set()


async def _told(turn: asyncio.Event) -> None:
    """Wait for a word, or for the time to look oneself."""
    try:
        await asyncio.wait_for(turn.wait(), _LOOK_SECONDS)
    except TimeoutError:
        return
    turn.clear()
