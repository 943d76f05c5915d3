"""How many runs may be open at once: a bound for whoever starts them on request.

Runs that no worker gets to pile up in Temporal, and with them its database, its memory, and the
time until the last of them begins. A caller who is told so can wait; one who is not cannot. The
count is Temporal's own, asked for about once a second while runs are started; meanwhile what was
started here is added to it. What Temporal needs longer to list may pass the bound.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

from aima.errors import AimaError, TooManyRuns

COUNT_SECONDS = 1.0
"""For so long a count is good."""
UNLISTED_SECONDS = 0.25
"""For so long Temporal may not list a run that has started."""
RETRY_SECONDS = 5.0
"""When to come again: some runs should have ended by then."""

log = logging.getLogger(__name__)


class OpenRuns:
    """Lets runs be started while there is room.

    Attributes:
        most: runs that may be open.
        refused: how many were not started.
    """

    def __init__(
        self,
        most: int,
        count: Callable[[], Awaitable[int]],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Ask ``count`` how many are open, when the first one is to be started."""
        self.most = most
        self.refused = 0
        self._count = count
        self._clock = clock
        self._counted = 0
        self._good_until: float | None = None
        self._started: deque[float] = deque()
        self._starting = 0
        self._counting: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def one_more(self) -> AsyncIterator[None]:
        """Start a run within this; it counts from now on, unless it fails.

        Raises:
            TooManyRuns: there is no room.
        """
        await self._look()
        if self._is_full:
            self.refused += 1
            raise TooManyRuns(
                f"{self.most} runs are open already; try again when some have ended, or raise "
                "`door.open_runs`",
                retry_after=RETRY_SECONDS,
            )
        self._starting += 1
        try:
            yield
            self._started.append(self._clock())
        finally:
            self._starting -= 1

    @property
    def _is_full(self) -> bool:
        return self._counted + len(self._started) + self._starting >= self.most

    async def _look(self) -> None:
        """Count anew if that is due; only who would be refused waits for it, and the first one."""
        if self._good_until is not None and self._clock() < self._good_until:
            return
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._recount())
        if self._is_full or self._good_until is None:
            await asyncio.shield(self._counting)

    async def _recount(self) -> None:
        begun = self._clock()
        try:
            counted = await self._count()
        except AimaError as error:  # whoever cannot count can still start
            log.warning("open runs could not be counted: %s", error)
        else:
            self._counted = counted
            while self._started and self._started[0] < begun - UNLISTED_SECONDS:
                self._started.popleft()
        self._good_until = begun + COUNT_SECONDS
