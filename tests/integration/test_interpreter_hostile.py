"""What nobody should send: plans that are none, units that are gone, and units that misbehave."""

import json
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.common import RawValue

from aima.dsl.json import Json
from aima.temporal.runs import Outcome
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

FINE = """
name: fine
steps:
  - {id: a, type: lab.echo, input: {name: a}}
"""


async def sent(lab: Lab, *args: object) -> Outcome:
    """Start a workflow as any client of Temporal can, with these arguments."""
    run_id = f"sent-{lab.settings.temporal.task_queue}"
    await Client(lab.client.service_client).start_workflow(
        "whatever", args=args, id=run_id, task_queue=lab.settings.temporal.task_queue
    )
    return await lab.outcome(run_id)


def plan_with(lab: Lab, **changed: Json) -> dict[str, Json]:
    """Take a good plan and change it."""
    return {**lab.plan(FINE).data, **changed}


def the_step(lab: Lab) -> dict[str, Json]:
    """Give the one step of a good plan."""
    steps = lab.plan(FINE).data["steps"]
    assert isinstance(steps, list)
    assert isinstance(steps[0], dict)
    return steps[0]


def step_with(lab: Lab, **changed: Any) -> dict[str, Json]:  # noqa: ANN401 - any JSON
    """Take a good plan and change its one step."""
    return plan_with(lab, steps=[{**the_step(lab), **changed}])


REQUEST: dict[str, Json] = {"input": {}, "config": {}}


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("alone",),
        (REQUEST,),
        (REQUEST, None),
        (REQUEST, "a plan"),
        (REQUEST, []),
        (REQUEST, {}),
        (REQUEST, b"\xff\xfe"),
        (REQUEST, {"format": [1]}),
        (None, {"format": 1}),
    ],
    ids=repr,
)
async def test_arguments_that_are_no_run_fail_it_with_a_code(
    lab: Lab, args: tuple[object, ...]
) -> None:
    """An exception of Python's would fail the workflow task, and Temporal would try for ever."""
    outcome = await sent(lab, *args)
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error["code"] == "INVALID_REQUEST"
    assert "start it with `aima run`" in str(outcome.error["message"])


async def test_a_plan_of_a_later_format_is_refused_by_its_number(lab: Lab) -> None:
    """An old worker must not half understand a new plan."""
    outcome = await sent(lab, REQUEST, plan_with(lab, format=99))
    assert outcome.error is not None
    assert outcome.error["code"] == "INVALID_REQUEST"
    assert "format 99; this worker reads [1]" in str(outcome.error["message"])


@pytest.mark.parametrize(
    "changed",
    [
        {"body": "teleport"},
        {"after": ["nobody"]},
        {"after": ["a"]},
        {"after": 7},
        {"at": []},
        {"unit": None},
        {"retry": {"max_attempts": 1}},
        {"places": None},
    ],
    ids=repr,
)
async def test_a_plan_with_a_broken_step_fails_its_run(
    lab: Lab, changed: dict[str, object]
) -> None:
    """Whatever is wrong with a plan is found before anything of it runs."""
    outcome = await sent(lab, REQUEST, step_with(lab, **changed))
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error["code"] == "INVALID_REQUEST"
    assert lab.board.calls == []


@pytest.mark.parametrize(
    "changed",
    [{"input": {"$": {"source": "x", "ast": ["teleport"]}}}, {"timeout": {"$": 1}}],
    ids=repr,
)
async def test_a_plan_with_a_broken_expression_fails_its_run(
    lab: Lab, changed: dict[str, object]
) -> None:
    """Found where it is first needed, and told with its step."""
    outcome = await sent(lab, REQUEST, step_with(lab, **changed))
    assert outcome.error is not None
    assert (outcome.error["code"], outcome.error["step"]) == ("VALIDATION_ERROR", "a")
    assert lab.board.calls == []


@pytest.mark.parametrize("request_", [7, [], {"input": {}}, {"config": {}}], ids=repr)
async def test_a_request_without_input_or_config_is_refused(lab: Lab, request_: object) -> None:
    """Both are always there when AIMA starts a run."""
    outcome = await sent(lab, request_, plan_with(lab))
    assert outcome.error is not None
    assert outcome.error["code"] == "INVALID_REQUEST"


async def test_a_plan_with_two_steps_of_one_id_is_refused(lab: Lab) -> None:
    """They would be counted as one, and the run would wait for the other for ever."""
    step = the_step(lab)
    outcome = await sent(lab, REQUEST, plan_with(lab, steps=[step, step]))
    assert outcome.error is not None
    assert outcome.error["code"] == "INVALID_REQUEST"


async def test_a_plan_without_steps_completes(lab: Lab) -> None:
    """There is nothing to wait for."""
    outcome = await sent(lab, REQUEST, plan_with(lab, steps=[]))
    assert (outcome.state, outcome.output) == ("completed", {})


@pytest.mark.parametrize(
    "data", [b'{"input": NaN', b"\xff", b"[" * 100_000], ids=["cut", "binary", "deep"]
)
@pytest.mark.parametrize("place", [0, 1], ids=["request", "plan"])
async def test_bytes_that_are_no_json_fail_the_run(lab: Lab, data: bytes, place: int) -> None:
    """A client in another language may send what no parser reads."""
    broken = lab.client.data_converter.payload_converter.to_payload({})
    broken.data = data
    args: list[object] = [REQUEST, plan_with(lab)]
    args[place] = RawValue(broken)
    outcome = await sent(lab, *args)
    assert outcome.error is not None
    assert outcome.error["code"] in ("INVALID_REQUEST", "VALIDATION_ERROR")


async def test_a_unit_that_no_worker_has_fails_its_step_after_its_attempts(idle: Lab) -> None:
    """A plan can be older than the workers: each attempt may meet one that has the unit."""
    run_id = await idle.start("""
        name: left-behind
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
    """)
    others = [unit for unit in idle.catalog if unit.name != "lab.echo"]
    async with idle.worker(others):
        outcome = await idle.outcome(run_id)
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error["code"] == "UNIT_NOT_FOUND"
    assert outcome.error["attempt"] == 3
    assert "has the unit 'lab.echo'" in str(outcome.error["message"])


async def test_a_run_with_a_broken_plan_disturbs_no_other(lab: Lab) -> None:
    """The worker lives on, and the next run is as good as ever."""
    await sent(lab, REQUEST, json.loads("[" * 500 + "]" * 500))
    assert (await lab.run(FINE)).state == "completed"
