"""Short, pure units run beside the workflow; nothing of what a step promises is lost by that."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from aima.runlog import RunLogs
from aima.unit import Context, Domain
from aima.workflows.interpreter import Interpreter
from tests.integration.board import QUICK, LabUnits, Named
from tests.integration.lab import MOST_BYTES, Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVER_BYTES = 4 * 1024**2
"""The largest message that the server takes."""


class ShortUnits(LabUnits):
    """The lab's units once more, declared to be short."""

    async def slow_once(self, request: Named, ctx: Context) -> Named:
        """Take for ever the first time."""
        self.board.effects.append(ctx.effect_key)
        self.board.attempts[request.name] += 1
        if self.board.attempts[request.name] == 1:
            await self.board.gates["never"].wait()
        return Named(name=request.name)


def with_short_units(lab: Lab) -> Lab:
    """Give a lab whose catalogue has them."""
    short, units = Domain("short"), ShortUnits(lab.board)
    for body in (units.echo, units.sized, units.fail, units.hang, units.slow_once):
        short.query(timeout=timedelta(seconds=5), retry=QUICK)(body)
    return replace(lab, more=tuple(short.units.values()))


@pytest_asyncio.fixture(loop_scope="session")
async def lab(idle: Lab) -> AsyncIterator[Lab]:
    """Give a lab with short units whose worker runs."""
    made = with_short_units(idle)
    async with made.worker():
        yield made


def workflow(*steps: Mapping[str, object], **more: object) -> str:
    """Write a workflow; JSON is YAML."""
    return json.dumps({"name": "short", "steps": steps, **more})


async def bytes_in_tasks(lab: Lab, run_id: str) -> dict[int, int]:
    """Add up what each workflow task has sent to the server."""
    found: dict[int, int] = {}
    for event in (await lab.history(run_id)).events:
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            task = event.marker_recorded_event_attributes.workflow_task_completed_event_id
            found[task] = found.get(task, 0) + event.ByteSize()
    return found


async def replay(lab: Lab, run_id: str) -> None:
    """Run the interpreter over a run's history: it must decide as it did."""
    replayer = Replayer(
        workflows=[Interpreter],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=lab.client.data_converter,
    )
    await replayer.replay_workflow(await lab.history(run_id))


@pytest.mark.parametrize("shape", ["chain", "fan"])
async def test_what_a_hundred_steps_leave_is_spread_over_tasks(lab: Lab, shape: str) -> None:
    """Six megabytes in one message would be refused by the server, again and again."""
    steps: list[dict[str, object]] = [
        {
            "id": f"s{n}",
            "type": "short.sized",
            "input": {"name": f"s{n}", "characters": 60_000},
            "depends_on": [f"s{n - 1}"] if n and shape == "chain" else [],
        }
        for n in range(100)
    ]
    run_id = await lab.start(workflow(*steps, output="${size(steps.s99.text)}"))
    assert (await lab.outcome(run_id)).output == 60_000
    assert await lab.scheduled(run_id) == []
    sent = await bytes_in_tasks(lab, run_id)
    assert len(sent) > 1
    assert max(sent.values()) < SERVER_BYTES
    await replay(lab, run_id)


async def test_a_result_past_two_megabytes_leaves_the_history(lab: Lab) -> None:
    """Temporal takes no larger one from a local activity; the run would hang."""
    make = {"id": "make", "type": "short.sized", "input": {"characters": 5_000_000}}
    run_id = await lab.start(workflow(make, output="${size(steps.make.text)}"))
    assert (await lab.outcome(run_id)).output == 5_000_000
    assert max((await bytes_in_tasks(lab, run_id)).values()) < 64_000


async def test_a_result_past_every_limit_fails_its_step(lab: Lab) -> None:
    """Once, and by name: another attempt would give as much."""
    make = {"id": "make", "type": "short.sized", "input": {"characters": MOST_BYTES}}
    outcome = await lab.run(workflow(make))
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["step"]) == ("TOO_LARGE", "make")
    assert lab.board.calls == ["x 0"]


async def test_what_fails_is_tried_again_as_a_task(lab: Lab) -> None:
    """Waiting for another attempt would keep the workflow's own task open."""
    fail = {"id": "fail", "type": "short.fail", "input": {"name": "f", "times": 2}}
    run_id = await lab.start(workflow(fail))
    assert (await lab.outcome(run_id)).state == "completed"
    assert lab.board.attempts["f"] == 3
    (scheduled,) = await lab.scheduled(run_id)
    policy = scheduled.activity_task_scheduled_event_attributes.retry_policy
    assert policy.maximum_attempts == 2
    assert [(s.step, s.state) for s in await lab.runs.steps(run_id)] == [("fail", "done")]
    await replay(lab, run_id)


async def test_attempts_are_counted_wherever_they_are_made(lab: Lab) -> None:
    """`max_attempts` counts the first; the error tells how many there were."""
    fail = {"id": "fail", "type": "short.fail", "input": {"name": "f", "times": 9}}
    run_id = await lab.start(workflow(fail))
    outcome = await lab.outcome(run_id)
    assert outcome.error is not None
    assert outcome.error["attempt"] == 3
    assert lab.board.attempts["f"] == 3
    log = RunLogs(lab.settings.data / "logs").file(run_id).read_text().splitlines()
    failed = [line["attempt"] for line in map(json.loads, log) if line["state"] == "failed"]
    assert failed == [1, 2, 3]


@pytest.mark.parametrize(
    "retry", [{"max_attempts": 1}, {"max_attempts": 9, "non_retryable": ["EXECUTION_FAILED"]}]
)
async def test_no_attempt_is_made_that_the_author_forbids(
    lab: Lab, retry: dict[str, object]
) -> None:
    """Neither beside the workflow nor as a task."""
    fail = {"id": "fail", "type": "short.fail", "input": {"name": "f", "times": 1}, "retry": retry}
    run_id = await lab.start(workflow(fail))
    outcome = await lab.outcome(run_id)
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["attempt"]) == ("EXECUTION_FAILED", 1)
    assert lab.board.attempts["f"] == 1
    states = await lab.runs.steps(run_id)
    assert [(s.step, s.state, s.unit) for s in states] == [("fail", "failed", "short.fail")]


async def test_what_is_slow_goes_on_as_a_task_with_the_same_effect_key(lab: Lab) -> None:
    """A unit may be slower than it says; the workflow's own task does not wait for it again."""
    slow = {"id": "slow", "type": "short.slow_once", "input": {"name": "s"}, "timeout": "200ms"}
    run_id = await lab.start(workflow(slow))
    assert (await lab.outcome(run_id)).state == "completed"
    assert len(await lab.scheduled(run_id)) == 1
    first, second = lab.board.effects
    assert first == second
    await replay(lab, run_id)


async def test_a_deadline_holds_across_both(lab: Lab) -> None:
    """No attempt begins that could not end in time."""
    fail = {
        "id": "fail",
        "type": "short.fail",
        "input": {"name": "f", "times": 9},
        "deadline": "1s",
        "retry": {"delay": "1h"},
    }
    outcome = await lab.run(workflow(fail))
    assert outcome.error is not None
    assert outcome.error["code"] == "TIMEOUT"
    assert "leaves no time for another attempt" in str(outcome.error["message"])
    assert lab.board.attempts["f"] == 1


async def test_a_cancel_ends_it(lab: Lab) -> None:
    """The run hears of it as soon as the attempt is over, and makes no other."""
    hang = {
        "id": "hang",
        "type": "short.hang",
        "input": {"name": "h"},
        "timeout": "1s",
        "retry": {"max_attempts": 100, "delay": "1h"},
    }
    run_id = await lab.start(workflow(hang))
    await lab.board.until_seen("h")
    await lab.runs.cancel(run_id)
    assert (await lab.outcome(run_id)).state == "canceled"
    assert lab.board.attempts["h"] == 1
    assert lab.board.cancelled == ["h"]
    await replay(lab, run_id)


async def test_a_sibling_that_fails_ends_it(lab: Lab) -> None:
    """What still runs beside the workflow is cancelled like any other step."""
    steps: list[dict[str, object]] = [
        {"id": "hang", "type": "short.hang", "input": {"name": "h"}},
        {"id": "fail", "type": "short.fail", "input": {"name": "f", "times": 9}},
    ]
    steps[1]["retry"] = {"max_attempts": 1}
    run_id = await lab.start(workflow(*steps))
    outcome = await lab.outcome(run_id)
    assert outcome.error is not None
    assert outcome.error["step"] == "fail"
    assert lab.board.cancelled == ["h"]
    await replay(lab, run_id)


async def test_a_worker_without_the_unit_leaves_it_to_others(idle: Lab) -> None:
    """It must not hang on it; that nobody has it is told like that of any unit."""
    made = with_short_units(idle)
    async with made.worker([unit for unit in made.catalog if unit.name != "short.echo"]):
        outcome = await made.run(workflow({"id": "a", "type": "short.echo"}))
    assert outcome.error is not None
    assert outcome.error["code"] == "UNIT_NOT_FOUND"
