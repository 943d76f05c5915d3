import asyncio
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore2
import httpx2
import pytest

from aima.connections import MOST_UNREAD_BYTES, Connection, Connections
from aima.engines import engine_client

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve connections; give the port."""
    served: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            served.add(task)
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass  # the other side let go
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """Connect to a port of this machine."""
    connection = await Connections().connect_tcp("127.0.0.1", port, timeout=5)
    assert isinstance(connection, Connection)
    try:
        yield connection
    finally:
        await connection.aclose()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until nothing does."""
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing and read nothing."""
    del reader, writer
    await asyncio.Event().wait()


async def test_what_is_sent_comes_back_whole() -> None:
    """Far more than either side keeps for the other."""
    sent = bytes(range(256)) * (4 * MOST_UNREAD_BYTES // 256)
    async with serving(echo) as port, connected(port) as connection:
        writing = asyncio.create_task(connection.write(sent, timeout=30))
        got = bytearray()
        while len(got) < len(sent):
            got += await connection.read(1000, timeout=30)
        await writing
    assert got == sent


async def test_an_end_is_read_as_nothing_and_seen_before() -> None:
    """The pool of connections asks for it: a request must not go into a closed one."""

    async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(b"bye")

    async with serving(short) as port, connected(port) as connection:
        assert connection.get_extra_info("server_addr") == ("127.0.0.1", port)
        assert not connection.get_extra_info("is_readable")
        await connection.write(b"hi")
        assert await connection.read(100, timeout=5) == b"bye"
        assert await connection.read(100, timeout=5) == b""
        assert connection.get_extra_info("is_readable")


async def test_a_silent_side_is_waited_for_no_longer_than_said() -> None:
    """Neither for a word of it, nor until it takes what it is sent."""
    async with serving(silent) as port, connected(port) as connection:
        with pytest.raises(httpcore2.ReadTimeout):
            await connection.read(1, timeout=0.01)
        with pytest.raises(httpcore2.WriteTimeout):
            await connection.write(bytes(64 << 20), timeout=0.01)


async def test_a_connection_that_breaks_is_told_in_the_clients_words() -> None:
    """The client knows its own errors alone; others would reach a user as AIMA's bug."""

    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        linger = struct.pack("ii", 1, 0)  # nothing is said in parting
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with serving(breaking) as port, connected(port) as connection:
        await connection.write(b"x")
        with pytest.raises(httpcore2.ReadError):
            await connection.read(100, timeout=5)
        with pytest.raises(httpcore2.WriteError):
            await connection.write(b"x")


async def test_a_port_that_nobody_listens_at_is_told_in_the_clients_words() -> None:
    """An engine that does not run is the most ordinary of all failures."""
    async with serving(echo) as port:
        pass
    with pytest.raises(httpcore2.ConnectError):
        await Connections().connect_tcp("127.0.0.1", port, timeout=5)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for this machine, with its key in the same file."""
    file = tmp_path / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    out = ["-keyout", str(file), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([*command.split(), *subject, *out], check=True, capture_output=True)
    file.write_text(file.read_text() + (tmp_path / "cert.pem").read_text())
    return file


async def test_a_connection_goes_on_encrypted(certificate: Path) -> None:
    """Engines may be elsewhere; whoever cannot prove a name is not talked to."""
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)
    theirs = ssl.create_default_context(cafile=certificate)
    async with serving(echo, ours) as port:
        async with connected(port) as plain:
            connection = await plain.start_tls(theirs, "localhost", timeout=5)
            assert connection.get_extra_info("ssl_object") is not None
            await connection.write(b"hush")
            assert await connection.read(100, timeout=5) == b"hush"
            await connection.aclose()
        async with connected(port) as plain:
            with pytest.raises(httpcore2.ConnectError):
                await plain.start_tls(ssl.create_default_context(), "localhost", timeout=5)


async def test_engines_are_asked_over_these_connections() -> None:
    """The client has no setting for that: a new version of it must not quietly forget them."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nthere")
        await writer.drain()

    async with serving(answer) as port, engine_client() as http:
        async with http.stream("GET", f"http://127.0.0.1:{port}/") as response:
            assert isinstance(response.extensions["network_stream"], Connection)
            assert await response.aread() == b"there"
        assert isinstance(http, httpx2.AsyncClient)
