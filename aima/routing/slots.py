"""Places at an instance, shared by all processes of this machine."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol


class Slots(Protocol):
    """Gives places at an instance that bears only so many requests."""

    def take(self, engine: str, most: int) -> int | None:
        """Take a place, or none where all are taken."""
        ...

    def free(self, place: int) -> None:
        """Give a place back."""
        ...


class FileSlots:
    """Places held by locks on files: the kernel frees those of a process that dies."""

    def __init__(self, folder: Path) -> None:
        """Keep the files in a folder; nothing is made until a place is taken."""
        self._folder = folder

    def take(self, engine: str, most: int) -> int | None:
        """Take a place, or none where all are taken."""
        folder = self._folder / engine.encode().hex()
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(most):
            file = os.open(folder / str(number), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
            else:
                return file
        return None

    def free(self, place: int) -> None:
        """Give a place back."""
        os.close(place)


class OwnSlots:
    """Places of one process alone."""

    def __init__(self) -> None:
        """Start with all places free."""
        self._taken: dict[int, str] = {}
        self._next = 0

    def take(self, engine: str, most: int) -> int | None:
        """Take a place, or none where all are taken."""
        if list(self._taken.values()).count(engine) >= most:
            return None
        self._next += 1
        self._taken[self._next] = engine
        return self._next

    def free(self, place: int) -> None:
        """Give a place back."""
        del self._taken[place]
