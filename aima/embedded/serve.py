"""The engine as a process.

With ``fd`` it serves a listening socket that another process holds (socket activation) and
exits when idle; the holder starts it again when the next client connects. Only the end of a
process gives all memory back, since llama.cpp cannot be stopped inside one.

With ``host`` and ``port`` it holds the socket itself and runs such a process as its child.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from aima.settings import Settings


def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    fd: int | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the embedded models until SIGTERM or SIGINT; with ``fd`` also until idle or orphaned.

    ``ready`` is told the address as soon as clients can connect; port 0 takes a free one. With
    ``fd`` this never returns: it ends the process. Call it in the main thread.

    Raises:
        Conflict: the port is taken.
    """
    # The holder of the socket stays small: it must not import the web server.
    if fd is None:
        from aima.embedded.activation import hold, listen

        with listen(host, port) as listener:
            if ready:
                ready(address(listener))
            hold(settings, listener)
    else:
        parent = os.getppid()  # before the imports: it may die while they go on
        from aima.embedded.process import run

        with socket.socket(fileno=fd) as listener:
            if ready:
                ready(address(listener))
            run(settings, listener, parent=parent)


def address(listener: socket.socket) -> str:
    """Give the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
