"""One attempt of a unit, without a server; with one: tests/integration/test_as_activity.py."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from aima.runlog import RunLogs
from aima.store import open_store
from aima.temporal.activity_context import ActivityContext, Surroundings
from aima.temporal.as_activity import _cleaned_up
from aima.temporal.events import Events
from aima.testing import FakeContext


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ActivityContext]:
    """Give the context of an attempt."""
    fake = FakeContext()
    with open_store(tmp_path / "aima.db") as store:
        around = Surroundings(
            engines=fake.engines,
            artifacts=fake.artifacts,
            effects=store.effects,
            log=RunLogs(tmp_path / "logs"),
            events=Events(store.events),
            cache=store.cache,
        )
        yield ActivityContext(around, "key", "run", "aima/w/run")


async def cleaned_up(work: asyncio.Task[dict[str, object]], context: ActivityContext) -> float:
    """Clean up inside an activity; give how long that took."""
    started = time.monotonic()
    environment = ActivityEnvironment()
    await environment.run(_cleaned_up, work, context, 0.5)
    return time.monotonic() - started


async def test_work_that_ends_on_its_cancel_is_waited_for(context: ActivityContext) -> None:
    """So that nothing of a cancelled step runs on; what it raises then is nobody's concern."""
    cleaned: list[str] = []

    async def tidy() -> dict[str, object]:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append("done")
            raise RuntimeError("while cleaning")

    work = asyncio.create_task(tidy())
    await asyncio.sleep(0)
    assert await cleaned_up(work, context) < 0.5
    assert cleaned == ["done"]


async def test_work_that_does_not_end_is_left_behind_after_a_while(
    context: ActivityContext,
) -> None:
    """A unit that hangs in its clean-up must not hang the run."""
    released = asyncio.Event()

    async def stuck() -> dict[str, object]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await released.wait()
        return {}

    work = asyncio.create_task(stuck())
    await asyncio.sleep(0)
    assert 0.4 < await cleaned_up(work, context) < 5
    assert not work.done()
    released.set()
    await work


async def test_work_that_is_done_costs_no_time(context: ActivityContext) -> None:
    """The usual case."""

    async def nothing() -> dict[str, object]:
        return {}

    work = asyncio.create_task(nothing())
    await work
    assert await cleaned_up(work, context) < 0.1


def test_progress_is_short_and_can_always_be_written(context: ActivityContext) -> None:
    """Each heartbeat carries it, several times a second."""
    context.progress("x" * 100_000)
    assert len(context.message) == 200
    context.progress("half a sign \ud83d")
    assert context.message.encode()
