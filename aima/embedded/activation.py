"""Holding the engine's socket: a process for the engine exists only while somebody uses it.

The holder never accepts a connection. It waits until one is there, starts the engine on the
same socket, and waits for the engine's end: after an idle exit or a crash the next connection
starts it again, and no connection is refused in between.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

from aima.embedded.serve import BACKLOG, address
from aima.errors import Conflict
from aima.settings import Settings

PASSED_ON = {"data", "log_level", "embedded", "models"}
CRASH_PAUSE_SECONDS = 1.0
STOP_SECONDS = 2.0


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises:
        Conflict: somebody else listens there.
    """
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise Conflict(f"port {port} is taken; choose another with --port") from error


def spawn(settings: Settings, listener: socket.socket) -> subprocess.Popen[bytes]:
    """Start an engine on a listening socket that this process keeps."""
    process = subprocess.Popen(
        [sys.executable, "-m", "aima.embedded", str(listener.fileno())],
        stdin=subprocess.PIPE,
        pass_fds=[listener.fileno()],
    )
    assert process.stdin  # noqa: S101 - asked for a pipe
    process.stdin.write(settings.model_dump_json(include=PASSED_ON).encode())
    process.stdin.close()
    return process


def relaunch(
    settings: Settings, listener: socket.socket, ready: Callable[[str], None] | None
) -> None:
    """Run an engine whenever a client is there, until SIGTERM or SIGINT."""
    engine: subprocess.Popen[bytes] | None = None

    def leave(_: int, __: FrameType | None) -> None:
        if engine:
            engine.terminate()
            try:
                engine.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                engine.kill()
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    if ready:
        ready(address(listener))
    while True:
        select.select([listener], [], [])
        engine = spawn(settings, listener)
        if engine.wait() != 0:
            time.sleep(CRASH_PAUSE_SECONDS)  # an engine that cannot start must not burn the machine
        engine = None
