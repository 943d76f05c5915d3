"""One owner for each data folder, and how others find it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aima.errors import Conflict, Forbidden, InsufficientResources
from aima.stack.lock import DataLock, StackState, is_owned, reaching, running_stack

STATE = StackState(os.getpid(), 7700, "", temporal="127.0.0.1:1", ui="", project="/p")


OWNER = """
import pathlib, sys
from aima.stack.lock import DataLock, StackState
lock = DataLock(pathlib.Path(sys.argv[1]))
lock.publish(StackState(1, 1, "", temporal="", ui="", project=""))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[DataLock]:
    """The lock of a folder that nobody had before."""
    lock = DataLock(tmp_path / "data")
    yield lock
    lock.release()


def test_a_folder_has_one_owner(lock: DataLock, tmp_path: Path) -> None:
    """Also within one process; the message names who and the three ways out."""
    del lock
    assert is_owned(tmp_path / "data")
    with pytest.raises(Conflict) as caught:
        DataLock(tmp_path / "data")
    for part in (f"process {os.getpid()}", "`aima run`", "`aima down`", "set AIMA_DATA"):
        assert part in caught.value.message


def test_a_folder_that_is_made_is_private(lock: DataLock, tmp_path: Path) -> None:
    """What people say to their machine is nobody else's business."""
    lock.publish(STATE)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "stack.json").stat().st_mode & 0o777 == 0o600


def test_a_killed_owner_leaves_no_lock(tmp_path: Path) -> None:
    """The kernel drops it with the process; the state that is left over does not count."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"ready\n"
        assert running_stack(tmp_path) is not None
        owner.kill()
    assert (tmp_path / "stack.json").exists()
    assert not is_owned(tmp_path)
    assert running_stack(tmp_path) is None
    DataLock(tmp_path).release()
    assert not (tmp_path / "stack.json").exists()


def test_looking_does_not_keep_the_owner_out(tmp_path: Path) -> None:
    """Who asks holds the lock for a moment; a stack that starts just then must not give up."""
    (tmp_path / "lock").touch()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_owned(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(20):
            DataLock(tmp_path).release()
    finally:
        stop.set()
        for looker in lookers:
            looker.join()


def test_a_stack_is_found_when_it_is_ready_and_not_before(lock: DataLock, tmp_path: Path) -> None:
    """Between the lock and the state it is starting."""
    data = tmp_path / "data"
    assert running_stack(data) is None
    lock.publish(STATE)
    assert running_stack(data) == STATE
    lock.publish(replace(STATE, port=1))
    assert running_stack(data) == replace(STATE, port=1)


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"pid": 1, "future": True})])
def test_a_stack_of_another_version_is_told(lock: DataLock, tmp_path: Path, text: str) -> None:
    """After an update the old one still runs: waiting for it to get ready would be for ever."""
    del lock
    (tmp_path / "data" / "stack.json").write_text(text)
    with pytest.raises(Conflict, match="another version of AIMA"):
        running_stack(tmp_path / "data")


def test_nobody_owns_what_is_not_there(tmp_path: Path) -> None:
    """The first call of all."""
    assert not is_owned(tmp_path / "nothing")
    assert running_stack(tmp_path / "nothing") is None


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """AIMA_DATA points at a file."""
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(Forbidden, match=r"the data folder '.*file' cannot be used.*AIMA_DATA"):
        DataLock(place)


def test_a_full_disk_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    """Temporal would start, die, and say something about SQLite."""
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tiny)]
    if not shutil.which("mount") or subprocess.run(mount, check=False, timeout=10).returncode:
        pytest.skip("only root may mount the small disk that this needs")
    try:
        with pytest.raises(InsufficientResources, match=r"has 1\.0 MB left; free some"):
            DataLock(tiny)
    finally:
        subprocess.run(["umount", str(tiny)], check=True, timeout=10)


def test_what_a_disk_refuses_later_is_told_alike(tmp_path: Path) -> None:
    """The disk may fill between two steps."""
    with pytest.raises(InsufficientResources, match="set AIMA_DATA"), reaching(tmp_path):
        raise OSError(28, "No space left on device")
    with pytest.raises(FileNotFoundError), reaching(tmp_path):
        raise FileNotFoundError
