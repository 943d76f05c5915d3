"""The command line's way to the stack: plain HTTP from the standard library, so it starts fast."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

from aima.errors import (
    AimaError,
    Conflict,
    EngineNotRunning,
    TooLarge,
    ValidationFailed,
    error_class,
)
from aima.gateway import MOST_BODY_BYTES
from aima.stack.lock import StackState

ANSWER_SECONDS = 60.0
GONE_SECONDS = 30.0
"""How long a stack may take to end after its worker has had its own time for that."""

WORKFLOWS = "/api/v2/workflows"
STORED = f"{WORKFLOWS}?origin=stored"
"""The list of the workflows that are applied."""

SILENCE_SECONDS = 60.0
"""After which a stream of events that tells signs of life is taken for dead."""

PAUSE_SECONDS = 0.02
"""How often is asked what no event tells."""


class Refused(ValidationFailed):
    """The stack found mistakes in a workflow; ``diagnostics`` lists them."""

    def __init__(self, message: str, diagnostics: list[dict[str, Any]], /) -> None:
        """Carry what it found."""
        super().__init__(message)
        self.diagnostics = diagnostics


@dataclass(frozen=True)
class StackClient:
    """Talks to a running stack.

    Attributes:
        program: what talks, where it is not the command line; the audit log tells it.
    """

    state: StackState
    program: str = field(default="", kw_only=True)

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Ask for something.

        Raises:
            EngineNotRunning: the stack does not answer.
            AimaError: it refuses; the error is its own.
        """
        return self._ask("GET", path, None)

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """List all that a list of the door has, page by page; raises as :meth:`get` does."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(f"{path}&cursor={quote(cursor)}" if cursor else path)
            yield from page["items"]
            cursor = page["next_cursor"]

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Tell or start something; raises as :meth:`get` does."""
        return self._ask("POST", path, body)

    def delete(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Remove something; raises as :meth:`get` does."""
        return self._ask("DELETE", path, None)

    def lines(self, path: str) -> Iterator[dict[str, Any]]:
        """Read a stream of JSON lines; it raises as :meth:`get` does, also if it breaks off."""
        with self._open("GET", path, None, timeout=None, accept="application/jsonl") as response:
            while True:
                with _reached():
                    text = response.readline()
                    line = json.loads(text) if text else None
                if line is None:
                    return
                yield line

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """Read server-sent events, each with an object; raises as :meth:`lines` does."""
        with self._open("GET", path, None, timeout=SILENCE_SECONDS) as response:
            kind, data = "", b""
            while True:
                with _reached():
                    line = response.readline()
                if kind == "end" or not line:
                    return
                name, _, value = line.rstrip(b"\r\n").partition(b": ")
                kind = value.decode() if name == b"event" else kind
                data = value if name == b"data" else data
                if not name and data and kind == "error":
                    _raise_told(json.loads(data))
                if not name and data and kind != "end":
                    with _reached():
                        yield json.loads(data)
                if not name:
                    kind, data = "", b""

    @contextmanager
    def attached(self, *, works: bool) -> Iterator[int]:
        """Hold the stack up while the block runs; gives this client's number there."""
        path = f"/stack/attach?works={str(works).lower()}"
        with self._open("GET", path, None, timeout=None) as response:
            with _reached():
                number = json.loads(response.readline())["client"]
            yield number

    def wait_until_gone(self, seconds: float = GONE_SECONDS) -> None:
        """Wait until the stack has ended, so that nothing is left behind.

        Raises:
            Conflict: it does not end.
        """
        deadline = time.monotonic() + seconds
        while _lives(self.state.pid):
            if time.monotonic() > deadline:
                raise Conflict(f"AIMA does not end; look after its process {self.state.pid}")
            time.sleep(PAUSE_SECONDS)

    def leave(self, client: int, *, seconds: float) -> None:
        """Wait, after having detached, until the stack has ended or is seen to go on."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                health = self.get("/health")
            except AimaError:  # gone, and maybe another one answers at its port
                health = {"stays": False, "clients": []}
            if health["stays"] or set(health["clients"]) - {client}:
                return
            if not health["clients"]:
                self.wait_until_gone(seconds)
                return
            time.sleep(PAUSE_SECONDS)

    def _ask(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        with self._open(method, path, body, timeout=ANSWER_SECONDS) as response, _reached():
            text = response.read()
            return json.loads(text) if text else None

    @contextmanager
    def _open(
        self,
        method: str,
        path: str,
        body: object,
        *,
        timeout: float | None,
        accept: str = "application/json",
    ) -> Iterator[HTTPResponse]:
        content = _encoded(body)
        connection = HTTPConnection("127.0.0.1", self.state.port, timeout=timeout)
        headers = {"authorization": f"Bearer {self.state.token_of(self.program)}", "accept": accept}
        if content is not None:
            headers["content-type"] = "application/json"
        try:
            with _reached():
                connection.request(method, path, body=content, headers=headers)
                response = connection.getresponse()
                if response.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
                    _raise(response)
            yield response
        finally:
            connection.close()


def _lives(pid: int) -> bool:
    """Tell whether a process runs; a dead one is listed until its parent has looked at it."""
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException, ValueError, KeyError) as error:
        reason = str(error) or type(error).__name__
        raise EngineNotRunning(f"AIMA went away ({reason}); try again") from error


def run_path(run_id: str, more: str = "") -> str:
    """Give the address of a run; whatever the id holds stays within it."""
    return f"/api/v2/runs/{quote(run_id, safe='')}" + (f"/{more}" if more else "")


def workflow_path(name: str) -> str:
    """Give the address of a stored workflow; whatever the name holds stays within it."""
    return f"{WORKFLOWS}/{quote(name, safe='')}"


def _encoded(body: object) -> bytes | None:
    if body is None:
        return None
    try:
        content = json.dumps(body, allow_nan=False).encode()
    except ValueError as error:
        raise ValidationFailed("a number is infinite or none; JSON has no such number") from error
    if len(content) > MOST_BODY_BYTES:  # the door would close the line before it said why
        raise TooLarge(
            f"the input has {len(content) / 1e6:.1f} MB and may have {MOST_BODY_BYTES >> 20} MiB; "
            "give large values as files: `-i key=@FILE`"
        )
    return content


def _raise(response: HTTPResponse) -> None:
    _raise_told(json.loads(response.read()))


def _raise_told(told: dict[str, Any]) -> None:
    if "diagnostics" in told:
        raise Refused(told["detail"], told["diagnostics"])
    raise error_class(told["code"])(told["detail"])
