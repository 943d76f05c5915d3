"""Temporal's limits, which no author should have to know."""

import json
import time
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aima.errors import TooLarge
from aima.temporal.worker import be_patient
from aima.workflows.window import MAX_IN_FLIGHT, MAX_TASK_BYTES
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


def large(steps: list[dict[str, object]], **more: object) -> str:
    """Write a workflow with many steps; JSON is YAML."""
    return json.dumps({"name": "large", "steps": steps, **more})


async def test_six_hundred_parallel_steps_are_never_more_than_the_limit_at_once(
    lab: Lab,
) -> None:
    """With 2 000 in flight Temporal refuses the task, and the run hangs for ever."""
    steps: list[dict[str, object]] = [
        {"id": f"s{n}", "type": "lab.crowd", "input": {"name": f"s{n}"}} for n in range(600)
    ]
    run_id = await lab.start(large(steps))
    outcome = await lab.outcome(run_id)
    assert outcome.state == "completed"
    assert len(lab.board.calls) == 600
    assert lab.board.peak <= MAX_IN_FLIGHT
    pending, most = 0, 0
    for event in (await lab.history(run_id)).events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            pending += 1
            most = max(most, pending)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            pending -= 1
    assert most == MAX_IN_FLIGHT


async def test_many_large_inputs_are_spread_over_several_workflow_tasks(lab: Lab) -> None:
    """150 inputs of 60 KB in one task are 9 MB: Temporal would terminate the run."""
    text = "x" * 60_000
    steps: list[dict[str, object]] = [
        {"id": f"s{n}", "type": "lab.sized", "input": {"name": "s", "text": "${input.text}"}}
        for n in range(150)
    ]
    run_id = await lab.start(large(steps), {"text": text})
    outcome = await lab.outcome(run_id)
    assert outcome.state == "completed"
    assert lab.board.calls == ["s 60000"] * 150
    in_task: dict[int, int] = {}
    for event in await lab.scheduled(run_id):
        attributes = event.activity_task_scheduled_event_attributes
        task = attributes.workflow_task_completed_event_id
        in_task[task] = in_task.get(task, 0) + event.ByteSize()
    assert len(in_task) >= 3
    assert max(in_task.values()) <= MAX_TASK_BYTES * 1.02


@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.nightly)])
async def test_a_thousand_steps_in_a_row_run_through(lab: Lab, count: int) -> None:
    """6 000 events are far from the limit of 50 000, and each task costs the same."""
    steps: list[dict[str, object]] = [{"id": "s0", "type": "lab.echo", "input": {"n": 0}}]
    steps += [
        {"id": f"s{n}", "type": "lab.echo", "input": {"n": f"${{steps.s{n - 1}.n + 1}}"}}
        for n in range(1, count)
    ]
    outcome = await lab.run(large(steps, output=f"${{steps.s{count - 1}.n}}"))
    assert outcome.output == count - 1


@pytest.mark.parametrize("characters", [1_900_000, 5_000_000])
async def test_a_large_output_passes_from_step_to_step(lab: Lab, characters: int) -> None:
    """Past 2 MB Temporal would run the unit again and again; the history keeps a reference."""
    run_id = await lab.start(
        """
        name: large-output
        inputs:
          type: object
          required: [size]
          properties: {size: {type: integer}}
        steps:
          - {id: make, type: lab.sized, input: {name: make, characters: "${input.size}"}}
          - {id: take, type: lab.sized, input: {name: take, text: "${steps.make.text}"}}
        output: {size: "${size(steps.make.text)}", text: "${steps.make.text}"}
        """,
        {"size": characters},
    )
    outcome = await lab.outcome(run_id)
    assert outcome.output == {"size": characters, "text": "x" * characters}
    assert lab.board.calls == ["make 0", f"take {characters}"]
    assert all(event.ByteSize() < 64_000 for event in (await lab.history(run_id)).events)


async def test_a_plan_of_several_hundred_kilobytes_passes(lab: Lab) -> None:
    """A long prompt in many steps makes a long plan."""
    steps: list[dict[str, object]] = [
        {"id": f"s{n}", "type": "lab.echo", "input": {"prompt": f"{n} " + "word " * 3000}}
        for n in range(20)
    ]
    text = large(steps, output="${size(steps.s19.prompt)}")
    assert len(lab.plan(text).text) > 300_000
    assert (await lab.run(text)).output == 15_003


async def test_an_input_over_every_limit_fails_its_step_and_names_it(lab: Lab) -> None:
    """Twelve times three megabytes are more than may pass; the run must not hang on that."""
    steps: list[dict[str, object]] = [
        {"id": "make", "type": "lab.sized", "input": {"characters": 3_000_000}},
        {"id": "take", "type": "lab.echo", "input": {"texts": ["${steps.make.text}"] * 12}},
    ]
    outcome = await lab.run(large(steps))
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["step"]) == ("TOO_LARGE", "take")
    assert "keep large data in an artifact" in str(outcome.error["message"])
    assert lab.board.began == []


MAKE = """
name: too-much
steps:
  - id: make
    type: lab.sized
    input: {name: make, characters: 3000000}
    compensate: {type: lab.sized, input: {name: undo}}
""".strip()
SIX = json.dumps(["${steps.make.text}"] * 6)


@pytest.mark.parametrize(
    ("more", "line", "step", "said"),
    [
        (f"output:\n  n: 1\n  all: {SIX}", 9, "", "`output.all` at 9:"),
        (f"  - {{id: s, set: {{l: {SIX}}}}}", 7, "s", "most of it is this one's"),
        (f"  - {{id: r, return: {SIX}}}", 7, "r", "exceeds the 16777216"),
    ],
    ids=["output", "outputs-of-steps", "return"],
)
async def test_a_result_over_every_limit_fails_the_run_at_its_line(
    lab: Lab, more: str, line: int, step: str, said: str
) -> None:
    """While the run can still undo: at its very end nobody would."""
    outcome = await lab.run(f"{MAKE}\n{more}")
    error: Any = outcome.error
    assert (error["code"], error["line"], error["step"]) == ("TOO_LARGE", line, step)
    assert said in error["message"]
    assert [told["step"] for told in error["undone"]] == ["make"]
    assert lab.board.calls == ["make 0", "undo 0"]


async def test_a_larger_input_than_may_pass_starts_nothing(lab: Lab) -> None:
    """Whoever starts the run is told, and what of it is too large."""
    text = large([{"id": "a", "type": "lab.echo", "input": {"n": 1}}])
    with pytest.raises(TooLarge, match=r"^the run's input: a value of 17000030 bytes exceeds"):
        await lab.start(text, {"t": "x" * 17_000_000})
    assert lab.board.calls == []


async def test_a_hundred_nested_blocks_run(lab: Lab) -> None:
    """What the checker takes runs: no limit on recursion is met before."""
    steps: list[dict[str, object]] = [{"id": "leaf", "type": "lab.echo", "input": {"n": 7}}]
    for depth in range(100):
        steps = [{"id": f"b{depth}", "steps": steps}]
    outcome = await lab.run(large(steps, output="${steps.leaf.n}"))
    assert outcome.output == 7


@workflow.defn(name="thinker")
class Thinker:
    """A workflow that thinks for longer than the SDK allows by itself."""

    @workflow.run
    async def run(self) -> str:
        """Keep its thread busy."""
        time.sleep(2.3)  # noqa: ASYNC251 - it must not yield
        return "thought"


async def test_a_run_on_a_busy_machine_may_think_for_longer_than_two_seconds(local: Client) -> None:
    """The SDK would fail its task and try the same again, for as long as the machine is busy."""
    worker = Worker(
        local,
        task_queue="thinkers",
        workflows=[Thinker],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    be_patient(worker)
    async with worker:
        handle = await local.start_workflow("thinker", id="thinker", task_queue="thinkers")
        assert await handle.result() == "thought"
    failed = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    assert failed not in [e.event_type for e in (await handle.fetch_history()).events]
