"""Using the stack of a data folder: the one that runs, or one brought up for a moment."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aima.errors import AimaError, Conflict, EngineNotRunning, ExecutionFailed, error_class
from aima.gateway.cli.stack_client import GONE_SECONDS, PAUSE_SECONDS, StackClient
from aima.settings import Settings
from aima.stack.lock import is_owned, reaching, running_stack

if TYPE_CHECKING:
    from subprocess import Popen

START_SECONDS = 40.0
"""How long a stack may take to get ready; it gives up by itself before."""


@contextmanager
def stack(settings: Settings, *, works: bool = False, stays: bool = False) -> Iterator[StackClient]:
    """Use the running stack, or bring one up, and hold it while the block runs.

    Args:
        settings: which data folder, and what a new stack is like.
        works: a worker is needed. To look at runs none is: an open run would be taken up, and
            dropped again a moment later.
        stays: the stack outlives this, also where it runs already.
    """
    seconds = GONE_SECONDS + settings.worker.shutdown_seconds
    held = ExitStack()
    client, number = _hold(settings, held, works=works, stays=stays)
    try:
        if stays:
            client.post("/stack/stay")
        yield client
    finally:
        held.close()
        client.leave(number, seconds=seconds)


def find_stack(settings: Settings) -> StackClient | None:
    """Find the stack of this data folder; waits for one that is just starting.

    Raises:
        Conflict: it does not get ready.
    """
    deadline = time.monotonic() + START_SECONDS
    while (state := running_stack(settings.data)) is None:
        if not is_owned(settings.data):
            return None
        if time.monotonic() > deadline:
            raise Conflict(
                f"another AIMA owns {str(settings.data)!r} and does not get ready; "
                f"process {(settings.data / 'lock').read_text().strip()} is it"
            )
        time.sleep(PAUSE_SECONDS)
    return StackClient(state)


def find_or_start(settings: Settings, *, stays: bool) -> StackClient:
    """Find the stack, or start one in the background and wait until it is ready.

    Raises:
        AimaError: it could not start; the error is its own.
    """
    while (client := find_stack(settings)) is None:
        failure = _start(settings, stays=stays)
        # Two who start at once both try; the one that came second uses the other's.
        if failure is not None and not is_owned(settings.data):
            raise failure
    return client


def other_project(client: StackClient, settings: Settings) -> str:
    """Say, after an error, that a stack of another project does not know this one's units."""
    here = str(settings.root or "")
    if client.state.project == here or not settings.project.activities:
        return ""
    began = f"in {client.state.project!r}" if client.state.project else "outside any project"
    return (
        f"; the AIMA that runs was started {began} and does not know the units of {here!r}: "
        "`aima down`, then `aima up` here"
    )


def _hold(
    settings: Settings, held: ExitStack, *, works: bool, stays: bool
) -> tuple[StackClient, int]:
    """Attach to the stack; one that was found in its last moments is waited out."""
    while True:
        client = find_or_start(settings, stays=stays)
        try:
            return client, held.enter_context(client.attached(works=works))
        except EngineNotRunning:
            client.wait_until_gone(GONE_SECONDS + settings.worker.shutdown_seconds)


def _start(settings: Settings, *, stays: bool) -> AimaError | None:
    """Start a stack and wait until one is ready; give what this one ended with, if it did."""
    from subprocess import DEVNULL, PIPE, Popen

    log = settings.data / "logs" / "stack.log"
    with reaching(settings.data):
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        log.parent.mkdir(exist_ok=True, mode=0o700)
        said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    kind = "stays" if stays else "ends"
    try:
        process = Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "aima", "up", "--background", kind, "--json"],
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=said,
            start_new_session=True,  # Ctrl-C in this terminal is for the client to answer
        )
    finally:
        os.close(said)
    ready = False
    try:
        while not (ready := running_stack(settings.data) is not None):
            if process.poll() is not None:
                return _failure(process, log)
            time.sleep(PAUSE_SECONDS)
    finally:
        if not ready:
            process.terminate()
            process.wait()
    return None


def _failure(process: Popen[bytes], log: Path) -> AimaError:
    """Read what a stack that could not start told: `--json` makes it an object."""
    last = (process.stdout.read() if process.stdout else b"").splitlines()[-1:]
    try:
        told = json.loads(last[0])["error"]
    except (IndexError, ValueError, KeyError, TypeError):
        return ExecutionFailed(f"AIMA could not start; {log} tells why")
    return error_class(told["code"])(told["message"])
