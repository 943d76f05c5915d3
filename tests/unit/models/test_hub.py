"""The model hub, played by a small server on loopback."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aima.models.hub import HuggingFace
from aima.models.manifest import HubSource
from aima.models.sources import SourceFailed
from tests.unit.models.making import HUB, model_file

DATA = b"weights" * 5000
SOURCE = HubSource.model_validate(HUB)


@dataclass
class PlayedHub:
    """A hub with one file."""

    url: str = ""
    content: bytes = DATA
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def hub() -> Iterator[PlayedHub]:
    """A hub that serves ``acme/tiny``, as the real one answers."""
    played = PlayedHub()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, *, with_body: bool) -> None:
            played.asked.append(self.command)
            found = self.path.startswith("/acme/tiny/resolve/main/weights.bin")
            body = played.content if found else b"{}"
            self.send_response(200 if found else 404)
            self.send_header("content-length", str(len(body)))
            self.send_header("etag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("x-repo-commit", "a" * 40)
            if not found:
                self.send_header("x-error-code", "EntryNotFound")
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        played.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield played
        server.shutdown()
        thread.join()


def fetched(hub: HuggingFace, work: Path, source: HubSource = SOURCE) -> bytes:
    """Fetch the tiny model's file."""
    return b"".join(hub.chunks(source, model_file(DATA), work=work, report=lambda _: None))


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_file_is_downloaded_with_progress(hub: PlayedHub, tmp_path: Path) -> None:
    """Where a hub is reachable it is the first source."""
    seen: list[int] = []
    chunks = HuggingFace(endpoint=hub.url).chunks(
        SOURCE, model_file(DATA), work=tmp_path, report=seen.append
    )
    assert b"".join(chunks) == DATA
    assert seen[-1] == len(DATA)


def test_a_file_of_another_size_is_not_downloaded(hub: PlayedHub, tmp_path: Path) -> None:
    """A hundred megabytes for a checksum that must differ would be a waste."""
    hub.content = DATA + b"!"
    with pytest.raises(SourceFailed, match="35001 bytes, not 35000"):
        fetched(HuggingFace(endpoint=hub.url), tmp_path)
    assert "GET" not in hub.asked


def test_a_file_the_hub_lacks_is_told(hub: PlayedHub, tmp_path: Path) -> None:
    """The hub answers, so the next file is asked for again."""
    client = HuggingFace(endpoint=hub.url)
    other = HubSource(kind="hub", repo="acme/tiny", filename="gone.bin")
    with pytest.raises(SourceFailed, match="404"):
        fetched(client, tmp_path, other)
    assert fetched(client, tmp_path) == DATA


def test_a_hub_out_of_reach_is_asked_once(tmp_path: Path) -> None:
    """Fourteen files must not wait fourteen times."""
    with silent_server() as url:
        pass  # closed again: connections are refused
    client = HuggingFace(endpoint=url)
    for _ in range(2):
        with pytest.raises(SourceFailed, match="out of reach"):
            fetched(client, tmp_path)


def test_a_silent_hub_costs_three_seconds_in_all(tmp_path: Path) -> None:
    """A firewall that drops packets is how most offline machines look."""
    with silent_server() as url:
        client = HuggingFace(endpoint=url)
        begun = time.monotonic()
        for _ in range(5):
            with pytest.raises(SourceFailed, match=r"does not answer|out of reach"):
                fetched(client, tmp_path)
        assert time.monotonic() - begun < 3.5
