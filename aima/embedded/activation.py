"""Holding the engine's socket: an engine process exists only while somebody uses it.

The holder never accepts a connection. It waits until one is there, starts an engine on the
same socket and waits for that engine's end: after an idle exit or a crash the next connection
starts another, and no connection is refused in between.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from types import FrameType

from aima.errors import Conflict
from aima.settings import Settings

BACKLOG = 128
CRASH_PAUSE_SECONDS = 1.0
STOP_SECONDS = 2.0
log = logging.getLogger(__name__)


class _Leave(Exception):
    """A signal asks the holder to end."""


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises:
        Conflict: somebody else listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise Conflict(f"port {port} on {host} is taken; choose another") from error
    # Its connections inherit this; without it a small write may wait 40 ms for a receipt.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def spawn(settings: Settings, listener: socket.socket) -> subprocess.Popen[bytes]:
    """Start an engine process on a listening socket that this process keeps."""
    needed = settings.model_dump_json(include={"data", "log_level", "embedded", "models"})
    with tempfile.TemporaryFile() as stdin:
        stdin.write(needed.encode())
        stdin.seek(0)
        return subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "aima.embedded", str(listener.fileno()), str(os.getpid())],
            stdin=stdin,
            pass_fds=[listener.fileno()],
        )


def hold(settings: Settings, listener: socket.socket) -> None:
    """Run an engine whenever a client is there, until SIGTERM or SIGINT."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    engine: subprocess.Popen[bytes] | None = None
    try:
        while True:
            select.select([listener], [], [])
            engine = spawn(settings, listener)
            if code := engine.wait():
                log.warning("the engine ended with %s; the next request starts it again", code)
                threading.Event().wait(CRASH_PAUSE_SECONDS)
    except _Leave:
        if engine:
            stop(engine)


def stop(engine: subprocess.Popen[bytes]) -> None:
    """End an engine process, if need be by force."""
    engine.terminate()
    try:
        engine.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        engine.kill()
        engine.wait()


def _leave(_: int, __: FrameType | None) -> None:
    raise _Leave
