"""Things that are kept running, and what happens when one of them cannot be."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aima.stack.child import Children
from aima.stack.keeper import Keeper

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again until something is true."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what another process does sets no event
            await asyncio.sleep(0.02)


@pytest.fixture
def failed() -> asyncio.Event:
    """Set when a task failed."""
    return asyncio.Event()


@pytest.fixture
def keeper(tmp_path: Path, failed: asyncio.Event) -> Keeper:
    """A keeper of nothing yet."""
    return Keeper(Children(tmp_path / "children.json"), tmp_path / "logs", failed=failed.set)


async def test_a_process_that_dies_is_started_again(keeper: Keeper) -> None:
    """A crash of Temporal or of the worker is mended before anybody asks."""
    await keeper.keep_process("sleep", SLEEP, {}, grace_seconds=0)
    first = keeper.processes["sleep"]
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: keeper.processes["sleep"] is not first)
    second = keeper.processes["sleep"]
    assert second.returncode is None
    await keeper.close()
    assert second.returncode == -9


async def test_closing_ends_the_last_begun_first(keeper: Keeper) -> None:
    """The worker may need Temporal to say goodbye."""
    ended: list[str] = []

    async def stay(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    for name in ("temporal", "worker"):
        keeper.keep(stay(name))
    await asyncio.sleep(0)
    await keeper.close()
    assert ended == ["worker", "temporal"]


async def test_a_task_that_fails_is_told_and_its_error_comes_out(
    keeper: Keeper, failed: asyncio.Event
) -> None:
    """A stack whose door has fallen in ends, and says why."""

    async def fall() -> None:
        raise RuntimeError("fallen in")

    keeper.keep(fall())
    async with asyncio.timeout(5):
        await failed.wait()
    with pytest.raises(RuntimeError, match="fallen in"):
        await keeper.close()


async def test_the_words_of_a_process_are_in_a_log_of_its_name(keeper: Keeper) -> None:
    """Where `aima` says that more is told."""
    command = [sys.executable, "-c", "import time; print('hello', flush=True); time.sleep(60)"]
    await keeper.keep_process("talker", command, {}, grace_seconds=0)
    await until(lambda: "hello" in keeper.log("talker").read_text())
    await keeper.close()
    assert keeper.log("talker").name == "talker.log"
