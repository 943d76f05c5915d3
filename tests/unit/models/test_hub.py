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

from aima.errors import ExecutionFailed
from aima.models.hub import HuggingFace
from aima.models.manifest import HubSource
from aima.models.sources import SourceFailed, begun
from aima.models.store import ModelStore
from tests.unit.models.making import HUB, file_entry, manifest_of, model_file, unreachable

DATA = b"weights" * 5000
SOURCE = HubSource.model_validate(HUB)


@dataclass
class PlayedHub:
    """A hub with one file."""

    url: str = ""
    content: bytes = DATA
    asked: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    gives_parts: bool = True


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
            whole, first = body, 0
            if with_body:
                played.ranges.append(self.headers.get("range"))
            if with_body and played.gives_parts and "range" in self.headers:
                first = int(self.headers["range"].removeprefix("bytes=").rstrip("-"))
                body = whole[first:]
            self.send_response((206 if first else 200) if found else 404)
            if first:
                said = f"bytes {first}-{len(whole) - 1}/{len(whole)}"
                self.send_header("content-range", said)
            self.send_header("content-length", str(len(body)))
            self.send_header("etag", f'"{hashlib.sha256(whole).hexdigest()}"')
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


@pytest.mark.parametrize("gives_parts", [True, False])
def test_an_interrupted_download_goes_on_where_it_was(
    hub: PlayedHub,
    tmp_path: Path,
    gives_parts: bool,  # noqa: FBT001
) -> None:
    """Only the rest is asked for; a hub that gives no parts gives all, and that is right too."""
    hub.gives_parts = gives_parts
    part = begun(tmp_path, model_file(DATA))
    part.parent.mkdir()
    part.write_bytes(DATA[:20_000])
    assert fetched(HuggingFace(endpoint=hub.url), tmp_path) == DATA
    assert hub.ranges == ["bytes=20000-"]
    assert not part.exists()


def test_a_pull_goes_on_where_a_killed_one_was(hub: PlayedHub, tmp_path: Path) -> None:
    """What else it left is removed, and a download that was damaged is fetched anew."""
    store = ModelStore(
        tmp_path,
        manifest=manifest_of(file_entry(DATA, HUB)),
        hub=HuggingFace(endpoint=hub.url),
        packages=unreachable(),
    )
    work = tmp_path / ".pull" / "tiny"
    part = begun(work, model_file(DATA))
    part.parent.mkdir(parents=True)
    part.write_bytes(b"damaged" + DATA[7:20_000])
    (work / "part").write_bytes(b"half")
    with pytest.raises(ExecutionFailed, match="checksum differs"):
        store.pull("tiny")
    assert not work.exists()
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA[:30_000])
    store.pull("tiny")
    assert store.verify("tiny")
    assert hub.ranges == ["bytes=20000-", "bytes=30000-"]
    assert not work.exists()


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
