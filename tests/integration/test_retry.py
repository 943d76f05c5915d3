"""Runs from runs: a retry reuses what was finished, a rerun repeats, an answer reaches its step."""

import asyncio

import pytest

from aima.dsl.json import Json
from aima.errors import Conflict, NotFound, ValidationFailed
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAIN = """
    name: chain
    config: {code: EXECUTION_FAILED}
    steps:
      - {id: a, type: lab.echo, input: {name: a, n: "${input.n}"}}
      - {id: b, type: lab.echo, input: {name: b, n: "${steps.a.n + 1}"}}
      - id: c
        depends_on: [b]
        type: lab.fail
        retry: {max_attempts: 1}
        input: {name: c, times: 1}
      - {id: d, type: lab.echo, input: {name: d, n: "${steps.b.n}", c: "${steps.c.name}"}}
    output: {n: "${steps.d.n}"}
"""


async def retried(lab: Lab, run_id: str, start: str = "") -> object:
    """Retry a run; give the output of the new one."""
    outcome = await lab.outcome(await lab.runs.retry(run_id, start=start, config={}))
    assert outcome.state == "completed", outcome
    return outcome.output


async def test_a_retry_runs_only_what_was_not_finished(lab: Lab) -> None:
    """An hour of work before the failure is not done again."""
    run_id = await lab.start(CHAIN, {"n": 1})
    assert (await lab.outcome(run_id)).state == "failed"
    assert lab.board.calls == ["a", "b"]
    assert await retried(lab, run_id) == {"n": 2}
    assert lab.board.calls == ["a", "b", "d"]


async def test_a_retry_can_begin_with_a_step_that_was_finished(lab: Lab) -> None:
    """What waits for it runs again as well, and nothing else."""
    text = """
        name: diamond
        steps:
          - {id: a, type: lab.echo, input: {name: a, n: 1}}
          - {id: b, type: lab.echo, input: {name: b, n: "${steps.a.n}"}}
          - {id: other, type: lab.echo, input: {name: other, n: "${steps.a.n}"}}
          - {id: c, type: lab.echo, input: {name: c, n: "${steps.b.n}"}}
        output: {n: "${steps.c.n}"}
    """
    run_id = await lab.start(text)
    await lab.outcome(run_id)
    with pytest.raises(Conflict, match="completed"):
        await lab.runs.retry(run_id, start="", config={})
    with pytest.raises(NotFound, match="did you mean 'other'"):
        await lab.runs.retry(run_id, start="othr", config={})
    before = len(lab.board.calls)
    assert await retried(lab, run_id, "b") == {"n": 1}
    assert lab.board.calls[before:] == ["b", "c"]


async def test_a_retry_runs_only_the_items_that_failed(lab: Lab) -> None:
    """Of a thousand pages, the one whose service was away."""
    text = """
        name: items
        steps:
          - id: each
            for_each: {in: [1, 2, 3], max_parallel: 1}
            steps:
              - {id: ok, type: lab.echo, input: {name: "ok${item}"}}
              - id: maybe
                depends_on: [ok]
                if: "${item == 2}"
                type: lab.fail
                retry: {max_attempts: 1}
                input: {name: maybe, times: 1}
        output: {n: "${size(steps.each.items)}"}
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "failed"
    assert await retried(lab, run_id) == {"n": 3}
    assert lab.board.calls == ["ok1", "ok2", "ok3"]


async def test_a_retry_does_again_what_was_undone(lab: Lab) -> None:
    """The room was given back; a run that goes on as if it had it would lie."""
    text = """
        name: undone
        steps:
          - id: book
            type: lab.echo
            input: {name: book}
            compensate: {type: lab.echo, input: {name: unbook}}
          - {id: free, type: lab.echo, input: {name: free}}
          - id: pay
            depends_on: [book, free]
            type: lab.fail
            retry: {max_attempts: 1}
            input: {name: pay, times: 1}
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "failed"
    calls = len(lab.board.calls)
    await retried(lab, run_id)
    assert lab.board.calls[calls:] == ["book"]
    assert lab.board.attempts["pay"] == 2


async def test_a_rerun_repeats_everything(lab: Lab) -> None:
    """With the input and the plan as they were."""
    text = 'name: twice\nsteps: [{id: a, type: lab.echo, input: {name: a, n: "${input.n}"}}]'
    run_id = await lab.start(text, {"n": 5})
    first = await lab.outcome(run_id)
    second = await lab.outcome(await lab.runs.rerun(run_id))
    assert first.output == second.output
    assert lab.board.calls == ["a", "a"]


async def test_a_run_tells_what_it_waits_for_and_takes_the_answer(lab: Lab) -> None:
    """Who is asked must see it, and a wrong answer is refused at once."""
    text = """
        name: asks
        steps:
          - {id: go, wait_for: {signal: go, schema: {type: integer}}}
          - id: each
            for_each: {in: [x, y]}
            steps: [{id: ok, wait_for: {approval: {message: "fine?", approvers: [ann]}}}]
        output: {n: "${steps.go.data}", by: "${steps.each.items.map(i, i.ok.by)}"}
    """
    run_id = await lab.start(text)
    async with asyncio.timeout(20):
        while len(waits := await lab.runs.waits(run_id)) < 3:  # noqa: ASYNC110 - only a query tells
            await asyncio.sleep(0.01)
    told = [(w["step"], w["for"]) for w in waits if isinstance(w, dict)]
    assert told == [("go", "signal"), ("ok[0]", "approval"), ("ok[1]", "approval")]
    with pytest.raises(ValidationFailed, match="does not fit"):
        await lab.runs.send(run_id, "go", "text")
    answer: dict[str, Json] = {"step": "ok[0]", "approved": True, "by": "bob"}
    with pytest.raises(ValidationFailed, match="'bob' may not approve"):
        await lab.runs.send(run_id, "aima.approve", answer)
    for _ in range(5):
        await lab.runs.send(run_id, "go", 7, message_id="once")
    for index in (1, 0):
        answer = {"step": f"ok[{index}]", "approved": True, "by": "ann"}
        await lab.runs.send(run_id, "aima.approve", answer)
    outcome = await lab.outcome(run_id)
    assert outcome.output == {"n": 7, "by": ["ann", "ann"]}
    with pytest.raises(Conflict, match="ended"):
        await lab.runs.send(run_id, "go", 7)
