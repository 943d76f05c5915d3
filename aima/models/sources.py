"""Where the bytes of a model file come from: a mirror folder, the model hub, a package's wheel.

Each source gives the file as chunks of bytes and is believed in nothing: the store compares
size and checksum before it keeps anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from aima.models.manifest import HubSource, Model, ModelFile, PackageSource

CHUNK_BYTES = 1 << 20

Report = Callable[[int], None]
"""Told how many bytes of a file have arrived."""


class SourceFailed(Exception):
    """A source cannot give the file; the next one is tried. The message is the reason."""


class Hub(Protocol):
    """What the store asks of the model hub."""

    def chunks(
        self, source: HubSource, file: ModelFile, *, work: Path, report: Report
    ) -> Iterator[bytes]:
        """Download a file below ``work`` and give its bytes."""
        ...


class Packages(Protocol):
    """What the store asks of the package index."""

    def chunks(
        self, source: PackageSource, file: ModelFile, *, work: Path, report: Report
    ) -> Iterator[bytes]:
        """Download the wheels below ``work`` and give the bytes of their listed members."""
        ...


def file_chunks(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def mirrored_file(mirror: Path, model: Model, file: ModelFile) -> Path | None:
    """Find a file in a mirror that is laid out like the store: ``MODEL/PATH``."""
    path = mirror / model.name / file.path
    return path if path.is_file() else None
