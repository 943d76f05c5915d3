"""Who owns a data folder; the protocol is told in the package's docstring."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from aima.errors import Conflict, Forbidden, InsufficientResources

LOCK = "lock"
STATE = "stack.json"


@dataclass(frozen=True)
class StackState:
    """How to reach a running stack."""

    pid: int
    port: int
    token: str
    temporal: str
    ui: str
    stays: bool


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
        try:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file: IO[str] = (data / LOCK).open("a+")
        except OSError as error:
            raise _folder_error(data, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = self._owner()
            self._file.close()
            raise Conflict(
                f"the data folder {str(data)!r} is in use by another AIMA{owner}; "
                "use it with `aima run`, end it with `aima down`, or set AIMA_DATA"
            ) from error
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
    """Find the stack that owns a data folder; None where there is none or it is not ready yet."""
    if not is_owned(data):
        return None
    try:
        return StackState(**json.loads((data / STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_owned(data: Path) -> bool:
    """Tell whether some AIMA holds the lock of a data folder right now."""
    try:
        with (data / LOCK).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN):
            return True
        raise
    return False


def _folder_error(data: Path, error: OSError) -> Exception:
    if error.errno == errno.ENOSPC:
        return InsufficientResources(f"no space left for the data folder {str(data)!r}; free some")
    return Forbidden(
        f"the data folder {str(data)!r} cannot be used ({error.strerror}); "
        "mend its permissions or set AIMA_DATA to another folder"
    )
