"""When the engine leaves by itself."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import pytest
from starlette.types import Message, Receive, Scope, Send

from aima.embedded.lifetime import Activity, until_idle, until_orphaned


async def nothing() -> Message:
    """Receive nothing."""
    return {}


async def nowhere(_: Message) -> None:
    """Send nowhere."""


async def forever(_: Scope, __: Receive, ___: Send) -> None:
    """Work until cancelled."""
    await asyncio.Event().wait()


async def briefly(_: Scope, __: Receive, ___: Send) -> None:
    """Be done at once."""


@dataclass
class Clock:
    """Time that passes when the test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


async def test_a_long_answer_is_not_idleness() -> None:
    """Time counts from the end of the last use."""
    clock = Clock()
    activity = Activity(forever, clock=clock)
    task = asyncio.create_task(activity({"type": "http", "method": "POST"}, nothing, nowhere))
    await asyncio.sleep(0)
    clock.now = 100
    assert activity.idle_seconds == 0
    task.cancel()
    await asyncio.wait([task])
    clock.now = 103
    assert activity.idle_seconds == 3


async def test_looking_is_no_use() -> None:
    """A monitor that asks every second would keep the models in memory for ever."""
    clock = Clock()
    activity = Activity(briefly, clock=clock)
    clock.now = 100
    await activity({"type": "http", "method": "GET"}, nothing, nowhere)
    assert activity.idle_seconds == 100
    await activity({"type": "http", "method": "POST"}, nothing, nowhere)
    assert activity.idle_seconds == 0


async def test_waiting_for_idleness_ends_when_it_is_there() -> None:
    """Not before, not much later."""
    activity = Activity(briefly)
    begun = asyncio.get_running_loop().time()
    await until_idle(activity, 0.1)
    assert 0.09 <= asyncio.get_running_loop().time() - begun < 0.5


async def test_a_process_whose_parent_is_another_is_orphaned() -> None:
    """The parent is compared, not searched."""
    async with asyncio.timeout(1):
        await until_orphaned(os.getppid() + 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await until_orphaned(os.getppid())
