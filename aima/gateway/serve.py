"""The door put together and served: all routes on one port of loopback, behind one chain."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from aima.gateway.chain import access_log

_LOG_BYTES = 10_000_000
_LOGS_KEPT = 3
_KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep a connection: one closed as it is used again fails a request."""


async def serve_door(
    app: ASGIApp,
    listeners: Sequence[socket.socket],
    held: Iterable[AbstractAsyncContextManager[object]],
    log: Path,
) -> None:
    """Serve the door until cancelled.

    Args:
        app: the door.
        listeners: its sockets.
        held: what it needs, such as a client for engines; closed when the last answer is sent.
        log: gets a line of JSON for each request.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
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
                server.should_exit = True
                await server.shutdown(sockets=list(listeners))
                raise


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
