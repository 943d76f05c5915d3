"""Events from the step that tells them to the runs that they start or that wait for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from aima.catalog import catalog_of
from aima.store.applied import Applied, AppliedWorkflow
from aima.store.events import CloudEvent, Outbox
from aima.temporal.dispatcher import MOST_HOPS, READER, Dispatcher
from aima.temporal.events import Events, event_id
from aima.temporal.triggers import EventTrigger, event_triggers
from aima.trace import TRACEPARENT, current, made, trace_of, traced
from aima.unit import Context, Domain
from tests.integration.board import Anything
from tests.integration.lab import PATIENCE, SERVER, Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHIP = """
name: ship
inputs:
  type: object
  required: [order]
  properties: {order: {type: integer}}
triggers:
  - event: {type: order.paid, if: "${event.data.amount > 10}"}
    input: {order: "${event.data.order}"}
steps:
  - {id: a, type: lab.echo, input: {name: "order ${input.order}"}}
"""
WAIT = """
name: waiting
steps:
  - {id: paid, wait_for: {event: {type: order.*}}}
"""
PAY = """
name: paying
inputs: {type: object, required: [order], properties: {order: {type: integer}}}
steps:
  - {id: told, emit: {type: order.paid, data: {order: "${input.order}", amount: 11}, subject: me}}
"""


def paid(name: str, *, amount: float = 11.0, type_: str = "order.paid") -> CloudEvent:
    """Make an event."""
    return CloudEvent(name, type_, "aima/test/1", data={"order": 7, "amount": amount})


def outbox_of(lab: Lab) -> Outbox:
    """Give the lab's outbox."""
    return lab.around.events.outbox


def applied_of(lab: Lab) -> Applied:
    """Give the workflows that are applied in the lab's store."""
    return Applied(outbox_of(lab).begin)


def apply(lab: Lab, text: str) -> None:
    """Activate the triggers of a workflow."""
    plan = lab.plan(text)
    applied_of(lab).put(AppliedWorkflow(plan.name, plan.text, plan.hash, "test.yaml", text))
    with outbox_of(lab).begin() as connection:  # that it was applied is of no interest here
        connection.exec_driver_sql("DELETE FROM events WHERE type = 'workflow.applied'")
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'events'")


def dispatcher_of(lab: Lab, events: Events | None = None) -> Dispatcher:
    """Make a dispatcher, as another worker would unless told whose bell it hears."""
    return Dispatcher(lab.runs, events or Events(outbox_of(lab)), applied_of(lab))


@asynccontextmanager
async def serving(dispatcher: Dispatcher) -> AsyncIterator[None]:
    """Let a dispatcher serve; what breaks it fails the test."""
    task = asyncio.create_task(dispatcher.serve())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def until_dealt_with(lab: Lab, seq: int) -> None:
    """Wait until dispatchers have dealt with an event."""
    async with asyncio.timeout(PATIENCE):
        while outbox_of(lab).cursor(READER) < seq:  # noqa: ASYNC110 - the store rings no bell
            await asyncio.sleep(0.01)


async def until_waiting(lab: Lab, count: int = 1) -> None:
    """Wait until so many steps of runs have registered."""
    async with asyncio.timeout(PATIENCE):
        while len(waits_of(lab)) < count:  # noqa: ASYNC110 - same
            await asyncio.sleep(0.01)


def waits_of(lab: Lab) -> list[str]:
    """List the runs that wait."""
    with outbox_of(lab).begin() as connection:
        return list(connection.exec_driver_sql("SELECT run FROM waits").scalars())


# --- starting -----------------------------------------------------------------------------------


async def test_an_event_told_by_a_run_starts_another(lab: Lab) -> None:
    """The whole way: `emit`, outbox, bell, trigger, run."""
    apply(lab, SHIP)
    async with serving(dispatcher_of(lab, lab.around.events)):
        teller = await lab.start(PAY, {"order": 7})
        outcome = await lab.outcome(teller)
        await until_dealt_with(lab, 1)
    [entry] = outbox_of(lab).after(0, limit=10)
    assert outcome.output == {"told": {"id": entry.event.id}}
    assert (entry.event.source, entry.event.subject) == (f"aima/paying/{teller}", "me")
    [trigger] = dispatcher_triggers(lab)
    started = await lab.outcome(trigger.run_id(entry.event))
    assert started.output == {"a": {"name": "order 7"}}
    memo = await (await lab.handle(trigger.run_id(entry.event)).describe()).memo()
    assert memo["source"] == "test.yaml"


def dispatcher_triggers(lab: Lab) -> list[EventTrigger]:
    """List the triggers of all applied workflows."""
    return [t for workflow in applied_of(lab).all() for t in event_triggers(workflow.plan)]


async def test_an_event_outlives_everybody_who_could_pass_it_on(lab: Lab) -> None:
    """Published while no dispatcher ran; a later one finds it, and passes it on once."""
    apply(lab, SHIP)
    event = paid("early")
    outbox_of(lab).publish(event)
    assert await dispatcher_of(lab).dispatch() == 1
    assert await dispatcher_of(lab).dispatch() == 0
    run_id = dispatcher_triggers(lab)[0].run_id(event)
    assert (await lab.outcome(run_id)).output == {"a": {"name": "order 7"}}


async def test_an_event_passed_on_again_starts_nothing(lab: Lab) -> None:
    """The dispatcher died after the start and before it could write that down."""
    apply(lab, SHIP)
    event = paid("twice")
    outbox_of(lab).publish(event)
    await dispatcher_of(lab).dispatch()
    await lab.outcome(dispatcher_triggers(lab)[0].run_id(event))
    with outbox_of(lab).begin() as connection:
        connection.exec_driver_sql("DELETE FROM cursors")
    assert await dispatcher_of(lab).dispatch() == 1
    await lab.outcome(dispatcher_triggers(lab)[0].run_id(event))
    assert lab.board.calls == ["order 7"]


async def test_two_dispatchers_start_one_run(lab: Lab) -> None:
    """Each worker has one; all see every event."""
    apply(lab, SHIP)
    events = [paid(f"e{number}") for number in range(10)]
    for event in events:
        outbox_of(lab).publish(event)
    async with serving(dispatcher_of(lab)), serving(dispatcher_of(lab)):
        await until_dealt_with(lab, 10)
    starts = []
    for event in events:
        run_id = dispatcher_triggers(lab)[0].run_id(event)
        await lab.outcome(run_id)
        starts.append((await lab.handle(run_id).describe()).start_time)
    assert lab.board.calls == ["order 7"] * 10
    assert starts == sorted(starts), "what happened first starts first"


async def test_what_does_not_fit_starts_nothing_and_holds_nothing_up(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad trigger, or one odd event, must not stop those of everybody else."""
    apply(lab, SHIP.replace("name: ship", "name: a-strict").replace("data.order}", "data.nothing}"))
    applied_of(lab).put(AppliedWorkflow("b-broken", "[]", "", "", ""))
    apply(lab, SHIP)
    for event in (
        paid("small", amount=1.0),
        paid("other", type_="order.lost"),
        CloudEvent("odd", "order.paid", "s", data="no map"),
        paid("good"),
    ):
        outbox_of(lab).publish(event)
    with caplog.at_level(logging.WARNING, logger="aima.temporal.dispatcher"):
        assert await dispatcher_of(lab).dispatch() == 4
    [trigger] = event_triggers(lab.plan(SHIP).text)
    assert (await lab.outcome(trigger.run_id(paid("good")))).state == "completed"
    assert lab.board.calls == ["order 7"]
    said = "\n".join(caplog.messages)
    assert "triggers of 'b-broken' cannot be read" in said
    assert "'a-strict' does not start on event good" in said
    assert "'ship' does not start on event odd" in said
    assert "'ship' does not start on event small" not in said


async def test_the_first_trigger_that_wants_an_event_starts_the_run(lab: Lab) -> None:
    """Two triggers of one workflow that both fit are still one event."""
    two = """
        name: two
        inputs: {type: object, required: [by], properties: {by: {type: string}}}
        triggers:
          - {event: {type: order.paid, if: "${event.data.missing}"}, input: {by: none}}
          - {event: {type: order.*}, input: {by: first}}
          - {event: {type: order.paid}, input: {by: second}}
        steps:
          - {id: a, type: lab.echo, input: {name: "${input.by}"}}
    """
    apply(lab, two)
    outbox_of(lab).publish(paid("e"))
    await dispatcher_of(lab).dispatch()
    run_id = dispatcher_triggers(lab)[0].run_id(paid("e"))
    assert (await lab.outcome(run_id)).output == {"a": {"name": "first"}}


async def test_what_a_run_tells_says_what_led_to_it(lab: Lab) -> None:
    """From the request of a caller over a run, its event, and the run that this starts."""
    apply(lab, SHIP + "  - {id: told, emit: {type: order.sent}}\n")
    with traced(asked := made()):
        teller = await lab.start(PAY, {"order": 7})
    await lab.outcome(teller)
    assert await dispatcher_of(lab).dispatch() == 1
    [first] = outbox_of(lab).after(0, limit=10)
    started = dispatcher_triggers(lab)[0].run_id(first.event)
    await lab.outcome(started)
    [second] = outbox_of(lab).after(first.seq, limit=10)
    assert first.event.extensions == {"correlationid": teller, "traceparent": asked}
    assert second.event.extensions == {
        "correlationid": started,
        "causationid": first.event.id,
        "hops": "1",
        "traceparent": asked,
    }


async def test_a_run_that_tells_what_starts_it_ends_after_some(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own event would start it for ever; the chain is counted through what its steps tell."""
    again = "  - {id: told, emit: {type: order.paid, data: {order: 8, amount: 20}}}\n"
    apply(lab, SHIP + again)
    hops = {"hops": str(MOST_HOPS - 1)}
    outbox_of(lab).publish(replace(paid("first"), extensions=hops))
    with caplog.at_level(logging.WARNING, logger="aima.temporal.dispatcher"):
        await dispatcher_of(lab).dispatch()
        await lab.outcome(dispatcher_triggers(lab)[0].run_id(paid("first")))
        assert await dispatcher_of(lab).dispatch() == 1
    assert "it would start itself, on and on" in caplog.messages[-1]


async def test_a_child_belongs_to_what_its_parent_was_asked_for(lab: Lab) -> None:
    """The parts of a split loop are runs of their own, and tell of the same request."""
    sets = "\n".join(f"              - {{id: s{i}, set: {{n: 1}}}}" for i in range(60))
    with traced(asked := made()):
        run_id = await lab.start(f"""
        name: split
        steps:
          - id: each
            for_each: {{in: "${{range(20)}}", max_parallel: 2}}
            steps:
{sets}
              - {{id: h, if: "${{item == 17}}", emit: {{type: item.found}}}}
        """)
    await lab.outcome(run_id)
    [found] = outbox_of(lab).after(0, limit=10)
    assert found.event.source.startswith(f"aima/split/{run_id}/each[")
    assert found.event.extensions == {"correlationid": run_id, "traceparent": asked}


class Trace(BaseModel):
    """What a unit is done for."""

    traceparent: str


traces = Domain("traces")


@traces.query()
async def tell(_: Anything, ctx: Context) -> Trace:
    """Tell the trace that this is done for, which engines are told as well."""
    del ctx
    return Trace(traceparent=current())


async def test_a_unit_is_done_for_the_trace_of_its_run(idle: Lab) -> None:
    """Beside its run or not: what it asks of an engine belongs to the caller's trace."""
    lab = replace(idle, more=tuple(catalog_of(traces).units.values()))
    text = """
        name: traced
        steps:
          - {id: beside, type: traces.tell}
          - {id: apart, type: traces.tell, local: false}
    """
    async with lab.worker():
        with traced(asked := made()):
            run_id = await lab.start(text)
        outcome = await lab.outcome(run_id)
    assert outcome.output == {step: {"traceparent": asked} for step in ("beside", "apart")}


async def test_a_run_that_nobody_asked_for_has_a_trace_of_its_own(lab: Lab) -> None:
    """One of a schedule, say; all its events have the same."""
    run_id = await lab.start(PAY, {"order": 7})
    await lab.outcome(run_id)
    [entry] = outbox_of(lab).after(0, limit=10)
    first = (await lab.handle(run_id).describe()).run_id
    assert entry.event.extensions[TRACEPARENT] == trace_of(str(first))


# --- waiting ------------------------------------------------------------------------------------


async def test_a_waiting_run_hears_of_an_event(lab: Lab) -> None:
    """As soon as the bell rings, without looking every half a second."""
    async with serving(dispatcher_of(lab, lab.around.events)):
        run_id = await lab.start(WAIT)
        await until_waiting(lab)
        await lab.around.events.publish(paid("now"))
        outcome = await lab.outcome(run_id)
    assert outcome.output == {"paid": {"data": {"order": 7, "amount": 11.0}}}


async def test_an_event_of_another_process_is_found(lab: Lab) -> None:
    """Nobody rings the bell of this one; it looks for itself."""
    async with serving(dispatcher_of(lab)):
        run_id = await lab.start(WAIT)
        await until_waiting(lab)
        outbox_of(lab).publish(paid("elsewhere"))
        assert (await lab.outcome(run_id)).state == "completed"


async def test_an_event_from_before_the_wait_is_given_at_once(lab: Lab) -> None:
    """The run was there already; that its step came late is its own affair."""
    outbox_of(lab).publish(
        CloudEvent("old", "order.paid", "s", time=datetime(2020, 1, 1, tzinfo=UTC))
    )
    run_id = await lab.start("""
        name: late
        steps:
          - {id: busy, type: lab.hang, input: {name: busy}}
          - {id: paid, wait_for: {event: {type: order.paid}}, depends_on: [busy]}
    """)
    await lab.board.until_seen("busy")
    outbox_of(lab).publish(paid("meanwhile"))
    lab.board.gates["busy"].set()
    outcome = await lab.outcome(run_id)
    assert isinstance(outcome.output, dict)
    assert outcome.output["paid"] == {"data": {"order": 7, "amount": 11.0}}


async def test_every_waiting_run_hears_of_it_and_the_dead_are_forgotten(lab: Lab) -> None:
    """A run that was terminated cannot say that it waits no more."""
    alive = [await lab.start(WAIT) for _ in range(3)]
    dead = await lab.start(WAIT)
    await until_waiting(lab, 4)
    await lab.handle(dead).terminate()
    outbox_of(lab).publish(paid("e"))
    assert await dispatcher_of(lab).dispatch() == 1
    for run_id in alive:
        assert (await lab.outcome(run_id)).state == "completed"
    assert sorted(waits_of(lab)) == sorted(alive)
    outbox_of(lab).publish(paid("next"))
    await dispatcher_of(lab).dispatch()
    assert waits_of(lab) == []


# --- trouble ------------------------------------------------------------------------------------


async def test_events_wait_for_an_unreachable_server(
    idle: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """Temporal is restarted, and nothing that happened meanwhile is lost."""
    apply(idle, SHIP)
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=SERVER) as other:
        config = other.client.config()
        lost = replace(idle, client=Client(**config))
    outbox_of(idle).publish(paid("e"))
    with caplog.at_level(logging.WARNING, logger="aima.temporal.dispatcher"):
        async with serving(dispatcher_of(lost)), asyncio.timeout(PATIENCE):
            while not caplog.messages:  # noqa: ASYNC110 - nor does the log
                await asyncio.sleep(0.05)
    assert "events wait, tried again in 0.5 s" in caplog.messages[0]
    assert outbox_of(idle).cursor(READER) == 0
    async with idle.worker(), serving(dispatcher_of(idle)):
        await until_dealt_with(idle, 1)
        await idle.outcome(dispatcher_triggers(idle)[0].run_id(paid("e")))
    assert idle.board.calls == ["order 7"]


async def test_an_emit_that_is_tried_again_publishes_once(idle: Lab) -> None:
    """The answer of an attempt may be lost; the effect key is what names the event."""
    run_id = await idle.start(PAY, {"order": 7})
    async with idle.worker():
        await idle.outcome(run_id)
    [entry] = outbox_of(idle).after(0, limit=10)
    first_run = (await idle.handle(run_id).describe()).run_id
    again = replace(entry.event, id=event_id(f"{run_id}/{first_run}/told"))
    assert not outbox_of(idle).publish(again)
