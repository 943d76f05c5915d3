"""What a disk refuses, told; what it was given, made safe."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aima.errors import (
    AimaError,
    Conflict,
    ExecutionFailed,
    Forbidden,
    InsufficientResources,
    NotFound,
)

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_SUCH_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
_IN_THE_WAY = {errno.EEXIST, errno.EISDIR}


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say what the operating system refused, about which path, and the way out."""
    try:
        yield
    except OSError as error:
        raise _translated(error, str(path)) from error


def _translated(error: OSError, path: str) -> AimaError:
    if error.errno in _NO_SPACE:
        return InsufficientResources(
            f"no space left for {path!r}; free some, or choose another disk"
        )
    if error.errno in _NO_PERMISSION:
        return Forbidden(f"no permission for {path!r}; change its mode, or choose another place")
    if error.errno in _NO_SUCH_PLACE:
        return NotFound(f"{path!r} does not exist: {error.strerror}; check the path")
    if error.errno in _IN_THE_WAY:
        return Conflict(f"something else is where {path!r} should be; choose another place")
    return ExecutionFailed(f"{path!r}: {error.strerror}; check the disk")


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
