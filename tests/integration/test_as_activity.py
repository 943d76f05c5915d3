"""Units as activities: what a unit may do wrong, and what Temporal and the author learn of it."""

import json
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from aima.temporal.runs import Outcome
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def run_unit(lab: Lab, unit: str, **given: object) -> Outcome:
    """Run one step that calls ``unit``."""
    step = {"id": "a", "type": unit, "input": given}
    return await lab.run(json.dumps({"name": "one", "steps": [step]}))


def told(outcome: Outcome) -> tuple[object, str]:
    """Give a failed run's code and message."""
    assert outcome.state == "failed"
    assert outcome.error is not None
    return outcome.error["code"], str(outcome.error["message"])


async def test_a_mistake_in_a_unit_is_an_internal_error_and_tried_again(lab: Lab) -> None:
    """Most of them are the weather of the network, seen through a library."""
    code, message = told(await run_unit(lab, "lab.break", name="a"))
    assert code == "INTERNAL_ERROR"
    assert "lab.break broke: KeyError: 'what nobody thought of'" in message
    assert lab.board.attempts["a"] == 3


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        ("lab.forget", "lab.forget returned 'NoneType'; it declares 'Named'"),
        ("lab.leave", "lab.leave tried to end its worker; it may only raise"),
        ("lab.give_up", "the unit was cancelled from within; it may only raise"),
    ],
)
async def test_a_unit_that_breaks_its_declaration_is_told_once(
    lab: Lab, unit: str, says: str
) -> None:
    """No other attempt mends it, and the worker outlives it."""
    code, message = told(await run_unit(lab, unit, name="a"))
    assert code == "INTERNAL_ERROR"
    assert says in message
    assert lab.board.attempts["a"] == 1


async def test_a_unit_that_gives_nan_fails_and_is_not_run_again(lab: Lab) -> None:
    """NaN is no JSON; it would come back as something else, or not at all."""
    code, message = told(await run_unit(lab, "lab.nan", name="a"))
    assert code == "VALIDATION_ERROR"
    assert "no JSON" in message or "as JSON" in message
    assert lab.board.attempts["a"] == 1


async def test_an_input_that_does_not_fit_names_its_field(lab: Lab) -> None:
    """What an expression gave is known only now; the unit's model is the door."""
    outcome = await lab.run(
        """
        name: misfit
        steps:
          - {id: a, type: lab.meet, input: {name: a, parties: "${input.parties}"}}
        """,
        {"parties": {"a": "map"}},
    )
    code, message = told(outcome)
    assert code == "VALIDATION_ERROR"
    assert "the input of lab.meet: 'parties': Input should be a valid integer" in message
    assert lab.board.running == 0


async def test_an_effect_happens_once_though_its_attempts_are_many(lab: Lab) -> None:
    """Each attempt carries the same key, by which the outside knows it again."""
    outcome = await run_unit(lab, "lab.pay", name="a", times=2)
    assert outcome.state == "completed"
    assert len(lab.board.calls) == 3
    assert len(set(lab.board.calls)) == 1
    assert lab.board.effects == lab.board.calls[:1]


async def test_the_effect_key_names_workflow_run_and_step(lab: Lab) -> None:
    """Unique for ever, and the same when a run is reset or continued."""
    run_id = await lab.start("""
        name: paying
        steps:
          - {id: first, type: lab.pay, input: {name: first, times: 0}}
          - {id: second, type: lab.pay, input: {name: second, times: 0}, depends_on: [first]}
    """)
    await lab.outcome(run_id)
    first_run = (await lab.handle(run_id).describe()).run_id
    assert lab.board.effects == [f"{run_id}/{first_run}/first", f"{run_id}/{first_run}/second"]


async def test_an_effect_that_is_recorded_is_not_repeated(lab: Lab) -> None:
    """The worker died after the record and before it could answer: the next attempt answers."""
    run_id = await lab.start("""
        name: paid
        steps:
          - {id: wait, type: lab.hang, input: {name: wait}}
          - {id: pay, type: lab.pay, input: {name: pay, times: 0}, depends_on: [wait]}
    """)
    await lab.board.until_seen("wait")
    key = f"{run_id}/{(await lab.handle(run_id).describe()).run_id}/pay"

    async def already_done() -> dict[str, object]:
        return {"name": "paid before"}

    await lab.around.effects.once(key, "lab.pay", already_done)
    lab.board.gates["wait"].set()
    outcome = await lab.outcome(run_id)
    assert outcome.output == {"wait": {"name": "wait"}, "pay": {"name": "paid before"}}
    assert lab.board.attempts["pay"] == 0


async def test_a_stopping_worker_hands_its_step_to_the_next(idle: Lab) -> None:
    """A deployment must cost an attempt, not the run."""
    async with idle.worker():
        run_id = await idle.start("""
            name: redeployed
            steps:
              - {id: a, type: lab.hang, input: {name: a}}
        """)
        await idle.board.until_seen("a")
    assert idle.board.cancelled == ["a"]
    idle.board.gates["a"].set()
    async with idle.worker():
        outcome = await idle.outcome(run_id)
    assert outcome.state == "completed"
    assert idle.board.attempts["a"] == 2


async def test_a_step_whose_last_attempt_met_a_stopping_worker_says_so(idle: Lab) -> None:
    """The code is one of the tree, not a class of Python's."""
    async with idle.worker():
        run_id = await idle.start("""
            name: unlucky
            steps:
              - {id: a, type: lab.hang, retry: {max_attempts: 1}, input: {name: a}}
        """)
        await idle.board.until_seen("a")
    async with idle.worker():
        code, message = told(await idle.outcome(run_id))
    assert code == "EXECUTION_FAILED"
    assert "the worker stopped before the step was done" in message


async def test_each_attempt_leaves_its_lines_in_the_runs_log(lab: Lab) -> None:
    """`aima logs` shows what happened where, and why it was tried again."""
    run_id = await lab.start("""
        name: logged
        steps:
          - {id: a, type: lab.fail, input: {name: a, times: 1}}
    """)
    await lab.outcome(run_id)
    lines = [json.loads(line) for line in log_of(lab, run_id).read_text("utf-8").splitlines()]
    seen = [(line["step"], line["unit"], line["attempt"], line["state"]) for line in lines]
    assert seen == [
        ("a", "lab.fail", 1, "started"),
        ("a", "lab.fail", 1, "failed"),
        ("a", "lab.fail", 2, "started"),
        ("a", "lab.fail", 2, "done"),
    ]
    assert lines[1]["error"] == {
        "code": "EXECUTION_FAILED",
        "message": "asked to fail with EXECUTION_FAILED",
    }


def log_of(lab: Lab, run_id: str) -> Path:
    """Find the log of a run."""
    return lab.settings.data / "logs" / f"{run_id}.jsonl"


async def test_a_failure_of_temporals_own_kind_passes_through(lab: Lab) -> None:
    """Who writes for Temporal may raise its errors; codes and retries are then his."""
    error = ApplicationError("as I say", type="MY_CODE", non_retryable=True)
    lab.board.raises["a"] = error
    code, message = told(await run_unit(lab, "lab.raise", name="a"))
    assert (code, "as I say" in message) == ("MY_CODE", True)
    assert lab.board.attempts["a"] == 1
