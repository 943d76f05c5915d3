"""The real engine as a real process, on a socket that the test holds."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from aima.embedded.activation import listen, spawn, stop
from aima.embedded.serve import address
from aima.settings import Settings

ROOT = Path(__file__).parents[3]
QUESTION = ROOT / "workflows" / "assets" / "question.wav"


_FLAGS = {"type": "array", "items": {"type": "boolean"}, "minItems": 1000}
ENDLESS = {
    "messages": [{"role": "user", "content": "Flip coins."}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "flags", "schema": _FLAGS}},
}
"""A request whose answer has, whatever the model would like, no end within a test."""

LONG = {**ENDLESS, "max_tokens": 4000}
"""It computes for a minute."""


@dataclass(frozen=True)
class RunningEngine:
    """An engine process and a client of it."""

    url: str
    client: httpx2.Client
    process: subprocess.Popen[bytes]
    settings: Settings
    listener: socket.socket

    def chat(self, text: str, **more: object) -> httpx2.Response:
        """Ask a question."""
        messages = [{"role": "user", "content": text}]
        return self.client.post("/v1/chat/completions", json={"messages": messages, **more})

    def transcribe(
        self, recording: bytes, *, name: str = "speech.wav", **fields: str
    ) -> httpx2.Response:
        """Have a recording written down."""
        files = {"file": (name, recording, "audio/wav")}
        return self.client.post("/v1/audio/transcriptions", files=files, data=fields)

    def speak(self, text: str, **more: object) -> httpx2.Response:
        """Have a text said."""
        return self.client.post("/v1/audio/speech", json={"input": text, **more})

    def connect(self) -> socket.socket:
        """Open a bare connection, to break off when it suits the test."""
        return socket.create_connection(self.listener.getsockname()[:2], timeout=30)

    def ask(self, **request: object) -> socket.socket:
        """Ask for a chat on a bare connection, and read nothing."""
        body = json.dumps(request).encode()
        connection = self.connect()
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        return connection


def eventually(condition: Callable[[], object], *, within: float = 10) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def running_engine(settings: Settings) -> Iterator[RunningEngine]:
    """Start an engine on a socket of its own, and end it."""
    with listen("127.0.0.1", 0) as listener:
        url = address(listener)
        process = spawn(settings, listener)
        try:
            with httpx2.Client(base_url=url, timeout=120, trust_env=False) as client:
                yield RunningEngine(url, client, process, settings, listener)
        finally:
            stop(process)
