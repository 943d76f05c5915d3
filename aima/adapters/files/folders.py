"""Files in ordinary folders, and nothing outside of them.

A path is resolved first, links and all, and must end up below one of the folders. The file is
then opened from that folder downwards, name by name, and no link is followed: whoever exchanges a
part of the path for a link in between is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from aima.blocking import in_thread
from aima.disk import told
from aima.errors import Forbidden, InvalidRequest, NotFound, TooLarge
from aima.ports.files import FoundFile

MOST_FILES = 10_000
READABLE = {".txt", ".md", ".markdown", ".json", ".jsonl", ".ndjson", ".csv", ".tsv"}
"""Files that a folder is read for where no pattern says which."""


@dataclass(frozen=True)
class FolderFiles:
    """The files below some folders; the first folder that has a name wins.

    Attributes:
        max_bytes: the most that one call may read, in all.
        most_files: the most that one call may find.
    """

    roots: Sequence[Path]
    max_bytes: int
    most_files: int = MOST_FILES

    async def find(self, path: str, glob: str | None = None) -> list[FoundFile]:
        """Find a file, or the files below a folder that fit a pattern, sorted by name."""
        return await in_thread(self._find, path, glob)

    @contextmanager
    def opened(self, file: FoundFile) -> Iterator[BinaryIO]:
        """Open a file to read, following no link."""
        root = Path(os.path.realpath(self.roots[file.root]))
        with told(root / file.name):
            descriptor = _open_below(root, file.name)
        with os.fdopen(descriptor, "rb") as stream:
            _check_ordinary(os.fstat(descriptor), file.name)
            yield stream

    def _find(self, path: str, glob: str | None) -> list[FoundFile]:
        for text in (path, glob or ""):
            if ".." in PurePosixPath(text).parts or "\0" in text:
                raise Forbidden(f"{text!r} leads out of its folder; write a path without '..'")
        index, root, place = self._place(path)
        with told(place):
            if not place.is_dir():
                return [_found(index, root, place)]
            return [_found(index, root, file) for file in self._names(place, glob)]

    def _names(self, folder: Path, glob: str | None) -> list[Path]:
        """List the files below a folder that fit a pattern, in order."""
        if glob is not None and PurePosixPath(glob).is_absolute():
            raise InvalidRequest(f"the pattern {glob!r} must be relative, such as '**/*.md'")
        try:
            found = list(islice(_fitting(folder, glob), self.most_files + 1))
        except ValueError as error:
            raise InvalidRequest(f"the pattern {glob!r}: {error}") from error
        if len(found) > self.most_files:
            raise TooLarge(
                f"{folder.name!r} holds more than {self.most_files} such files; narrow `glob`"
            )
        return sorted(found)

    def _place(self, path: str) -> tuple[int, Path, Path]:
        """Find the allowed folder that has this path, and where it really is."""
        outside = False
        for index, folder in enumerate(self.roots):
            root = Path(os.path.realpath(folder))
            with told(root / path):
                place = Path(os.path.realpath(folder / path))
                there = place.exists()
            if there and place.is_relative_to(root):
                return index, root, place
            outside |= there
        allowed = ", ".join(repr(str(root)) for root in self.roots) or "none"
        if outside:
            raise Forbidden(
                f"{path!r} is outside of the folders that may be read ({allowed}); the setting "
                "'files.roots' names them"
            )
        raise NotFound(
            f"there is no {path!r} in the folders that may be read ({allowed}); the setting "
            "'files.roots' names them"
        )


def _fitting(folder: Path, glob: str | None) -> Iterator[Path]:
    """Give the files below a folder that fit; hidden ones and folders behind links do not."""
    for place in folder.glob(glob or "**/*"):
        name = PurePosixPath(place.relative_to(folder))
        hidden = any(part.startswith(".") for part in name.parts)
        wanted = glob is not None or place.suffix.lower() in READABLE
        if wanted and not hidden and not place.is_dir():
            yield place


def _found(index: int, root: Path, place: Path) -> FoundFile:
    real = Path(os.path.realpath(place))
    if not real.is_relative_to(root):
        raise Forbidden(f"{str(place)!r} is a link that leads out of {str(root)!r}; remove it")
    name = PurePosixPath(real.relative_to(root))
    status = real.stat()
    _check_ordinary(status, name)
    return FoundFile(name, index, status.st_size)


def _open_below(root: Path, name: PurePosixPath) -> int:
    """Open a file below a folder, name by name."""
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in name.parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        # Not waiting for the other end, should it be a pipe now.
        return os.open(name.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)


def _check_ordinary(status: os.stat_result, name: PurePosixPath) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InvalidRequest(f"{str(name)!r} is a pipe or a device; give an ordinary file")
