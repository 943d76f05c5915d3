"""What units ask of the files people keep: only to read, and only below allowed folders."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol


@dataclass(frozen=True)
class FoundFile:
    """An ordinary file below an allowed folder.

    Attributes:
        name: its path below that folder.
        root: which of the folders it is.
    """

    name: PurePosixPath
    root: int
    bytes: int


class Files(Protocol):
    """Files below the folders of the setting `files.roots`."""

    @property
    def max_bytes(self) -> int:
        """The most that one call may read, in all."""
        ...

    async def find(self, path: str, glob: str | None = None) -> list[FoundFile]:
        """Find a file, or the files below a folder that fit a pattern, sorted by name.

        Raises:
            NotFound: there is nothing of that name in any allowed folder.
            Forbidden: it is outside of them, or may not be read.
            InvalidRequest: it is a device, a pipe or a socket.
            TooLarge: the folder holds more files than one call may read.
        """
        ...

    def opened(self, file: FoundFile) -> AbstractContextManager[BinaryIO]:
        """Open a file to read; it blocks, so do it in a thread.

        Raises:
            NotFound: it is gone.
            Forbidden: a link has taken its place, or it may not be read.
            InvalidRequest: it is no ordinary file any more.
        """
        ...
