"""What happens to runs is told as events, at least once, and each of them under one id."""

from __future__ import annotations

import asyncio

import pytest

from aima.dsl.json import Json
from aima.store.applied import Applied
from aima.store.events import CloudEvent
from aima.temporal.dispatcher import MOST_HOPS, Dispatcher
from aima.temporal.run_events import RunEvents
from aima.trace import made, traced
from tests.integration.lab import PATIENCE, Lab
from tests.integration.test_events import applied_of, apply, dispatcher_triggers, outbox_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

TWO = """
name: two
steps:
  - {id: a, type: lab.echo, input: {name: a}}
  - {id: b, type: lab.echo, input: {name: b}, depends_on: [a]}
  - {id: each, for_each: {in: [1, 2]}, type: lab.echo, input: {name: x}, depends_on: [b]}
"""
FAILS = """
name: fails
steps:
  - {id: a, type: lab.echo, input: {name: a}}
  - {id: no, raise: {code: CONFLICT, message: it is taken}, depends_on: [a]}
"""
HANGS = """
name: hangs
steps:
  - {id: a, type: lab.echo, input: {name: a}}
  - {id: busy, type: lab.hang, input: {name: busy}, depends_on: [a]}
"""
AFTER = """
name: after
inputs: {type: object, required: [run], properties: {run: {type: string}}}
triggers:
  - {event: {type: pipeline.completed}, input: {run: "${event.data.run_id}"}}
steps:
  - {id: a, type: lab.echo, input: {name: "after ${input.run}"}}
"""


async def begun(lab: Lab) -> RunEvents:
    """Begin to tell: what happened before stays untold."""
    telling = RunEvents(lab.runs, lab.around.events)
    await telling.look()
    return telling


def told(lab: Lab) -> list[CloudEvent]:
    """Give all that was told."""
    return [entry.event for entry in outbox_of(lab).after(0, limit=100)]


async def until_told(lab: Lab, telling: RunEvents, kind: str) -> list[CloudEvent]:
    """Look until an event of a type was told: a server lists what happens a moment later."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await telling.look()
            if kind in [event.type for event in told(lab)]:
                return told(lab)
            await asyncio.sleep(0.05)


def short(events: list[CloudEvent]) -> set[str]:
    """Say what happened."""
    steps = [f" {e.data['step']}" if "step" in dict_of(e.data) else "" for e in events]  # type: ignore[index] # just asked
    return {f"{e.type.removeprefix('pipeline.')}{s}" for e, s in zip(events, steps, strict=True)}


def dict_of(data: object) -> dict[str, Json]:
    """Give the data of an event."""
    assert isinstance(data, dict)
    return data


def of(lab: Lab, run_id: str, kind: str) -> list[CloudEvent]:
    """Find what was told of a run."""
    about = f"pipeline/{run_id}"
    return [e for e in told(lab) if (e.subject, e.type) == (about, f"pipeline.{kind}")]


async def test_a_run_is_told_from_its_start_to_its_end_once(lab: Lab) -> None:
    """Also where another process looks, which remembers nothing: the ids are the same."""
    telling = await begun(lab)
    run_id = await lab.start(TWO)
    await lab.outcome(run_id)
    events = await until_told(lab, telling, "pipeline.completed")
    assert short(events) == {"started", "step_completed a", "step_completed b", "completed"}
    assert events[0].type == "pipeline.started"
    assert {event.subject for event in events} == {f"pipeline/{run_id}"}
    assert {event.source for event in events} == {f"aima/two/{run_id}"}
    assert {event.extensions["correlationid"] for event in events} == {run_id}
    [end] = of(lab, run_id, "completed")
    assert dict_of(end.data)["state"] == "completed"
    await telling.look()
    await RunEvents(lab.runs, lab.around.events).look()
    assert told(lab) == events


async def test_a_run_that_fails_tells_why(lab: Lab) -> None:
    """With the code and the step, so that a trigger can choose."""
    telling = await begun(lab)
    run_id = await lab.start(FAILS)
    await lab.outcome(run_id)
    await until_told(lab, telling, "pipeline.failed")
    data = dict_of(of(lab, run_id, "failed")[0].data)
    assert data["state"] == "failed"
    assert (dict_of(data["error"])["code"], dict_of(data["error"])["step"]) == ("CONFLICT", "no")


async def test_a_run_that_goes_on_is_followed(lab: Lab) -> None:
    """Its steps are told when they are done, not when it has ended; to cancel it is to fail."""
    telling = await begun(lab)
    run_id = await lab.start(HANGS)
    await lab.board.until_seen("busy")
    serving = asyncio.create_task(telling.serve())
    async with asyncio.timeout(PATIENCE):
        while "step_completed a" not in short(told(lab)):  # noqa: ASYNC110 - no bell rings
            await asyncio.sleep(0.05)
    assert short(told(lab)) == {"started", "step_completed a"}
    await lab.handle(run_id).cancel()
    async with asyncio.timeout(PATIENCE):
        while "failed" not in short(told(lab)):  # noqa: ASYNC110 - same
            await asyncio.sleep(0.05)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert dict_of(of(lab, run_id, "failed")[0].data)["state"] == "cancelled"


async def test_a_run_starts_another_and_itself_never(lab: Lab) -> None:
    """A workflow that is triggered by the end of any run would be by its own, for ever."""
    apply(lab, AFTER)
    telling = await begun(lab)
    dispatcher = Dispatcher(lab.runs, lab.around.events, Applied(applied_of(lab).begin))
    with traced(asked := made()):
        run_id = await lab.start(TWO)
    await lab.outcome(run_id)
    await until_told(lab, telling, "pipeline.completed")
    [done] = of(lab, run_id, "completed")
    assert done.extensions == {"correlationid": run_id, "traceparent": asked}
    while await dispatcher.dispatch():
        pass
    started = dispatcher_triggers(lab)[0].run_id(done)
    assert (await lab.outcome(started)).output == {"a": {"name": f"after {run_id}"}}
    async with asyncio.timeout(PATIENCE):
        while not of(lab, started, "completed"):
            await telling.look()
    while await dispatcher.dispatch():
        pass
    [its] = of(lab, started, "completed")
    assert its.extensions == {
        "correlationid": started,
        "causationid": done.id,
        "hops": "1",
        "traceparent": asked,
    }
    runs = [run async for run in lab.client.list_workflows(f"TaskQueue = '{lab.runs.task_queue}'")]
    assert {run.id for run in runs} == {run_id, started}


async def test_runs_that_start_each_other_end_after_some(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """Two workflows may each wait for the other's end."""
    apply(lab, AFTER)
    dispatcher = Dispatcher(lab.runs, lab.around.events, Applied(applied_of(lab).begin))
    outbox_of(lab).publish(
        CloudEvent(
            "e",
            "pipeline.completed",
            "aima/other/1",
            data={"run_id": "1"},
            extensions={"hops": str(MOST_HOPS)},
        )
    )
    await dispatcher.dispatch()
    assert "it would start itself, on and on" in caplog.text
