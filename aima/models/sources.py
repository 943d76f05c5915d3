"""Where the bytes of a model file come from: a mirror folder, AIMA itself, the model hub, a wheel.

Each source gives the file as chunks of bytes and is believed in nothing: the store compares
size and checksum before it keeps anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from aima.models.manifest import HubSource, Model, ModelFile, PackageSource, ShippedSource

CHUNK_BYTES = 1 << 20

BEGUN = "begun"
"""The folder of downloads that may go on; what else lies in a folder of work is of no use later."""

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


def begun(work: Path, file: ModelFile) -> Path:
    """Give the place of a download that goes on after an interruption; named by what it must be."""
    return work / BEGUN / file.sha256


def file_chunks(path: Path) -> Iterator[bytes]:
    """Give the bytes of a file."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def shipped_chunks(source: ShippedSource) -> Iterator[bytes]:
    """Give the bytes of a file that comes with AIMA.

    Raises:
        SourceFailed: this installation lacks it.
    """
    try:
        with files("aima.models").joinpath("shipped", source.name).open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                yield chunk
    except FileNotFoundError as error:
        raise SourceFailed("this installation lacks the file; install aima anew") from error


def mirrored_file(mirror: Path, model: Model, file: ModelFile) -> Path | None:
    """Find a file in a mirror that is laid out like the store: ``MODEL/PATH``."""
    path = mirror / model.name / file.path
    return path if path.is_file() else None
