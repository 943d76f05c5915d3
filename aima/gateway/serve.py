"""The door put together and served: all routes on one port of loopback, behind one chain."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from aima.gateway.chain import access_log
from aima.gateway.draining import Drain

_LOG_BYTES = 10_000_000
_LOGS_KEPT = 3
_CUT_SECONDS = 0.5
"""For what is cut off to be gone."""
_KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep a connection: one closed as it is used again fails a request."""


async def serve_door(
    app: ASGIApp,
    listeners: Sequence[socket.socket],
    held: Iterable[AbstractAsyncContextManager[object]],
    log: Path,
    drain: Drain,
) -> None:
    """Serve the door until cancelled; then requests under way end, for as long as they may.

    Args:
        app: the door.
        listeners: its sockets.
        held: what it needs, such as a client for engines; closed when the last answer is sent.
        log: gets a line of JSON for each request.
        drain: ends the streams of the app.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(drain.seconds + _CUT_SECONDS),
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    server = _Server(config)
    with _written(log):
        async with AsyncExitStack() as open_:
            for one in held:
                await open_.enter_async_context(one)
            try:
                await server.serve(sockets=list(listeners))
            except asyncio.CancelledError:
                await _end(server, listeners, drain)
                raise


async def _end(server: uvicorn.Server, listeners: Sequence[socket.socket], drain: Drain) -> None:
    """Take nobody new, and leave nobody in the middle."""
    server.should_exit = True
    ending = asyncio.ensure_future(server.shutdown(sockets=list(listeners)))
    await drain.begin()
    await asyncio.wait([ending], timeout=drain.seconds)
    if not ending.done():
        await drain.cut()
    await ending


class _Server(uvicorn.Server):
    """A server that leaves signals to the supervisor."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextmanager
def _written(log: Path) -> Iterator[None]:
    """Write the access log to a file, a few of its predecessors beside it."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = RotatingFileHandler(log, maxBytes=_LOG_BYTES, backupCount=_LOGS_KEPT, delay=True)
    access_log.addHandler(handler)
    access_log.setLevel(logging.INFO)
    access_log.propagate = False
    try:
        yield
    finally:
        access_log.removeHandler(handler)
        handler.close()
