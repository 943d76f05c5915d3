"""Watching a run whose server goes away for a moment. On a real one: test_runs.py."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from aima.temporal.history import Steps, StepState
from aima.temporal.watch import Watch

AWAY = RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")
GONE = RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")


def events() -> list[HistoryEvent]:
    """Make the history of a run with one step."""
    begun = HistoryEvent(
        event_id=1, event_type=EventType.Value("EVENT_TYPE_ACTIVITY_TASK_SCHEDULED")
    )
    begun.activity_task_scheduled_event_attributes.activity_id = "a"
    done = HistoryEvent(
        event_id=2, event_type=EventType.Value("EVENT_TYPE_ACTIVITY_TASK_COMPLETED")
    )
    done.activity_task_completed_event_attributes.scheduled_event_id = 1
    ended = HistoryEvent(
        event_id=3, event_type=EventType.Value("EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED")
    )
    return [begun, done, ended]


class Handle:
    """A run as its server tells of it; each reading of the history follows one script."""

    def __init__(self, *scripts: list[HistoryEvent | RPCError], waits: bool = False) -> None:
        self.scripts = list(scripts)
        self.waits = waits
        self.closed = asyncio.Event()

    async def fetch_history_events(self, *, wait_new_event: bool) -> AsyncIterator[HistoryEvent]:
        """Tell the next script."""
        assert wait_new_event
        try:
            for told in self.scripts.pop(0):
                if isinstance(told, RPCError):
                    raise told
                yield told
            if self.waits:
                await asyncio.Event().wait()
        finally:
            self.closed.set()

    async def describe(self) -> object:
        """Know of nothing in flight."""
        return SimpleNamespace(raw_description=SimpleNamespace(pending_activities=[]))


def watch(handle: Handle) -> Watch:
    """Watch a run."""
    return Watch(cast("WorkflowHandle[Any, Any]", handle), Steps(DataConverter.default))


async def seen(handle: Handle) -> list[str]:
    """Watch a run to its end."""
    async with asyncio.timeout(10):
        return [c.state async for c in watch(handle).changes() if isinstance(c, StepState)]


async def test_a_server_that_comes_back_is_read_on_without_repeats() -> None:
    """A restart of the stack must not end the progress on somebody's screen."""
    begun, *rest = events()
    handle = Handle([AWAY], [begun, AWAY], [begun, *rest])
    assert await seen(handle) == ["waiting", "done"]


async def test_a_run_that_is_gone_ends_the_watch_with_the_reason() -> None:
    """Nothing will come any more."""
    with pytest.raises(RPCError, match="workflow not found"):
        await seen(Handle([GONE]))


async def test_a_history_that_ends_without_a_closing_event_ends_the_watch() -> None:
    """Asking again and again would be a busy loop."""
    begun, *_ = events()
    assert await seen(Handle([begun])) == ["waiting"]


async def test_who_stops_watching_leaves_nothing_running() -> None:
    """A closed terminal must not keep a connection open."""
    begun, *_ = events()
    handle = Handle([begun], waits=True)
    changes = watch(handle).changes()
    before = len(asyncio.all_tasks())
    change = await anext(changes)
    assert isinstance(change, StepState)
    assert change.state == "waiting"
    async with asyncio.timeout(5):
        await changes.aclose()
        await handle.closed.wait()
    assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize("status", [RPCStatusCode.INTERNAL, RPCStatusCode.PERMISSION_DENIED])
async def test_what_waiting_does_not_mend_is_told_at_once(status: RPCStatusCode) -> None:
    """Only a server that is away comes back."""
    with pytest.raises(RPCError, match="no"):
        await seen(Handle([RPCError("no", status, b"")]))
