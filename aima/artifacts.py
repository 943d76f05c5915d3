"""Bytes by their content hash, in a folder.

An artifact named ``sha256:abcdef…`` is the file ``ab/cdef…``. It is written beside, in ``tmp/``,
synced, and renamed into place, so a file under its final name is whole and on disk, even after a
power cut. The rename replaces a file that is there already: with the same content that changes
nothing for whoever reads it, it mends a file that was damaged, and it renews the file's time.

Nothing here deletes an artifact. A collector can be added without changing the layout: mark what
the histories of open and retained runs and the effect record refer to (an offloaded JSON value is
itself an artifact that may refer to others), then delete unmarked files older than the longest
time from a ``put`` to the moment its reference is in a history. The renewed time makes that safe
for bytes that are put again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import AsyncIterable, AsyncIterator, Generator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from aima.blocking import in_thread
from aima.disk import sync_folder, told
from aima.errors import InvalidRequest, NotFound, TooLarge
from aima.media_type import media_type_of
from aima.ports.artifacts import Artifact, Corrupt

CHUNK_BYTES = 1 << 20  # large enough that a change of thread for each does not count
_ABANDONED_SECONDS = 60  # a live writer has locked its file long before


@dataclass(frozen=True)
class FolderArtifacts:
    """The artifact store of one folder, shared by any number of processes.

    Attributes:
        folder: made when missing; everything in it is for its owner alone.
        max_bytes: largest single artifact.
    """

    folder: Path
    max_bytes: int

    def __post_init__(self) -> None:
        """Make the folder and clear what killed writers left."""
        with told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            unfinished = self.folder / "tmp"
            unfinished.mkdir(exist_ok=True, mode=0o700)
            for file in unfinished.iterdir():
                _remove_if_abandoned(file)

    async def put(self, data: bytes | AsyncIterable[bytes], *, media_type: str) -> Artifact:
        """Keep ``data``; it is on disk when this returns, and nowhere if this fails."""
        if isinstance(data, bytes):
            return await in_thread(self._put_bytes, data, media_type)
        with _Writer(self) as writer:
            batch = bytearray()
            async for part in data:
                batch += part
                if len(batch) >= CHUNK_BYTES:
                    await in_thread(writer.write, batch)
                    batch = bytearray()
            await in_thread(writer.write, batch)
            return await in_thread(writer.commit, media_type)

    async def get(self, artifact: Artifact) -> bytes:
        """Give the bytes at once, verified."""
        return await in_thread(lambda: b"".join(self._verified(artifact)))

    async def stream(self, artifact: Artifact) -> AsyncIterator[bytes]:
        """Give the bytes in chunks; the last one only when all of them proved right."""
        chunks = self._verified(artifact)
        try:
            while chunk := await in_thread(next, chunks, b""):
                yield chunk
        finally:
            chunks.close()

    async def path(self, artifact: Artifact) -> Path:
        """Give the file of the bytes, verified just now. Read it; never write to it."""
        await in_thread(self.verify, artifact)
        return self.file_of(artifact.artifact)

    def file_of(self, name: str) -> Path:
        """Tell where the artifact of this name, ``sha256:…``, is or would be."""
        digest = name.removeprefix("sha256:")
        return self.folder / digest[:2] / digest[2:]

    def put_file(self, path: Path) -> Artifact:
        """Keep the content of a user's file; its media type is told by content, then by name.

        Raises:
            NotFound: there is no such file.
            InvalidRequest: it is a folder, a pipe or a device, or it is empty.
            Forbidden: it may not be read.
            TooLarge: it exceeds ``max_bytes``.
        """
        with told(path):
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
                raise InvalidRequest(f"{str(path)!r} is {what}; give an ordinary file")
            source = path.open("rb", buffering=0)
        with source, _Writer(self) as writer:
            head = chunk = _read(source, path)
            if not head:
                raise InvalidRequest(f"{str(path)!r} is empty; give a file with content")
            while chunk:
                writer.write(chunk)
                chunk = _read(source, path)
            return writer.commit(media_type_of(head, path.name))

    def copy_to(self, artifact: Artifact, target: Path) -> None:
        """Write the bytes to a user's file; what was there stays until the new file is whole.

        Raises:
            NotFound: the store does not hold them, or the target's folder does not exist.
            Corrupt: the store holds other bytes under their name.
            InvalidRequest: the target is a folder.
            Forbidden: the target may not be written.
            InsufficientResources: the disk is full.
        """
        with told(target):
            place = Path(os.path.realpath(target))  # through a link to the file it stands for
            if not place.parent.exists():
                raise NotFound(f"there is no folder {str(place.parent)!r}; create it first")
            if place.is_dir():
                raise InvalidRequest(f"{str(target)!r} is a folder; name a file in it")
            if place.exists() and not place.is_file():
                self.verify(artifact)
                self._pour(artifact, place.open("wb", buffering=0))  # replace no /dev/stdout
                return
            part = place.with_name(f".aima-{secrets.token_hex(8)}.part")
            try:
                self._pour(artifact, part.open("xb", buffering=0))
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)

    def _pour(self, artifact: Artifact, into: FileIO) -> None:
        with into:
            for chunk in self._verified(artifact):
                _write_all(into, chunk)

    def _put_bytes(self, data: bytes, media_type: str) -> Artifact:
        with _Writer(self) as writer:
            writer.write(data)
            return writer.commit(media_type)

    def verify(self, artifact: Artifact) -> None:
        """See that the bytes are the ones that were put there.

        Raises:
            NotFound: the store does not hold them.
            Corrupt: it holds other bytes under their name.
        """
        for _ in self._verified(artifact):
            pass

    def _verified(self, artifact: Artifact) -> Generator[bytes, None, None]:
        path = self.file_of(artifact.artifact)
        if not path.exists():
            raise NotFound(
                f"the store {str(self.folder)!r} does not hold {artifact.artifact!r}; it was "
                "deleted, or made by a worker that does not share this folder"
            )
        digest, size, held = hashlib.sha256(), 0, b""
        with told(path):
            source = path.open("rb", buffering=0)
        with source:
            while chunk := _read(source, path):
                if held:
                    yield held
                digest.update(chunk)
                size += len(chunk)
                held = chunk
        if f"sha256:{digest.hexdigest()}" != artifact.artifact:
            raise Corrupt(f"{str(path)!r} is damaged; restore it from a backup or make it again")
        if size != artifact.bytes:
            raise InvalidRequest(
                f"{artifact.artifact!r} has {size} bytes, not {artifact.bytes}; "
                "pass references on unchanged"
            )
        if held:
            yield held


class _Writer:
    """A file in the making: committed under its hash, or gone when the context is left."""

    def __init__(self, store: FolderArtifacts) -> None:
        self._store = store
        self._digest = hashlib.sha256()
        self._size = 0
        self._path = store.folder / "tmp" / secrets.token_hex(16)

    def __enter__(self) -> Self:
        with told(self._store.folder):
            self._file = FileIO(self._path, "x", opener=_open_private)
            # Held until the file is closed, even by a kill: it tells a live writer's file from
            # one that was left behind.
            fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._path.unlink(missing_ok=True)
        self._file.close()

    def write(self, chunk: bytes | bytearray) -> None:
        self._size += len(chunk)
        if self._size > self._store.max_bytes:
            raise TooLarge(
                f"an artifact holds at most {self._store.max_bytes} bytes; "
                "the setting 'artifacts.max_bytes' allows more"
            )
        self._digest.update(chunk)
        with told(self._store.folder):
            _write_all(self._file, chunk)

    def commit(self, media_type: str) -> Artifact:
        name = f"sha256:{self._digest.hexdigest()}"
        artifact = Artifact(artifact=name, media_type=media_type, bytes=self._size)
        place = self._store.file_of(name)
        with told(self._store.folder):
            os.fsync(self._file)
            place.parent.mkdir(exist_ok=True, mode=0o700)
            self._path.replace(place)
            sync_folder(place.parent)
            sync_folder(self._store.folder)
        return artifact


def _read(source: FileIO, path: Path) -> bytes:
    with told(path):
        return source.read(CHUNK_BYTES)


def _write_all(file: FileIO, chunk: bytes | bytearray) -> None:
    rest = memoryview(chunk)
    while rest:  # the system may take less than it is given
        rest = rest[file.write(rest) :]


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _remove_if_abandoned(file: Path) -> None:
    with suppress(FileNotFoundError, BlockingIOError), file.open("rb") as opened:
        if time.time() - os.fstat(opened.fileno()).st_mtime > _ABANDONED_SECONDS:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while its writer lives
            file.unlink()
