"""A hub on a socket, as the door serves it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from aima.gateway.runs.streams import StreamRoutes
from aima.streams.hub import Hub


@asynccontextmanager
async def serving(hub: Hub, listener: socket.socket) -> AsyncIterator[None]:
    """Serve a hub on a socket."""
    routes = StreamRoutes(hub)
    app = Starlette(
        routes=[
            Route("/api/v2/streams", routes.write, methods=["POST"]),
            Route("/api/v2/streams", routes.listen),
        ]
    )
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def listen(port: int = 0) -> socket.socket:
    """Open a socket on loopback."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener
