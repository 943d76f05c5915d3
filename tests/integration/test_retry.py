"""Runs from runs: a retry reuses what was finished, a rerun repeats, an answer reaches its step."""

import asyncio
from pathlib import Path
from textwrap import dedent

import pytest

from aima.dsl.json import Json
from aima.errors import Conflict, NotFound, ValidationFailed
from aima.gateway.workflows.definitions import Definitions
from aima.store.effects import Claim, Effects
from aima.temporal.again import Again
from aima.temporal.runs import RunRequest
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
    outcome = await lab.outcome(await Again(lab.runs).retry(run_id, start=start, config={}))
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
        await Again(lab.runs).retry(run_id, start="", config={})
    with pytest.raises(NotFound, match="did you mean 'other'"):
        await Again(lab.runs).retry(run_id, start="othr", config={})
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
    assert lab.board.attempts["maybe"] == 2, "the item that failed was tried again"


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
    second = await lab.outcome(await Again(lab.runs).rerun(run_id))
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


async def test_a_retry_of_a_segmented_loop_runs_only_what_is_missing(lab: Lab) -> None:
    """A part of the loop had a history of its own; what it finished is not lost with it."""
    sets = "\n".join(f"              - {{id: s{i}, set: {{n: 1}}}}" for i in range(49))
    text = f"""
        name: segmented
        steps:
          - id: each
            for_each: {{in: "${{range(30)}}", max_parallel: 1}}
            steps:
{sets}
              - {{id: ok, type: lab.echo, input: {{name: "ok${{item}}"}}}}
              - id: maybe
                depends_on: [ok]
                if: "${{item == 25}}"
                type: lab.fail
                retry: {{max_attempts: 1}}
                input: {{name: maybe, times: 1}}
        output: {{n: "${{size(steps.each.items)}}", ok: "${{steps.each.items[3].ok.name}}"}}
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "failed"
    assert lab.board.calls == [f"ok{i}" for i in range(26)]
    assert await retried(lab, run_id) == {"n": 30, "ok": "ok3"}
    assert lab.board.calls[26:] == [f"ok{i}" for i in range(25, 30)]
    assert lab.board.attempts["maybe"] == 2


async def test_a_retry_goes_on_inside_the_child_that_failed(lab: Lab, tmp_path: Path) -> None:
    """What the child had finished is finished, as if it stood in the run itself."""
    child = """
        name: inner
        steps:
          - {id: paid, type: lab.pay, input: {name: paid, times: 0}}
          - id: c
            depends_on: [paid]
            type: lab.fail
            retry: {max_attempts: 1}
            input: {name: c, times: 1}
        output: {ok: "${steps.c.name}"}
    """
    (tmp_path / "inner.yaml").write_text(dedent(child))
    text = """
        name: outer
        steps:
          - {id: first, type: lab.echo, input: {name: first}}
          - {id: child, depends_on: [first], workflow: ./inner.yaml}
        output: "${steps.child}"
    """
    definitions = Definitions(lab.catalog)
    place = str(tmp_path / "outer.yaml")
    checked = definitions.check(dedent(text), "outer.yaml", place)
    assert checked.ok, checked.diagnostics
    run_id = await lab.runs.start(definitions.plan(checked, place), RunRequest({}))
    assert (await lab.outcome(run_id)).state == "failed"
    assert await retried(lab, run_id) == {"ok": "c"}
    assert lab.board.calls.count("first") == 1
    assert len(lab.board.effects) == 1


PAYMENT = """
    name: payment
    steps:
      - id: room
        type: lab.pay
        input: {name: room, times: 0}
        compensate: {type: lab.echo, input: {name: unbook}}
      - {id: kept, type: lab.pay, input: {name: kept, times: 0}}
      - id: late
        depends_on: [room, kept]
        type: lab.fail
        retry: {max_attempts: 1}
        input: {name: late, times: 2}
"""


async def test_the_effect_of_a_step_that_was_undone_happens_again_and_no_other(lab: Lab) -> None:
    """The room is booked anew, each time; the payment that nobody took back is not repeated."""
    run_id = await lab.start(PAYMENT)
    assert (await lab.outcome(run_id)).state == "failed"
    second = await Again(lab.runs).retry(run_id, start="", config={})
    assert (await lab.outcome(second)).state == "failed"
    await retried(lab, second)
    names = [key.rpartition("/")[2] for key in lab.board.effects]
    assert sorted(names) == ["kept", "room", "room", "room"]
    assert len(set(lab.board.effects)) == 4
    assert lab.board.calls.count("unbook") == 2


async def test_an_effect_whose_end_was_lost_is_found_by_the_retry(lab: Lab) -> None:
    """The step failed though its effect is on record: its worker had died in between."""
    text = """
        name: lost
        steps:
          - id: pay
            type: lab.pay
            retry: {max_attempts: 1}
            input: {name: pay, times: 1}
        output: {name: "${steps.pay.name}"}
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "failed"
    [key] = lab.board.calls
    record = lab.around.effects
    assert isinstance(record, Effects)
    claim = record.claim(key, unit="lab.pay")
    assert isinstance(claim, Claim)
    record.finish(claim, {"name": "recorded"})
    assert await retried(lab, run_id) == {"name": "recorded"}
    assert lab.board.effects == []


async def test_a_step_that_somebody_names_has_its_effect_again(lab: Lab) -> None:
    """`--from` means it."""
    text = """
        name: named
        steps:
          - {id: a, type: lab.pay, input: {name: a, times: 0}}
          - id: block
            depends_on: [a]
            steps: [{id: b, type: lab.pay, input: {name: b, times: 0}}]
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "completed"
    await retried(lab, run_id, "b")
    assert [key.rpartition("/")[2] for key in lab.board.effects] == ["a", "b", "b"]


async def test_a_wait_that_timed_out_waits_anew(lab: Lab) -> None:
    """The time of the first run is over; that of the retry begins."""
    text = """
        name: late
        steps: [{id: go, wait_for: {signal: go, timeout: "${config.patience}"}}]
        config: {patience: 10ms}
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "failed"
    again = await Again(lab.runs).retry(run_id, start="", config={"patience": "1h"})
    await lab.runs.send(again, "go", None)
    assert (await lab.outcome(again)).state == "completed"


async def test_a_block_gets_all_its_passes_again(lab: Lab) -> None:
    """Its old ones are used up; what the last of them finished stays finished."""
    text = """
        name: passes
        steps:
          - id: block
            retry: {max_attempts: 2, delay: 1ms}
            steps:
              - {id: ok, type: lab.echo, input: {name: ok}}
              - id: no
                depends_on: [ok]
                type: lab.fail
                retry: {max_attempts: 1}
                input: {name: no, times: 3}
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "failed"
    assert lab.board.calls == ["ok", "ok"]
    await retried(lab, run_id)
    assert lab.board.attempts["no"] == 4
    assert lab.board.calls == ["ok", "ok", "ok"]


async def test_a_run_that_was_cancelled_goes_on_where_it_was(lab: Lab) -> None:
    """Somebody stopped it for the night."""
    text = """
        name: stopped
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
          - {id: h, depends_on: [a], type: lab.hang, input: {name: h}}
        output: {n: "${steps.a.name}"}
    """
    run_id = await lab.start(text)
    await lab.board.until_seen("h")
    with pytest.raises(Conflict, match="still running: wait for its end, or `aima cancel"):
        await Again(lab.runs).retry(run_id, start="", config={})
    await lab.runs.cancel(run_id)
    assert (await lab.outcome(run_id)).state == "canceled"
    lab.board.gates["h"].set()
    again = await Again(lab.runs).retry(run_id, start="", config={})
    assert (await lab.outcome(again)).output == {"n": "a"}
    assert lab.board.calls == ["a"]
    tree = await lab.runs.tree(again)
    assert isinstance(tree["rows"], list)
    told = {str(row["step"]): row["state"] for row in tree["rows"] if isinstance(row, dict)}
    assert told == {"a": "reused", "h": "done"}


async def test_what_a_block_tidied_up_is_tidied_up_again(lab: Lab) -> None:
    """Its `finally` runs however it ends, also when it ends for the second time."""
    text = """
        name: tidied
        steps:
          - id: block
            steps:
              - {id: ok, type: lab.pay, input: {name: ok, times: 0}}
              - id: "no"
                depends_on: [ok]
                type: lab.fail
                retry: {max_attempts: 1}
                input: {name: "no", times: 1}
            finally: [{id: tidy, type: lab.pay, input: {name: tidy, times: 0}}]
    """
    run_id = await lab.start(text)
    assert (await lab.outcome(run_id)).state == "failed"
    await retried(lab, run_id)
    done = [effect.rpartition("/")[2] for effect in lab.board.effects]
    assert done == ["ok", "tidy", "tidy"]
    assert len(set(lab.board.effects)) == 3, "each time is an effect of its own"
