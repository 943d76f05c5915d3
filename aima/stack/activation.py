"""Starting the engine when somebody calls it.

The stack holds the engine's listening socket for its whole life. A first connection starts the
engine, which inherits the socket and answers what has queued up meanwhile. The engine ends by
itself when idle, or dies in a crash; either way the socket stays open, so the next caller waits
in its queue while a new engine starts, and no address ever changes.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aima.stack.child import Children, end

CRASH_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0
"""The wait after a crash doubles, so that an engine that cannot start does not eat the machine."""

STARTED_SECONDS = 5.0
"""An engine that lived this long had started; the next crash waits little again."""


@dataclass
class EngineSocket:
    """The embedded engine behind a socket that outlives it."""

    children: Children
    listener: socket.socket
    log: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where its API starts."""
        host, port = self.listener.getsockname()
        return f"http://{host}:{port}/v1"

    async def serve(self) -> None:
        """Start the engine whenever it is called and does not run; until cancelled."""
        self.listener.setblocking(False)
        loop = asyncio.get_running_loop()
        pause = CRASH_PAUSE_SECONDS
        try:
            while True:
                await self._called()
                started = loop.time()
                fd = self.listener.fileno()
                command = [sys.executable, "-m", "aima", "engine", "serve", "embedded"]
                self.process = await self.children.start(
                    [*command, "--fd", str(fd)], log=self.log, environ=self.environ, keep_fd=fd
                )
                code = await self.process.wait()
                self.children.forget(self.process.pid)
                if loop.time() - started > STARTED_SECONDS:
                    pause = CRASH_PAUSE_SECONDS
                if code:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            if self.process is not None:
                await end(self.process, grace=2)
            self.listener.close()

    async def _called(self) -> None:
        """Wait until somebody connects, without taking the connection."""
        loop = asyncio.get_running_loop()
        called = asyncio.Event()
        loop.add_reader(self.listener, called.set)
        try:
            await called.wait()
        finally:
            with suppress(ValueError, OSError):
                loop.remove_reader(self.listener)
