"""Processes that end with who started them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from aima.stack.child import Children, end

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""
PARENT = """
import asyncio, pathlib, sys
from aima.stack.child import Children

async def main():
    folder = pathlib.Path(sys.argv[1])
    children = Children(folder / "children.json")
    process = await children.start(sys.argv[2:], log=folder / "log")
    print(process.pid, flush=True)
    await process.wait()

asyncio.run(main())
"""


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again until something is true."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what another process does sets no event
            await asyncio.sleep(0.02)


@pytest.fixture
def children(tmp_path: Path) -> Children:
    """Children that are remembered in a file."""
    return Children(tmp_path / "children.json")


async def test_a_child_is_remembered_until_it_is_forgotten(
    children: Children, tmp_path: Path
) -> None:
    """Whoever comes after a crash reads who may still live."""
    process = await children.start(SLEEP, log=tmp_path / "logs" / "sleep.log")
    assert list(json.loads(children.record.read_text())) == [str(process.pid)]
    await end(process, grace=5)
    children.forget(process.pid)
    assert json.loads(children.record.read_text()) == {}


def test_leftovers_of_a_crash_are_ended(children: Children) -> None:
    """Where the kernel does not see to it, the next owner does."""
    with subprocess.Popen(SLEEP) as left:
        started = psutil.Process(left.pid).create_time()
        children.record.write_text(json.dumps({str(left.pid): started}))
        assert children.end_leftovers() == [left.pid]
        assert not psutil.pid_exists(left.pid)


async def test_a_reused_pid_is_never_touched(children: Children, tmp_path: Path) -> None:
    """Days later the number belongs to somebody else's process."""
    process = await children.start(SLEEP, log=tmp_path / "sleep.log")
    started = psutil.Process(process.pid).create_time()
    children.record.write_text(json.dumps({str(process.pid): started - 100}))
    assert Children(children.record).end_leftovers() == []
    assert process.returncode is None
    await end(process, grace=5)


@pytest.mark.parametrize("text", [None, "", "{", '{"1": 0.0, "99999999": 0.0}'])
def test_a_record_that_tells_nothing_ends_nothing(children: Children, text: str | None) -> None:
    """A first start, a crash while writing, processes long gone."""
    if text is not None:
        children.record.write_text(text)
    assert children.end_leftovers() == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel sees to it on Linux only")
def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """`kill -9` of the stack must not leave a server on its file."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), *SLEEP], stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    child.wait(10)


async def test_a_child_that_does_not_listen_is_killed(children: Children, tmp_path: Path) -> None:
    """It had its time."""
    log = tmp_path / "stubborn.log"
    process = await children.start([sys.executable, "-c", STUBBORN], log=log)
    await until(lambda: "ready" in log.read_text())
    began = time.monotonic()
    await end(process, grace=0.2)
    assert process.returncode == -9
    assert time.monotonic() - began >= 0.2


async def test_without_grace_a_child_is_killed_at_once(children: Children, tmp_path: Path) -> None:
    """For one that has nothing to put away."""
    process = await children.start(SLEEP, log=tmp_path / "sleep.log")
    await end(process, grace=0)
    assert process.returncode == -9
    await end(process, grace=0)


async def test_what_a_child_prints_and_inherits(children: Children, tmp_path: Path) -> None:
    """Its words go to its log, after those of the one before; settings reach it."""
    log = tmp_path / "log"
    for word in ("one", "two"):
        command = [sys.executable, "-c", "import os; print(os.environ['WORD'])"]
        process = await children.start(command, log=log, environ={"WORD": word})
        assert await process.wait() == 0
    assert log.read_text() == "one\ntwo\n"
