"""The engine as a process.

With ``fd`` it serves a listening socket that somebody else holds (socket activation) and exits
when idle: the holder starts it again when the next client connects. A process is the only
thing that gives all memory back, since llama.cpp cannot be stopped inside one.

With ``host`` and ``port`` it holds the socket itself and runs such a process as its child.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable

from aima.settings import Settings

STOP_SECONDS = 1
BACKLOG = 128


def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    fd: int | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the embedded models until SIGTERM, or with ``fd`` until nobody asks any more.

    ``ready`` is told the address once a client can connect; port 0 takes a free one.

    Raises:
        Conflict: the port is taken.
    """
    if fd is None:
        from aima.embedded.activation import listen, relaunch

        with listen(host, port) as listener:
            relaunch(settings, listener, ready)
    else:
        with socket.socket(fileno=fd) as listener:
            _serve(settings, listener, ready)


def _serve(
    settings: Settings, listener: socket.socket, ready: Callable[[str], None] | None
) -> None:
    import uvicorn

    from aima.embedded.app import create_app
    from aima.embedded.engine import Engine
    from aima.embedded.lifetime import Activity, first_of, until_idle, until_orphaned
    from aima.models.store import ModelStore

    engine = Engine(settings, ModelStore(settings.data / "models", settings.models.mirror))
    activity = Activity(create_app(engine))
    server = uvicorn.Server(
        uvicorn.Config(
            activity,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    parent = os.getppid()

    async def run() -> None:
        serving = asyncio.create_task(server.serve([listener]))
        leaving = asyncio.create_task(
            first_of(
                lambda: until_idle(activity, settings.embedded.idle_seconds),
                lambda: until_orphaned(parent),
            )
        )
        if ready:
            ready(address(listener))
        await asyncio.wait((serving, leaving), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving

    # uvicorn raises the signal again after its orderly end; the default would report death by
    # signal, and the interpreter's own end may crash in threads of the native libraries.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    asyncio.run(run())
    os._exit(0)


def address(listener: socket.socket) -> str:
    """Give the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
