"""A way through to AIMA for a client that has no key: adds it, and changes nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 1 << 16


@dataclass(frozen=True)
class Keyed:
    """Passes connections on to a port of this machine; each carries one request."""

    port: int
    key: str = field(repr=False)
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[int]:
        """Serve while the block runs; gives the port."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        asked = asyncio.create_task(self._ask(reader, far_writer))
        try:
            await _copy(far_reader, writer)
        finally:
            asked.cancel()
            await asyncio.wait((asked,))
            await _closed(writer)
            await _closed(far_writer)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            first, rest = head.split(b"\r\n", 1)
            kept = [r for r in rest.split(b"\r\n") if not r.lower().startswith(b"connection:")]
            added = f"authorization: Bearer {self.key}\r\nconnection: close\r\n".encode()
            writer.write(first + b"\r\n" + added + b"\r\n".join(kept))
            await _copy(reader, writer)
            return
        writer.close()  # nothing was asked


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
