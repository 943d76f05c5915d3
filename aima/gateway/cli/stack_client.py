"""The command line's way to the stack: plain HTTP from the standard library, so it starts fast."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from aima.errors import Conflict, EngineNotRunning, TemporalUnreachable, error_class
from aima.settings import Settings
from aima.stack.lock import StackState, is_owned, running_stack

START_SECONDS = 60.0
GONE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02


class Refused(Exception):
    """The stack found mistakes in a workflow; ``diagnostics`` lists them."""

    def __init__(self, diagnostics: list[dict[str, Any]]) -> None:
        """Carry what it found."""
        super().__init__("the workflow has errors")
        self.diagnostics = diagnostics


@dataclass(frozen=True)
class StackClient:
    """Talks to a running stack."""

    state: StackState

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Ask for something."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Tell or start something."""
        return self._ask("POST", path, body)

    def lines(self, path: str) -> Iterator[dict[str, Any]]:
        """Read a stream of JSON lines."""
        with self._open("GET", path, None, timeout=None) as response:
            for line in response:
                yield json.loads(line)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Hold the stack up while the block runs."""
        with self._open("GET", "/stack/attach", None, timeout=None) as response:
            response.readline()
            yield

    def wait_until_gone(self) -> None:
        """Wait until the stack has ended, so that nothing is left behind."""
        from contextlib import suppress

        import psutil

        with suppress(psutil.Error):
            psutil.Process(self.state.pid).wait(GONE_SECONDS)

    def _ask(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        with self._open(method, path, body, timeout=60) as response:
            text = response.read()
            return json.loads(text) if text else None

    @contextmanager
    def _open(
        self, method: str, path: str, body: object, *, timeout: float | None
    ) -> Iterator[HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self.state.port, timeout=timeout)
        try:
            try:
                connection.request(
                    method,
                    path,
                    body=None if body is None else json.dumps(body).encode(),
                    headers={"authorization": f"Bearer {self.state.token}"},
                )
                response = connection.getresponse()
            except (OSError, HTTPException) as error:
                raise EngineNotRunning(f"the AIMA stack went away ({error}); try again") from error
            if response.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
                _raise(response)
            yield response
        finally:
            connection.close()


def find_stack(settings: Settings) -> StackClient | None:
    """Find the stack of this data folder; waits for one that is just starting."""
    deadline = time.monotonic() + START_SECONDS
    while (state := running_stack(settings.data)) is None:
        if not is_owned(settings.data):
            return None
        if time.monotonic() > deadline:
            raise Conflict(
                f"another AIMA owns {str(settings.data)!r} and does not get ready; "
                "`aima ps` shows it"
            )
        time.sleep(_PAUSE_SECONDS)
    return StackClient(state)


def start_stack(settings: Settings, *, stays: bool) -> StackClient:
    """Start a stack in the background and wait until it is ready.

    Raises:
        TemporalUnreachable: it ended instead; the message is its own.
    """
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = settings.data / "logs" / "stack.log"
    log.parent.mkdir(exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "aima", "up", "--foreground"]
    if not stays:
        command.append("--while-attached")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - this very program
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    while (state := running_stack(settings.data)) is None:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            message = said[-1].removeprefix("error: ") if said else "it said nothing"
            raise (Conflict if "taken" in message or "in use" in message else TemporalUnreachable)(
                f"AIMA could not start: {message}"
            )
        time.sleep(_PAUSE_SECONDS)
    return StackClient(state)


def _raise(response: HTTPResponse) -> None:
    try:
        told = json.loads(response.read())
    except ValueError:
        told = {}
    if "diagnostics" in told:
        raise Refused(told["diagnostics"])
    raise error_class(told.get("code", ""))(told.get("detail", f"HTTP {response.status}"))
