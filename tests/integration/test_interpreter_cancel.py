"""Cancelling a run: whenever it comes, the run ends Canceled and its units have heard of it."""

import asyncio

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from tests.integration.board import PATIENCE
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

TWO_SIDE_BY_SIDE = """
name: two
steps:
  - {id: a, type: lab.hang, input: {name: a}}
  - {id: b, type: lab.hang, input: {name: b}, on_failure: continue}
  - {id: later, type: lab.echo, input: {name: later}, depends_on: [a, b]}
"""


async def status(lab: Lab, run_id: str) -> WorkflowExecutionStatus | None:
    """Ask Temporal itself how a run ended."""
    return (await lab.handle(run_id).describe()).status


async def test_a_run_cancelled_before_a_worker_takes_it_runs_nothing(idle: Lab) -> None:
    """The queue may be long; what is cancelled in it must not start."""
    run_id = await idle.start("""
        name: early
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
    """)
    await idle.runs.cancel(run_id)
    async with idle.worker():
        outcome = await idle.outcome(run_id)
    assert outcome.state == "canceled"
    assert await idle.scheduled(run_id) == []
    assert idle.board.calls == []


async def test_each_of_several_running_steps_is_cancelled(lab: Lab) -> None:
    """`on_failure: continue` is about failures; a cancel is none."""
    run_id = await lab.start(TWO_SIDE_BY_SIDE)
    await lab.board.until_seen("a", "b")
    await lab.runs.cancel(run_id)
    outcome = await lab.outcome(run_id)
    assert outcome.state == "canceled"
    assert outcome.error is not None
    assert outcome.error["code"] == "CANCELLED"
    assert await status(lab, run_id) is WorkflowExecutionStatus.CANCELED
    assert sorted(lab.board.cancelled) == ["a", "b"]
    assert lab.board.calls == []
    states = {state.step: state.state for state in await lab.runs.steps(run_id)}
    assert states == {"a": "cancelled", "b": "cancelled"}


async def test_a_cancel_is_felt_within_two_seconds(lab: Lab) -> None:
    """A unit hears of it with its next heartbeat; nobody waits for a minute's throttle."""
    run_id = await lab.start(TWO_SIDE_BY_SIDE)
    await lab.board.until_seen("a", "b")
    await lab.runs.cancel(run_id)
    async with asyncio.timeout(2):
        await lab.outcome(run_id)


async def test_cancelling_twice_is_cancelling_once(lab: Lab) -> None:
    """Whoever is impatient must not turn a clean end into a broken one."""
    run_id = await lab.start(TWO_SIDE_BY_SIDE)
    await lab.board.until_seen("a", "b")
    await lab.runs.cancel(run_id)
    await lab.runs.cancel(run_id)
    assert (await lab.outcome(run_id)).state == "canceled"
    assert sorted(lab.board.cancelled) == ["a", "b"]


async def test_a_step_between_two_attempts_is_cancelled(lab: Lab) -> None:
    """Nothing runs that could feel the cancel, and an hour's wait must not hold it up."""
    run_id = await lab.start("""
        name: backing-off
        steps:
          - {id: a, type: lab.fail, retry: {delay: 1h, max_delay: 1h}, input: {name: a}}
    """)
    await lab.board.until_seen("a")
    await lab.runs.cancel(run_id)
    async with asyncio.timeout(PATIENCE):
        assert (await lab.outcome(run_id)).state == "canceled"
    assert lab.board.attempts["a"] == 1


async def test_a_unit_that_completes_in_spite_of_the_cancel_does_not_save_the_run(
    lab: Lab,
) -> None:
    """The last step was done after all; the run was cancelled all the same."""
    run_id = await lab.start("""
        name: stubborn
        steps:
          - {id: a, type: lab.stubborn, input: {name: a}}
    """)
    await lab.board.until_seen("a")
    await lab.runs.cancel(run_id)
    assert (await lab.outcome(run_id)).state == "canceled"
    assert lab.board.cancelled == ["a"]
    assert await status(lab, run_id) is WorkflowExecutionStatus.CANCELED


async def test_a_cancel_that_races_with_the_end_never_completes_what_it_cancelled(
    lab: Lab,
) -> None:
    """Open the gate and cancel at once, several times: each run is one or the other, cleanly."""
    for n in range(5):
        name = f"race{n}"
        run_id = await lab.start(f"""
            name: racing
            steps:
              - {{id: a, type: lab.hang, input: {{name: {name}}}}}
        """)
        await lab.board.until_seen(name)
        lab.board.gates[name].set()
        await lab.handle(run_id).cancel()
        outcome = await lab.outcome(run_id)
        events = (await lab.history(run_id)).events
        asked = [
            e
            for e in events
            if e.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
        ]
        assert outcome.state == ("canceled" if asked else "completed")


async def test_a_run_that_fails_while_it_is_cancelled_ends(lab: Lab) -> None:
    """A sibling that cleans up slowly must not make the run forget how to end."""
    run_id = await lab.start("""
        name: both
        steps:
          - {id: slow, type: lab.slow_to_stop, input: {name: slow}}
          - {id: bad, type: lab.fail, input: {name: bad, code: CONFLICT}, depends_on: [first]}
          - {id: first, type: lab.hang, input: {name: first}}
    """)
    await lab.board.until_seen("slow", "first")
    lab.board.gates["first"].set()
    await lab.board.until_seen("bad")
    await lab.runs.cancel(run_id)
    outcome = await lab.outcome(run_id)
    assert outcome.state in ("failed", "canceled")
    assert lab.board.calls == ["slow stopped"]
