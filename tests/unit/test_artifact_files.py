"""Files of users on their way into the artifact store and out of it."""

import asyncio
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from aima.artifacts import CHUNK_BYTES, FolderArtifacts
from aima.errors import InvalidRequest, NotFound
from aima.ports.artifacts import Artifact

SOUND = bytes(range(256)) * 20_000


@pytest.fixture
def store(tmp_path: Path) -> FolderArtifacts:
    """Give an empty store."""
    return FolderArtifacts(tmp_path / "artifacts", max_bytes=8 * CHUNK_BYTES)


def keep(store: FolderArtifacts) -> Artifact:
    """Put bytes into the store."""
    return asyncio.run(store.put(SOUND, media_type="audio/wav"))


def test_a_users_file_is_kept_with_its_media_type(store: FolderArtifacts, tmp_path: Path) -> None:
    """By content, so that a JPEG named .wav is told before a model sees it."""
    file = tmp_path / "question.wav"
    file.write_bytes(b"\xff\xd8\xff\xe0" + bytes(2 * CHUNK_BYTES))
    artifact = store.put_file(file)
    assert artifact.media_type == "image/jpeg"
    assert asyncio.run(store.get(artifact)) == file.read_bytes()


def test_a_link_to_a_file_is_the_file(store: FolderArtifacts, tmp_path: Path) -> None:
    """People link to their recordings."""
    (tmp_path / "real").write_bytes(SOUND)
    (tmp_path / "link").symlink_to("real")
    assert store.put_file(tmp_path / "link").bytes == len(SOUND)


def test_what_is_no_file_with_content_is_refused(store: FolderArtifacts, tmp_path: Path) -> None:
    """A pipe would wait for ever, /dev/zero fill the disk, an empty file fail far from here."""
    (tmp_path / "empty").touch()
    (tmp_path / "nowhere").symlink_to("gone")
    os.mkfifo(tmp_path / "pipe")
    refused = {
        tmp_path / "empty": (InvalidRequest, "is empty"),
        tmp_path / "pipe": (InvalidRequest, "a pipe or a device"),
        Path("/dev/zero"): (InvalidRequest, "a pipe or a device"),
        tmp_path: (InvalidRequest, "is a folder"),
        tmp_path / "gone": (NotFound, "does not exist"),
        tmp_path / "nowhere": (NotFound, "does not exist"),
        tmp_path / "empty" / "below": (NotFound, "does not exist"),
    }
    for path, (kind, message) in refused.items():
        with pytest.raises(kind, match=message) as caught:
            store.put_file(path)
        assert str(path) in caught.value.message
    assert not [file for file in store.folder.rglob("*") if file.is_file()]


def test_a_copy_replaces_a_file_when_it_is_whole(store: FolderArtifacts, tmp_path: Path) -> None:
    """Who plays answer.wav hears the old answer or the new one."""
    target = tmp_path / "answer.wav"
    target.write_bytes(b"old")
    artifact = keep(store)
    with target.open("rb") as old:
        store.copy_to(artifact, target)
        assert old.read() == b"old"
    assert target.read_bytes() == SOUND
    assert sorted(file.name for file in tmp_path.iterdir()) == ["answer.wav", "artifacts"]


def test_a_copy_gets_the_mode_of_any_new_file(store: FolderArtifacts, tmp_path: Path) -> None:
    """The store is private; a file the user asked for is as readable as their others."""
    (tmp_path / "other").touch()
    store.copy_to(keep(store), tmp_path / "answer.wav")
    assert (tmp_path / "answer.wav").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_copy_through_a_link_changes_the_file(store: FolderArtifacts, tmp_path: Path) -> None:
    """A link is where the user wants the file, not the file."""
    link = tmp_path / "latest.wav"
    link.symlink_to("real.wav")
    store.copy_to(keep(store), link)
    assert link.is_symlink()
    assert (tmp_path / "real.wav").read_bytes() == SOUND


def test_a_copy_to_a_device_leaves_the_device(store: FolderArtifacts, tmp_path: Path) -> None:
    """Root, in a container, must not replace /dev/null; a pipe is a good target."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard = tmp_path / "heard"
    with heard.open("wb") as out, subprocess.Popen(["cat", pipe], stdout=out):
        store.copy_to(keep(store), pipe)
    assert heard.read_bytes() == SOUND
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_copy_to_no_place_says_which(store: FolderArtifacts, tmp_path: Path) -> None:
    """The way out is in the message."""
    artifact = keep(store)
    with pytest.raises(NotFound, match=r"no folder .*missing'; create it first"):
        store.copy_to(artifact, tmp_path / "missing" / "answer.wav")
    with pytest.raises(InvalidRequest, match="is a folder; name a file in it"):
        store.copy_to(artifact, tmp_path)


REFUSED = """
import asyncio, os, resource, sys
from pathlib import Path
from aima.artifacts import FolderArtifacts
from aima.errors import AimaError

folder = Path(sys.argv[1])
store = FolderArtifacts(folder / "artifacts", max_bytes=1 << 30)
kept = asyncio.run(store.put(bytes(1 << 20), media_type="audio/wav"))
(folder / "big").write_bytes(b"x" * (2 << 20))
(folder / "locked").mkdir(mode=0o500)
(folder / "secret").write_bytes(b"x")
(folder / "secret").chmod(0)
if os.geteuid() == 0:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)
    os.setegid(65534)
    os.seteuid(65534)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))  # refused like a full disk

for work in (
    lambda: asyncio.run(store.put(b"y" * (2 << 20), media_type="audio/wav")),
    lambda: store.put_file(folder / "big"),
    lambda: store.copy_to(kept, folder / "out"),
    lambda: store.copy_to(kept, folder / "locked" / "out"),
    lambda: store.put_file(folder / "secret"),
    lambda: FolderArtifacts(folder / "locked" / "artifacts", max_bytes=1),
):
    try:
        work()
    except AimaError as error:
        print(error.code, error.message, sep="|")
print(*sorted(file.name for file in folder.rglob("*") if file.is_file()))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that any user can reach; pytest's own are closed."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_full_disk_and_a_closed_folder_are_told(open_folder: Path) -> None:
    """What is wrong, where, and the way out; no half file is left."""
    script = [sys.executable, "-c", REFUSED, str(open_folder)]
    told = subprocess.run(script, check=True, capture_output=True, text=True).stdout.splitlines()
    *errors, left = told
    expected = [
        ("INSUFFICIENT_RESOURCES", "artifacts"),
        ("INSUFFICIENT_RESOURCES", "artifacts"),
        ("INSUFFICIENT_RESOURCES", "out"),
        ("FORBIDDEN", "locked/out"),
        ("FORBIDDEN", "secret"),
        ("FORBIDDEN", "locked/artifacts"),
    ]
    for error, (code, place) in zip(errors, expected, strict=True):
        assert error.startswith(f"{code}|")
        assert repr(str(open_folder / place)) in error
    kept = hashlib.sha256(bytes(1 << 20)).hexdigest()
    assert left.split() == sorted(["big", kept[2:], "secret"])
