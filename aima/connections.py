"""Connections to engines: what the HTTP client sends and receives over.

The client's own go through a library that stops and starts the reading of a socket around each
piece, and makes an object of each wait. An engine sends a piece for each token, so that was a
third of what the client costs.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpcore2

MOST_UNREAD_BYTES = 256 << 10
"""Kept of what came; the sender waits while there is more."""


class Connections(httpcore2.AsyncNetworkBackend):
    """Makes connections by the event loop's own means."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of a host that answers.

        Raises:
            ConnectTimeout, ConnectError: none does.
        """
        local = None if local_address is None else (local_address, 0)
        with _told(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            async with asyncio.timeout(timeout):
                loop = asyncio.get_running_loop()
                transport, wire = await loop.create_connection(_Wire, host, port, local_addr=local)
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return Connection(transport, wire)

    async def sleep(self, seconds: float) -> None:
        """Wait between two attempts to connect."""
        await asyncio.sleep(seconds)


class Connection(httpcore2.AsyncNetworkStream):
    """One connection; one reads at a time, and one writes."""

    def __init__(self, transport: asyncio.Transport, wire: _Wire) -> None:
        """Take a connection over."""
        self._transport = transport
        self._wire = wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the library's own
        """Give what has come, once something has; nothing at the end.

        Raises:
            ReadTimeout, ReadError: nothing comes, or the connection broke.
        """
        wire = self._wire
        if not wire.unread and not wire.ended:
            try:
                await wire.something(timeout)
            except TimeoutError as error:
                raise httpcore2.ReadTimeout(str(error)) from error
        if not wire.unread and wire.error is not None:
            raise httpcore2.ReadError(str(wire.error)) from wire.error
        return wire.take(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the library's own
        """Send; wait while the other side does not read.

        Raises:
            WriteTimeout, WriteError: it does not for too long, or the connection broke.
        """
        if not buffer:
            return
        self._check_open()
        self._transport.write(buffer)
        if not self._wire.writable.is_set():
            with _told(httpcore2.WriteTimeout, httpcore2.WriteError):
                async with asyncio.timeout(timeout):
                    await self._wire.writable.wait()
            self._check_open()

    def _check_open(self) -> None:
        if self._wire.lost or self._transport.is_closing():
            raise httpcore2.WriteError(str(self._wire.error or "the connection is closed"))

    async def aclose(self) -> None:
        """Let go at once: who closes has read all that it wants, and sends nothing more."""
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own
    ) -> httpcore2.AsyncNetworkStream:
        """Go on encrypted.

        Raises:
            ConnectTimeout, ConnectError: the other side does not, or is not who it should be.
        """
        with _told(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            try:
                async with asyncio.timeout(timeout):
                    loop = asyncio.get_running_loop()
                    wrapped = await loop.start_tls(
                        self._transport, self._wire, ssl_context, server_hostname=server_hostname
                    )
            except BaseException:
                self._transport.abort()
                raise
        if wrapped is None:
            raise httpcore2.ConnectError("the connection closed before it was encrypted")
        self._wire.transport = wrapped
        return Connection(wrapped, self._wire)

    def get_extra_info(self, info: str) -> object:
        """Tell what the pool of connections asks: whether there is news from the other side."""
        if info == "is_readable":
            return self._wire.ended or bool(self._wire.unread)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


class _Wire(asyncio.Protocol):
    """What the event loop tells of a connection.

    Attributes:
        unread: what came and was not taken yet.
        ended: nothing more will come.
        lost: nothing can be sent any more, either.
        error: why that is, where it is no ordinary end.
        writable: the other side reads.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.unread = bytearray()
        self.ended = self.lost = False
        self.error: Exception | None = None
        self.writable = asyncio.Event()
        self.writable.set()
        self._waiting: asyncio.Future[None] | None = None
        self._held = False

    async def something(self, seconds: float | None) -> None:
        """Wait until there is something to take, or there will be nothing.

        A bare timer, since this is done for each token: `asyncio.timeout` costs twice as much.

        Raises:
            TimeoutError: neither is after so many seconds.
        """
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, self._late)
        try:
            await self._waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()

    def _late(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(TimeoutError("nothing came"))

    def take(self, most: int) -> bytes:
        """Give what is there, up to a bound."""
        taken = bytes(self.unread[:most])
        del self.unread[:most]
        if self._held and len(self.unread) < MOST_UNREAD_BYTES:
            self._held = False
            self.transport.resume_reading()
        return taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.unread += data
        if not self._held and len(self.unread) >= MOST_UNREAD_BYTES:
            self._held = True
            self.transport.pause_reading()
        self._tell()

    def eof_received(self) -> None:
        self.ended = True
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = self.lost = True
        self.error = exc
        self.writable.set()
        self._tell()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def _tell(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


@contextmanager
def _told(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Say in the client's own errors what went wrong."""
    try:
        yield
    except TimeoutError as error:  # an OSError as well
        raise late(str(error)) from error
    except OSError as error:
        raise broken(str(error)) from error
