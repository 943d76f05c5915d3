"""A Temporal server of one's own: by address and namespace, over TLS with client certificates."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from aima.stack.ports import free_port
from aima.temporal.server import server_command, server_program
from tests.acceptance.command import AIMA, Aima, wait_until

NAMESPACE = "shop"


@contextmanager
def running(command: list[str], environ: dict[str, str], log: Path) -> Iterator[None]:
    """Run a program while the block runs."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


@pytest.fixture
def server(tmp_path: Path) -> Iterator[int]:
    """Run a Temporal server with a namespace of its own; give its port."""
    port, ui = (free_port(0, what="a server", setting="nothing") for _ in range(2))
    command = [*server_command(tmp_path / "own.db", port=port, ui_port=ui)]
    command += ["--namespace", NAMESPACE]
    with running(command, dict(os.environ), tmp_path / "temporal.log"):
        temporal = str(server_program())
        address = f"127.0.0.1:{port}"
        ask = [temporal, "operator", "namespace", "describe", NAMESPACE, "--address", address]
        wait_until(
            lambda: not subprocess.run(ask, capture_output=True, check=False).returncode,
            what="the server",
        )
        yield port


def test_runs_go_to_the_server_of_the_settings(aima: Aima, server: int) -> None:
    """Production is a Temporal cluster and workers on other machines."""
    aima.settings = {
        "AIMA_TEMPORAL_ADDRESS": f"127.0.0.1:{server}",
        "AIMA_TEMPORAL_NAMESPACE": NAMESPACE,
    }
    with running([str(AIMA), "worker"], aima.environ, aima.data / "worker.log"):
        done = aima.ask("run", "voice-assistant", "--example")
        assert done["state"] == "completed"
        assert [run["id"] for run in aima.ask("runs")["runs"]] == [done["id"]]
    assert not (aima.data / "temporal.db").exists()


def test_tls_with_a_client_certificate_is_spoken(aima: Aima, server: int, tmp_path: Path) -> None:
    """A cluster beyond loopback is reached over mutual TLS or not at all."""
    keys = Keys.made_in(tmp_path)
    with TlsFront(keys, server) as port:
        aima.settings = {
            "AIMA_TEMPORAL_ADDRESS": f"localhost:{port}",
            "AIMA_TEMPORAL_NAMESPACE": NAMESPACE,
            "AIMA_TEMPORAL_TLS_CA": str(keys.certificate),
            "AIMA_TEMPORAL_TLS_CERT": str(keys.certificate),
            "AIMA_TEMPORAL_TLS_KEY": str(keys.key),
        }
        assert aima.ask("runs") == {"runs": []}
        for name in ("AIMA_TEMPORAL_TLS_CERT", "AIMA_TEMPORAL_TLS_KEY"):
            del aima.settings[name]
        refused = aima.call("runs", "--json")
        assert refused.returncode == 1
        assert "TEMPORAL_UNREACHABLE" in refused.stdout


@dataclass(frozen=True)
class Keys:
    """A key and a certificate for localhost that signed itself."""

    key: Path
    certificate: Path

    @classmethod
    def made_in(cls, folder: Path) -> Keys:
        """Make them with openssl."""
        keys = cls(folder / "key.pem", folder / "certificate.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
        command += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
        command += ["-keyout", str(keys.key), "-out", str(keys.certificate)]
        subprocess.run(command, capture_output=True, check=True)
        return keys


class TlsFront:
    """Ends TLS in front of a plain server, and asks for a client certificate."""

    def __init__(self, keys: Keys, backend: int) -> None:
        """Prepare; nothing listens yet."""
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=keys.certificate)
        self._context.load_cert_chain(keys.certificate, keys.key)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.set_alpn_protocols(["h2"])
        self._backend = backend
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stack = ExitStack()

    def __enter__(self) -> int:
        """Listen; give the port."""
        self._thread.start()
        self._stack.callback(self._end)
        started = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        return started.result(10)

    def __exit__(self, *_: object) -> None:
        """Stop listening and forget every connection."""
        self._stack.close()

    def _end(self) -> None:
        async def cancel_all() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel_all(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self._stack.callback(self._loop.call_soon_threadsafe, server.close)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        backend, ask = await asyncio.open_connection("127.0.0.1", self._backend)
        try:
            await asyncio.gather(_copy(client, ask), _copy(backend, answer))
        finally:
            ask.close()
            answer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
