"""Who owns a data folder; the protocol is told in the package's docstring."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from aima.errors import Conflict, Forbidden, InsufficientResources

LOCK = "lock"
STATE = "stack.json"

LEAST_FREE_BYTES = 16_000_000
"""Temporal's empty database takes a third of it; with less nothing would start or say why."""

GLANCE_SECONDS = 0.5
"""Whoever asks whether the folder is owned holds the lock for a moment; the owner tries longer."""


PYTHON = "python"
"""The program that :mod:`aima.client` is part of."""


@dataclass(frozen=True)
class StackState:
    """How to reach a running stack.

    Attributes:
        project: the folder whose `aima.toml` it was started with; empty for none.
    """

    pid: int
    port: int
    token: str
    temporal: str
    ui: str
    project: str

    def token_of(self, program: str) -> str:
        """Give what lets the command line in, or another program of the owner by its name."""
        return f"{self.token}.{program}" if program else self.token


class DataLock:
    """The exclusive ownership of a data folder, from its making until :meth:`release`."""

    def __init__(self, data: Path) -> None:
        """Take the lock.

        Raises:
            Conflict: another AIMA has it; the message names its process.
            Forbidden: the folder cannot be written.
            InsufficientResources: the disk is full.
        """
        self._data = data
        with reaching(data):
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            free = shutil.disk_usage(data).free
            if free < LEAST_FREE_BYTES:
                raise InsufficientResources(
                    f"the disk of the data folder {str(data)!r} has {free / 1e6:.1f} MB left; "
                    "free some, or set AIMA_DATA to a folder on another disk"
                )
            self._file: IO[str] = (data / LOCK).open("a+")
            if not _locked(self._file):
                owner = self._owner()
                self._file.close()
                raise Conflict(
                    f"the data folder {str(data)!r} is in use by another AIMA{owner}; "
                    "use it with `aima run`, end it with `aima down`, or set AIMA_DATA"
                )
            self._file.truncate(0)
            self._file.write(f"{os.getpid()}\n")
            self._file.flush()
            (data / STATE).unlink(missing_ok=True)

    def publish(self, state: StackState) -> None:
        """Tell clients how to reach this stack; only the owner of the files can read it."""
        temporary = self._data / f"{STATE}.new"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(state), file)
        temporary.replace(self._data / STATE)

    def release(self) -> None:
        """Give the folder up."""
        (self._data / STATE).unlink(missing_ok=True)
        self._file.close()

    def _owner(self) -> str:
        self._file.seek(0)
        pid = self._file.read().strip()
        return f" (process {pid})" if pid else ""


def running_stack(data: Path) -> StackState | None:
    """Find the stack that owns a data folder; None where there is none or it is not ready yet.

    Raises:
        Conflict: a stack of another version of AIMA owns it.
    """
    if not is_owned(data):
        return None
    try:
        text = (data / STATE).read_text()
    except FileNotFoundError:
        return None
    try:
        return StackState(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise Conflict(
            f"another version of AIMA runs on {str(data)!r}; end it with that version's "
            "`aima down`, or set AIMA_DATA"
        ) from error


def is_owned(data: Path) -> bool:
    """Tell whether some AIMA holds the lock of a data folder right now.

    Raises:
        Forbidden: the lock cannot be read.
    """
    try:
        with reaching(data), (data / LOCK).open() as file:
            return not _try(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


@contextmanager
def reaching(data: Path) -> Iterator[None]:
    """Say of a data folder that cannot be used why, and how to choose another.

    Raises:
        Forbidden: it may not be read or written.
        InsufficientResources: its disk is full.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        way_out = "or set AIMA_DATA to another folder"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InsufficientResources(
                f"no space left for the data folder {str(data)!r}; free some, {way_out}"
            ) from error
        raise Forbidden(
            f"the data folder {str(data)!r} cannot be used: {error.strerror} "
            f"({error.filename}); mend that, {way_out}"
        ) from error


def _locked(file: IO[str]) -> bool:
    """Take the lock; another owner keeps it for longer than those who only look."""
    deadline = time.monotonic() + GLANCE_SECONDS
    while not _try(file, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            return False
        time.sleep(GLANCE_SECONDS / 50)
    return True


def _try(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
