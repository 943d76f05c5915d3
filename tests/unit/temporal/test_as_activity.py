"""One attempt of a unit, without a server; with one: tests/integration/test_as_activity.py."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from temporalio.testing import ActivityEnvironment

from aima.runlog import RunLogs
from aima.store import open_store
from aima.temporal.activity_context import ActivityContext, Surroundings
from aima.temporal.as_activity import _cleaned_up
from aima.temporal.events import Events
from aima.temporal.secret_input import Mask
from aima.testing import FakeContext
from aima.unit import Event


class Pulled(Event):
    """A model is here."""

    TYPE: ClassVar[str] = "model.pulled"

    model: str
    file: str = "x"


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Surroundings]:
    """Give what a worker lends to its units."""
    fake = FakeContext()
    with open_store(tmp_path / "aima.db") as store:
        yield Surroundings(
            engines=fake.engines,
            artifacts=fake.artifacts,
            vectors=fake.vectors,
            files=fake.files,
            frames=fake.frames,
            effects=store.effects,
            log=RunLogs(tmp_path / "logs"),
            events=Events(store.events),
            cache=store.cache,
        )


def attempt_of(around: Surroundings) -> ActivityContext:
    """Give the context of an attempt; all have the same effect."""
    return ActivityContext(around, "key", "run", "aima/workflow/run")


@pytest.fixture
def context(around: Surroundings) -> ActivityContext:
    """Give the context of an attempt."""
    return attempt_of(around)


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


# --- what a unit tells --------------------------------------------------------------------------


async def test_an_event_is_published_and_noted(context: ActivityContext, tmp_path: Path) -> None:
    """Workflows wait for it, people read of it."""
    await context.emit(Pulled(model="llama"))
    [entry] = context.around.events.outbox.after(0, limit=10)
    told = {"model": "llama", "file": "x"}
    assert (entry.event.type, entry.event.data) == ("model.pulled", told)
    assert entry.event.source == "aima/workflow/run"
    assert context.around.events.published.is_set()
    line = json.loads((tmp_path / "logs" / "run.jsonl").read_text("utf-8"))
    assert {key: line[key] for key in ("event", *told)} == {"event": "model.pulled", **told}


async def test_another_attempt_publishes_only_what_is_new(around: Surroundings) -> None:
    """The first attempt died after its first event; others have acted on that."""
    first, second = attempt_of(around), attempt_of(around)
    await first.emit(Pulled(model="a"))
    for model in ("a", "a"):
        await second.emit(Pulled(model=model))
    assert len(around.events.outbox.after(0, limit=10)) == 2


async def test_a_secret_leaves_in_no_word_of_the_unit(
    context: ActivityContext, tmp_path: Path
) -> None:
    """Progress is in Temporal, events are in the store, the log is in a file."""
    context.mask = Mask(frozenset({"hush-hush"}))
    context.progress("x" * 195 + "hush-hush")
    assert context.message == "x" * 195 + "***"
    await context.emit(Pulled(model="at hush-hush"))
    [entry] = context.around.events.outbox.after(0, limit=10)
    assert entry.event.data == {"model": "at ***", "file": "x"}
    assert "hush" not in (tmp_path / "logs" / "run.jsonl").read_text("utf-8")
