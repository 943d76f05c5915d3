"""F20, F21, F24: as much as a run may hold, on a real server; figures in docs/performance.md."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from aima.workflows.window import MAX_IN_FLIGHT
from tests.integration.lab import Lab

pytestmark = [pytest.mark.asyncio(loop_scope="session")]

LONG = 3_000.0
"""Seconds that the largest may take on a busy machine."""

ITEMS = """
name: many-items
inputs: {type: object, required: [n], properties: {n: {type: array, items: {type: integer}}}}
steps:
  - id: each
    for_each: {in: "${input.n}", max_parallel: 500}
    BODY
output: {n: "${size(steps.each.items)}", last: "${steps.each.items[size(input.n) - 1].name}"}
"""
CROWD = 'type: lab.crowd\n    input: {name: "${string(item)}"}'
ROUNDS = """
name: many-rounds
inputs: {type: object, required: [n], properties: {n: {type: integer}}}
steps:
  - id: loop
    repeat: {until: "${steps.count.n >= input.n}", max: 20000}
    steps:
      - {id: count, BODY}
output: {rounds: "${steps.loop.rounds}", n: "${steps.loop.count.n}"}
"""
COUNTED = '{n: "${has(steps.count) ? steps.count.n + 1 : 1}"}'
PAID = """
name: paid
steps:
  - id: pay
    type: lab.pay
    input: {name: "${input.name}", times: 0}
    compensate: {type: lab.pay, input: {name: "undo ${input.name}", times: 0}}
  - {id: hang, depends_on: [pay], type: lab.hang, input: {name: "${input.name}"}}
"""
UNPAID = """
name: unpaid
steps:
  - {id: hang, type: lab.hang, input: {name: "${input.name}"}}
"""


async def finished(lab: Lab, text: str, given: dict[str, Any]) -> tuple[str, Any]:
    """Run a workflow to its end, say how long it took, and give its id and its output."""
    begun = time.monotonic()
    run_id = await lab.start(text, given)
    async with asyncio.timeout(LONG):
        outcome = await lab.runs.outcome(run_id)
    print(f"{time.monotonic() - begun:.1f} s")  # noqa: T201 - for docs/performance.md
    assert outcome.state == "completed", outcome.error
    return run_id, outcome.output


async def histories(lab: Lab, run_id: str) -> AsyncIterator[WorkflowHistory]:
    """Give the histories of a run and of its children, and say how long they are."""
    found = f"WorkflowId = '{run_id}' OR WorkflowId STARTS_WITH '{run_id}/'"
    events, size, count = 0, 0, 0
    async for run in lab.client.list_workflows(found):
        handle = lab.client.get_workflow_handle(run.id, run_id=run.run_id)
        history = await handle.fetch_history()
        count, events = count + 1, max(events, len(history.events))
        size = max(size, sum(event.ByteSize() for event in history.events))
        yield history
    print(f"{count} histories, at most {events} events, {size} bytes")  # noqa: T201 - as above


async def within_bounds(lab: Lab, run_id: str) -> int:
    """See that no history is near Temporal's limits, and that no effect has two keys."""
    scheduled: Counter[str] = Counter()
    count = 0
    async for history in histories(lab, run_id):
        count += 1
        assert len(history.events) < 10_000
        assert sum(event.ByteSize() for event in history.events) < 10_000_000
        for event in history.events:
            if event.HasField("activity_task_scheduled_event_attributes"):
                scheduled[event.activity_task_scheduled_event_attributes.activity_id] += 1
    assert max(scheduled.values(), default=1) == 1
    return count


@pytest.mark.timeout(LONG)
@pytest.mark.parametrize(
    "count",
    [100, *(pytest.param(n, marks=pytest.mark.nightly) for n in (1_000, 2_100, 10_000, 100_000))],
)
async def test_a_loop_takes_that_many_items(lab: Lab, count: int) -> None:
    """In order, at most 500 at once, and no history too long."""
    run_id, output = await finished(lab, ITEMS.replace("BODY", CROWD), {"n": list(range(count))})
    assert output == {"n": count, "last": str(count - 1)}
    assert len(lab.board.calls) == count
    assert lab.board.peak <= MAX_IN_FLIGHT
    await within_bounds(lab, run_id)


@pytest.mark.nightly
@pytest.mark.timeout(LONG)
async def test_a_loop_takes_a_hundred_thousand_items_that_need_nothing_outside(lab: Lab) -> None:
    """All of the cost is the interpreter's own; no task of it takes long enough to seem stuck."""
    text = ITEMS.replace("BODY", 'set: {name: "${string(item)}"}')
    run_id, output = await finished(lab, text, {"n": list(range(100_000))})
    assert output == {"n": 100_000, "last": "99999"}
    assert await within_bounds(lab, run_id) == 101


@pytest.mark.timeout(LONG)
@pytest.mark.parametrize(
    "body",
    [
        f"set: {COUNTED}",
        pytest.param(f"type: lab.echo, input: {COUNTED}", marks=pytest.mark.nightly),
    ],
    ids=["set", "unit"],
)
async def test_a_loop_of_twenty_thousand_rounds_goes_on_in_new_histories(
    lab: Lab, body: str
) -> None:
    """Each round with a task of its own, or with nothing outside."""
    run_id, output = await finished(lab, ROUNDS.replace("BODY", body), {"n": 20_000})
    assert output == {"rounds": 20_000, "n": 20_000}
    assert (await within_bounds(lab, run_id) > 20) == ("echo" in body)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [10, pytest.param(300, marks=pytest.mark.nightly)])
async def test_many_runs_that_are_cancelled_twice_are_undone_once(lab: Lab, count: int) -> None:
    """Half of them have something to undo; Ctrl-C is pressed twice."""
    names = [f"r{n}" for n in range(count)]
    runs = [await lab.start((PAID, UNPAID)[n % 2], {"name": x}) for n, x in enumerate(names)]
    async with asyncio.timeout(60 + count):
        for name in names:
            await lab.board.seen(name).wait()
    begun = time.monotonic()
    handles = [lab.handle(run) for run in runs]
    await asyncio.gather(*(handle.cancel() for handle in (*handles, *handles)))
    outcomes = await asyncio.gather(*(lab.runs.outcome(run) for run in runs))
    print(f"{time.monotonic() - begun:.1f} s")  # noqa: T201 - for docs/performance.md
    assert {outcome.state for outcome in outcomes} == {"canceled"}
    undone = [effect for effect in lab.board.effects if "undo:" in effect]
    assert len(undone) == len(set(undone)) == (count + 1) // 2
