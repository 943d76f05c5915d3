"""Runs from the outside: start, list, look up, watch, cancel, and how they ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

from aima.errors import Conflict, InvalidRequest, NotFound, TooLarge, ValidationFailed
from aima.temporal.history import StepState
from aima.temporal.runs import RunRequest, Runs
from tests.integration.board import PATIENCE
from tests.integration.lab import MOST_BYTES, Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

ECHO = """
name: echoing
labels: {kind: echo}
steps:
  - {id: a, type: lab.echo, input: {name: a}}
"""
HANG = """
name: hanging
steps:
  - {id: a, type: lab.hang, input: {name: a}}
"""


async def collected(changes: AsyncIterator[StepState]) -> list[StepState]:
    """Take all changes of a watch."""
    return [change async for change in changes]


async def until(changes: AsyncIterator[StepState], state: str) -> StepState:
    """Take changes until a step is in this state."""
    async with asyncio.timeout(PATIENCE):
        async for change in changes:
            if change.state == state:
                return change
    raise AssertionError(f"no step ever was {state}")


# --- watching -----------------------------------------------------------------------------------


async def test_a_watcher_sees_a_step_wait_run_and_end(lab: Lab) -> None:
    """Live progress is what a person looks at while a model thinks."""
    run_id = await lab.start(HANG)
    async with aclosing(lab.runs.watch(run_id)) as changes:
        seen = [await until(changes, "running")]
        lab.board.gates["a"].set()
        seen += await collected(changes)
    assert [change.state for change in seen] == ["running", "done"]
    assert {(change.step, change.unit) for change in seen} == {("a", "lab.hang")}
    assert seen[-1].seconds is not None
    again = await collected(lab.runs.watch(run_id))
    assert [change.state for change in again] == ["waiting", "done"]


async def test_a_watcher_sees_the_units_own_words(lab: Lab) -> None:
    """They travel with the heartbeat and need no event."""
    run_id = await lab.start(HANG)
    async with aclosing(lab.runs.watch(run_id)) as changes:
        async with asyncio.timeout(PATIENCE):
            async for change in changes:
                if change.message == "waiting for a":
                    break
        assert change.state == "running"
        lab.board.gates["a"].set()
        assert (await collected(changes))[-1].state == "done"


async def test_a_watcher_sees_a_retry_with_its_number_and_reason(lab: Lab) -> None:
    """Somebody who waits wants to know for what."""
    run_id = await lab.start("""
        name: retrying
        steps:
          - {id: a, type: lab.fail, retry: {delay: 1s}, input: {name: a, times: 1}}
    """)
    async with aclosing(lab.runs.watch(run_id)) as changes:
        retrying = await until(changes, "retrying")
        rest = await collected(changes)
    assert retrying.attempt == 2
    assert retrying.message == "asked to fail with EXECUTION_FAILED"
    assert rest[-1].state == "done"


async def test_a_watcher_who_comes_back_sees_everything_from_the_start(lab: Lab) -> None:
    """A terminal may be closed and opened; the history is still there."""
    run_id = await lab.start("""
        name: two-steps
        steps:
          - {id: first, type: lab.echo, input: {name: first}}
          - {id: second, type: lab.hang, input: {name: second, after: "${steps.first.name}"}}
    """)
    await lab.board.until_seen("second")
    async with aclosing(lab.runs.watch(run_id)) as changes:
        await until(changes, "done")
    lab.board.gates["second"].set()
    everything = await collected(lab.runs.watch(run_id))
    assert [c.step for c in everything if c.state == "waiting"] == ["first", "second"]
    assert [c.step for c in everything if c.state == "done"] == ["first", "second"]


async def test_watching_a_run_that_is_not_there_says_so(lab: Lab) -> None:
    """A mistyped id must not wait for ever."""
    with pytest.raises(NotFound, match="there is no run 'nobody'"):
        await collected(lab.runs.watch("nobody"))


async def test_steps_of_a_failed_run_tell_why(lab: Lab) -> None:
    """`aima status` names the reason beside the step."""
    run_id = await lab.start("""
        name: failing
        steps:
          - {id: a, type: lab.fail, input: {name: a, code: CONFLICT}}
          - {id: b, type: lab.hang, timeout: 500ms, retry: {max_attempts: 1}, input: {name: b},
             on_failure: continue}
    """)
    await lab.outcome(run_id)
    states = {state.step: state for state in await lab.runs.steps(run_id)}
    assert states["a"].state == "failed"
    assert states["a"].message == "asked to fail with CONFLICT"


async def test_a_step_that_ran_out_of_time_says_so_in_plain_words(lab: Lab) -> None:
    """Temporal's `activity StartToClose timeout` helps nobody."""
    run_id = await lab.start("""
        name: slow
        steps:
          - {id: a, type: lab.hang, timeout: 500ms, retry: {max_attempts: 1}, input: {name: a}}
    """)
    await lab.outcome(run_id)
    [state] = await lab.runs.steps(run_id)
    assert (state.state, state.message) == ("failed", "the attempt took longer than its `timeout`")


async def test_steps_in_flight_when_a_run_is_terminated_count_as_cancelled(lab: Lab) -> None:
    """The history has no event for them, and nothing of the run is running any more."""
    run_id = await lab.start(HANG)
    await lab.board.until_seen("a")
    await lab.handle(run_id).terminate(reason="no longer needed")
    [state] = await lab.runs.steps(run_id)
    assert state.state == "cancelled"


# --- outcomes -----------------------------------------------------------------------------------


async def test_a_terminated_run_tells_who_ended_it(lab: Lab) -> None:
    """It did not fail: somebody pulled the plug in Temporal."""
    run_id = await lab.start(HANG)
    await lab.board.until_seen("a")
    await lab.handle(run_id).terminate(reason="no longer needed")
    outcome = await lab.outcome(run_id)
    assert outcome.state == "terminated"
    assert outcome.error == {
        "code": "CANCELLED",
        "message": "somebody terminated the run in Temporal: no longer needed",
        "retryable": False,
    }


async def test_a_run_that_temporal_timed_out_has_a_state_of_its_own(lab: Lab) -> None:
    """A foreign client may set Temporal's own timeout; the reader should see which it was."""
    plan, run_id = lab.plan(HANG), f"timed-{lab.settings.temporal.task_queue}"
    await lab.client.start_workflow(
        plan.name,
        args=[{"input": {}, "config": {}}, plan.data],
        id=run_id,
        task_queue=lab.settings.temporal.task_queue,
        run_timeout=timedelta(seconds=1),
    )
    outcome = await lab.outcome(run_id)
    assert outcome.state == "timed_out"
    assert outcome.error is not None
    assert outcome.error["code"] == "TIMEOUT"
    assert (await lab.runs.find(run_id)).state == "timed_out"


async def test_the_outcome_of_a_run_that_is_not_there(lab: Lab) -> None:
    """Every question about a run answers a wrong id alike."""
    for ask in (lab.runs.outcome, lab.runs.find, lab.runs.steps, lab.runs.cancel):
        with pytest.raises(NotFound, match="there is no run 'nobody'; `aima runs` lists"):
            await ask("nobody")


async def test_an_id_that_temporal_cannot_read_is_an_invalid_request(lab: Lab) -> None:
    """An empty id, or one past Temporal's limit, is the caller's mistake."""
    with pytest.raises(InvalidRequest):
        await lab.runs.find("")
    with pytest.raises(InvalidRequest):
        await lab.runs.start(lab.plan(ECHO), RunRequest({}, id="x" * 2000))


async def test_a_result_that_left_the_store_is_not_found(lab: Lab) -> None:
    """Somebody deleted the artifacts; the run completed, and its output is gone."""
    run_id = await lab.start("""
        name: large
        steps:
          - {id: a, type: lab.sized, input: {characters: 100000}}
    """)
    assert (await lab.outcome(run_id)).state == "completed"
    for file in (lab.settings.data / "artifacts").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(NotFound):
        await lab.outcome(run_id)


# --- starting -----------------------------------------------------------------------------------


async def test_an_id_can_be_chosen_and_only_once(lab: Lab) -> None:
    """Also after the run has ended: the same request twice must not run twice."""
    run_id = f"mine-{lab.settings.temporal.task_queue}"
    assert await lab.runs.start(lab.plan(ECHO), RunRequest({}, id=run_id)) == run_id
    with pytest.raises(Conflict, match="give another id"):
        await lab.runs.start(lab.plan(ECHO), RunRequest({}, id=run_id))
    await lab.outcome(run_id)
    with pytest.raises(Conflict, match="give another id"):
        await lab.runs.start(lab.plan(ECHO), RunRequest({}, id=run_id))


async def test_an_input_that_cannot_travel_is_refused_before_anything_starts(lab: Lab) -> None:
    """It is the caller's mistake, with a code, and no run is left behind."""
    run_id = f"refused-{lab.settings.temporal.task_queue}"
    with pytest.raises(ValidationFailed):
        await lab.runs.start(lab.plan(ECHO), RunRequest({"n": float("nan")}, id=run_id))
    with pytest.raises(TooLarge):
        await lab.runs.start(lab.plan(ECHO), RunRequest({"t": "x" * MOST_BYTES}, id=run_id))
    with pytest.raises(NotFound):
        await lab.runs.find(run_id)


async def test_a_run_cannot_be_cancelled_after_its_end(lab: Lab) -> None:
    """It says how it ended instead."""
    run_id = await lab.start(ECHO)
    await lab.outcome(run_id)
    with pytest.raises(Conflict, match="has ended already: it is completed"):
        await lab.runs.cancel(run_id)


# --- listing ------------------------------------------------------------------------------------


async def listed(runs: Runs, query: str, *, count: int) -> list[str]:
    """List runs; Temporal's index follows a moment behind."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await runs.latest(limit=count, query=query)
            if len(found) == count:
                return [run.id for run in found]
            await asyncio.sleep(0.05)


async def test_the_latest_runs_come_first(lab: Lab) -> None:
    """Whatever their state: a run that still runs may be old."""
    queue = f"TaskQueue = '{lab.settings.temporal.task_queue}'"
    hanging = await lab.start(HANG)
    done = [await lab.start(ECHO) for _ in range(3)]
    for run_id in done:
        await lab.outcome(run_id)
    assert await listed(lab.runs, queue, count=4) == [*reversed(done), hanging]
    assert len(await lab.runs.latest(limit=2, query=queue)) == 2


async def test_runs_are_found_by_name_and_label(lab: Lab) -> None:
    """Search attributes are for people too."""
    run_id = await lab.start(ECHO)
    await lab.start(HANG)
    query = f"WorkflowType = 'echoing' AND AimaLabels = 'kind=echo' AND WorkflowId = '{run_id}'"
    assert await listed(lab.runs, query, count=1) == [run_id]
    [run] = await lab.runs.latest(query=query)
    assert (run.workflow, run.labels) == ("echoing", ("kind=echo",))


async def test_workflows_of_others_in_the_namespace_are_not_listed(lab: Lab) -> None:
    """AIMA may share a Temporal server; their workflows are none of its runs."""
    foreign = f"foreign-{lab.settings.temporal.task_queue}"
    await Client(lab.client.service_client).start_workflow(
        "theirs", id=foreign, task_queue="theirs"
    )
    ours = await lab.start(ECHO)
    query = f"WorkflowId = '{foreign}' OR WorkflowId = '{ours}'"
    assert await listed(lab.runs, query, count=1) == [ours]


async def test_a_query_that_is_none_is_an_invalid_request(lab: Lab) -> None:
    """Its mistake is told, not a stack trace."""
    with pytest.raises(InvalidRequest, match="the query 'teapot = 1'"):
        await lab.runs.latest(query="teapot = 1")


async def test_a_found_run_tells_when_and_how_long(lab: Lab) -> None:
    """What `aima runs` prints of each."""
    run_id = await lab.start(ECHO)
    await lab.outcome(run_id)
    run = await lab.runs.find(run_id)
    assert run.state == "completed"
    assert run.seconds is not None
    assert 0 < run.seconds < PATIENCE
    assert abs(run.started - datetime.now(UTC)) < timedelta(minutes=5)
