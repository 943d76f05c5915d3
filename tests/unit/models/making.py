"""Small models, wheels and sources made on the spot."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aima.models.manifest import HubSource, Manifest, ModelFile, PackageSource
from aima.models.sources import Report, SourceFailed

HUB = {"kind": "hub", "repo": "acme/tiny", "filename": "weights.bin"}
PACKAGE = {
    "kind": "package",
    "parts": [{"package": "tiny-model", "version": "1.0", "member": "tiny_model/weights.bin"}],
}


def file_entry(
    data: bytes, *sources: Mapping[str, object], path: str = "weights.bin"
) -> dict[str, Any]:
    """Give a manifest's entry of a file that holds ``data``."""
    return {
        "path": path,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "sources": list(sources) or [PACKAGE],
    }


def model_file(data: bytes, *sources: Mapping[str, object]) -> ModelFile:
    """Give such an entry as the value it becomes."""
    return ModelFile.model_validate(file_entry(data, *sources))


def manifest_of(*entries: dict[str, Any], name: str = "tiny") -> Manifest:
    """Give a manifest with one model of these files."""
    model = {
        "name": name,
        "type": "llm",
        "groups": ["embedded"],
        "description": "A model for tests.",
        "licence": "Apache-2.0",
        "languages": ["en"],
        "context_tokens": 64,
        "chat_template": "{{ messages }}",
        "memory_bytes": 1,
        "file": list(entries),
    }
    return Manifest.model_validate({"model": [model]})


def wheel(
    folder: Path, members: Mapping[str, bytes], *, name: str = "tiny_model", metadata: str = ""
) -> Path:
    """Write a wheel of version 1.0 that pip accepts."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{metadata}"
        archive.writestr(f"{info}/METADATA", head)
        tag = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tag)
        archive.writestr(f"{info}/RECORD", "")
    return path


@dataclass
class GivenSource:
    """A hub or package index that gives what the test says, and remembers being asked."""

    gives: Iterable[bytes] = ()
    fails: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def chunks(
        self, source: HubSource | PackageSource, file: ModelFile, *, work: Path, report: Report
    ) -> Iterator[bytes]:
        """Give the chunks, then the failure if there is one."""
        assert work.is_dir()
        self.asked.append(str(source))
        for chunk in self.gives:
            report(file.bytes)
            yield chunk
        if self.fails:
            raise self.fails


def unreachable() -> GivenSource:
    """Give a source that cannot be had."""
    return GivenSource(fails=SourceFailed("out of reach"))
