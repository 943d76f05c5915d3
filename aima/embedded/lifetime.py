"""When the engine leaves by itself: nobody asks any more, or its parent is gone."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

WATCH_SECONDS = 0.5


class Activity:
    """Counts requests that use a model. Looking (GET) is no use: a monitor keeps nothing warm."""

    def __init__(self, app: ASGIApp, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch the requests to ``app``."""
        self._app = app
        self._clock = clock
        self._running = 0
        self._last = clock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it while it runs."""
        if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
            self._last = self._clock()

    @property
    def idle_seconds(self) -> float:
        """Time since the last use ended; zero while one runs."""
        return 0.0 if self._running else self._clock() - self._last


async def until_idle(activity: Activity, limit_seconds: float) -> None:
    """Return when nobody has used a model for ``limit_seconds``."""
    while (idle := activity.idle_seconds) < limit_seconds:  # noqa: ASYNC110 - time itself counts
        await asyncio.sleep(limit_seconds - idle if idle else WATCH_SECONDS)


async def until_orphaned(parent: int) -> None:
    """Return when process ``parent`` is no longer the parent.

    Asked again and again rather than by ``PR_SET_PDEATHSIG``, which fires when the parent's
    *thread* ends, and exists on Linux only.
    """
    while os.getppid() == parent:  # noqa: ASYNC110 - no event tells a parent's end everywhere
        await asyncio.sleep(WATCH_SECONDS)
