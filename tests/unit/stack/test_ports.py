"""Ports on loopback."""

from __future__ import annotations

import socket

import pytest

from aima.errors import Conflict
from aima.stack.ports import free_port, listen


def test_a_socket_listens_on_loopback_only() -> None:
    """Nothing is offered to the network by accident."""
    with listen(0, what="the door", setting="AIMA_PORT") as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        socket.create_connection((host, port), timeout=5).close()


def test_connections_do_not_wait_for_receipts() -> None:
    """A second small write would wait 40 ms: with each answer, and before each first token."""
    with (
        listen(0, what="the door", setting="AIMA_PORT") as listener,
        socket.create_connection(listener.getsockname(), timeout=5),
    ):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_taken_port_is_told_with_its_use_and_its_setting() -> None:
    """Which port, what for, and what to change."""
    with listen(0, what="x", setting="X") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict) as caught:
            listen(port, what="the door", setting="AIMA_PORT")
    assert caught.value.message == (
        f"port {port}, meant for the door, is taken by another program; "
        "end it or set AIMA_PORT to another port"
    )


def test_a_free_port_is_free_afterwards() -> None:
    """It is handed to a program that opens it itself."""
    port = free_port(0, what="Temporal", setting="AIMA_TEMPORAL_PORT")
    assert free_port(port, what="Temporal", setting="AIMA_TEMPORAL_PORT") == port
