"""One engine process on a listening socket, from start to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from types import FrameType
from typing import NoReturn

import psutil
import uvicorn

from aima.embedded.app import create_app
from aima.embedded.engine import Engine
from aima.embedded.lifetime import Activity, until_idle, until_orphaned
from aima.models.store import ModelStore
from aima.settings import Settings

GRACE_SECONDS = 1
LAST_CLIENTS_SECONDS = 0.3


@dataclass(frozen=True)
class Watch:
    """What makes the engine leave: the end of its parent, and silence of so many seconds."""

    parent: int
    idle_seconds: float


def run(settings: Settings, listener: socket.socket, *, parent: int) -> NoReturn:
    """Serve until SIGTERM, SIGINT, idleness or the end of process ``parent``; then end this."""
    _log_to_stderr(settings.log_level)
    store = ModelStore(settings.data / "models", settings.models.mirror)
    is_local = ip_address(listener.getsockname()[0]).is_loopback
    activity = Activity(create_app(Engine(settings, store), local_only=is_local))
    config = uvicorn.Config(
        activity,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # uvicorn ends in order on a signal and then raises it again, for these handlers.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    watch = Watch(parent, settings.embedded.idle_seconds)
    asyncio.run(_serve(uvicorn.Server(config), listener, activity, watch=watch))


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in "httpx2", "faster_whisper", "uvicorn.error":
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))


async def _serve(
    server: uvicorn.Server, listener: socket.socket, activity: Activity, *, watch: Watch
) -> NoReturn:
    serving = asyncio.create_task(server.serve([listener]))
    idle = asyncio.create_task(until_idle(activity, watch.idle_seconds))
    orphaned = asyncio.create_task(until_orphaned(watch.parent))
    await asyncio.wait((serving, idle, orphaned), return_when=asyncio.FIRST_COMPLETED)
    if idle.done():
        await _serve_the_last(server, activity)
    server.should_exit = True
    await serving
    _leave()  # asyncio's own end would wait for threads that still compute


async def _serve_the_last(server: uvicorn.Server, activity: Activity) -> None:
    """Stop accepting, and answer those who connected a moment ago.

    Whoever connects from now on waits in the socket's queue for the next process.
    """
    for accepting in server.servers:
        accepting.close()
    await until_idle(activity, LAST_CLIENTS_SECONDS)
    await asyncio.sleep(LAST_CLIENTS_SECONDS)
    await until_idle(activity, LAST_CLIENTS_SECONDS)


def _leave(_: int = 0, __: FrameType | None = None) -> NoReturn:
    """End now: the native libraries' threads may abort in the interpreter's own end."""
    for child in psutil.Process().children(recursive=True):  # pip, if a model is being fetched
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    os._exit(0)
