"""A terminal with somebody at it: what is drawn can be read, and keys can be pressed."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from types import TracebackType
from typing import Self

import pytest

from tests.acceptance.command import AIMA, PATIENCE_SECONDS, Aima

CTRL_C = "\x03"


class Terminal:
    """Runs ``aima`` as the one program of a terminal of its own."""

    def __init__(
        self, aima: Aima, *arguments: str, columns: int = 80, environ: dict[str, str] | None = None
    ) -> None:
        """Start a command; ``environ`` is added to the environment."""
        self.said = ""
        self._keyboard, screen = os.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        # `setsid --ctty` makes the terminal the process's own, so that Ctrl-C reaches it.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", str(AIMA), *arguments],
            cwd=aima.cwd,
            env={**aima.environ, "TERM": "xterm", **(environ or {})},
            stdin=screen,
            stdout=screen,
            stderr=screen,
        )
        os.close(screen)

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self._keyboard, keys.encode())

    def wait_for(self, text: str) -> None:
        """Read until a text has been printed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.said:
            if time.monotonic() > deadline or not self._read():
                pytest.fail(f"waited in vain for {text!r}; the terminal shows {self.said!r}")

    def end(self) -> int:
        """Read until the command has ended; give its exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_SECONDS)

    def _read(self) -> bool:
        """Read what is there, for a second; false at the end."""
        if not select.select([self._keyboard], [], [], 1)[0]:
            return True
        try:
            part = os.read(self._keyboard, 65536)
        except OSError:  # how a terminal says that nobody has it open any more
            return False
        self.said += part.decode(errors="replace")
        return bool(part)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the terminal; a command that still runs is ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._keyboard)
