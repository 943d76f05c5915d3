"""Ports, on loopback unless somebody wants more."""

from __future__ import annotations

import errno
import secrets
import socket
from contextlib import suppress

from aima.errors import Conflict, InvalidRequest
from aima.temporal.server import LOOPBACK

_CALM, _CALM_PORTS = 20_000, 12_000
"""Below what systems give to connections (Linux: 32 768), and above what services are known by."""
_TRIES = 50


def listen(port: int, *, what: str, setting: str, address: str = LOOPBACK) -> socket.socket:
    """Open a listening socket, on loopback unless told otherwise; port 0 takes any free one.

    Raises:
        Conflict: the port is taken; the message names the setting that changes it.
        InvalidRequest: the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Its connections inherit this. asyncio sets it only on sockets that were made with
    # IPPROTO_TCP; without it the second small write of an answer waits 40 ms for a receipt.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise InvalidRequest(
                f"{what} cannot listen at {address!r}: {error.strerror or error}"
            ) from error
        raise Conflict(
            f"port {port}, meant for {what}, is taken by another program; "
            f"end it or set {setting} to another port"
        ) from error
    listener.listen(128)
    return listener


def free_port(port: int, *, what: str, setting: str) -> int:
    """Check that a port is free and give it; for port 0 find one that stays free for a while.

    The system gives ports above these to whoever connects somewhere, also to one that is free
    here and is to be listened at a moment later by another process.

    Raises:
        Conflict: the port is taken.
    """
    for _ in range(_TRIES if not port else 0):
        with suppress(Conflict):
            tried = _CALM + secrets.randbelow(_CALM_PORTS)
            with listen(tried, what=what, setting=setting):
                return tried
    with listen(port, what=what, setting=setting) as listener:
        return int(listener.getsockname()[1])
