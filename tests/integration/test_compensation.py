"""What a run does to the world is undone when it does not end well, and the result tells of it."""

from __future__ import annotations

from typing import Any

import pytest

from aima.errors import ExecutionFailed
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

THREE = """
name: three
steps:
  - {id: a, type: lab.hang, input: {name: a}, compensate: {type: lab.echo, input: {name: undo-a}}}
  - id: b
    type: lab.echo
    input: {name: b}
    compensate: {type: lab.fail, retry: {max_attempts: 1}, input: {name: undo-b, code: CONFLICT}}
  - id: c
    type: lab.echo
    input: {name: c}
    depends_on: [b]
    compensate: {type: lab.fail, input: {name: undo-c, times: 1}}
  - {id: d, type: lab.hang, input: {name: d}, depends_on: [c]}
  - id: each
    depends_on: [a, d]
    for_each: {in: [1, 2], max_parallel: 1}
    type: lab.fail
    retry: {max_attempts: 1}
    input: {name: "each${item}", code: CONFLICT, times: "${item == 1 ? 0 : 9}"}
    compensate: {type: lab.echo, input: {name: "undo-each${item}"}}
on_failure: [{id: told, type: lab.echo, input: {name: "told ${error.step}"}}]
finally:
  - {id: tidy, type: lab.echo, input: {name: "tidy ${run.status}"}}
  - {id: untidy, type: lab.fail, input: {name: u}, retry: {max_attempts: 1}, depends_on: [tidy]}
"""

HELD = """
name: held
steps:
  - {id: a, type: lab.echo, input: {name: a}, compensate: {type: lab.echo, input: {name: undo-a}}}
  - id: b
    type: lab.echo
    input: {name: b}
    depends_on: [a]
    compensate: {type: lab.hang, input: {name: undo-b}}
  - {id: c, depends_on: [b], type: lab.hang, input: {name: c}}
finally: [{id: tidy, type: lab.echo, input: {name: "tidy ${run.status}"}}]
"""


def undone(error: Any) -> list[tuple[str, Any, str]]:  # noqa: ANN401 - JSON of any shape
    """Give of each undo its step, its item, and the code with which it failed."""
    return [(u["step"], u.get("item"), u.get("error", {}).get("code", "")) for u in error["undone"]]


async def test_what_was_done_is_undone_the_latest_first(lab: Lab) -> None:
    """In the order in which it was completed, not written; what cannot be undone stops nothing."""
    run_id = await lab.start(THREE)
    await lab.board.until_seen("d")
    for name in ("a", "d"):
        lab.board.gates[name].set()
    outcome = await lab.outcome(run_id)
    error: Any = outcome.error
    assert outcome.state == "failed"
    assert undone(error) == [
        ("each", 0, ""),
        ("a", None, ""),
        ("c", None, ""),
        ("b", None, "CONFLICT"),
    ]
    assert lab.board.attempts["undo-c"] == 2, "an undo has retries of its own"
    assert lab.board.calls == ["b", "c", "undo-each1", "undo-a", "told each", "tidy failed"]


async def test_the_result_names_what_failed_and_what_could_not_be_cleaned_up(lab: Lab) -> None:
    """Unit, step, item and line of the first error; the others stand beside it."""
    for name in ("a", "d"):
        lab.board.gates[name].set()
    outcome = await lab.run(THREE)
    error: Any = outcome.error
    assert {key: error[key] for key in ("code", "step", "unit", "item", "line")} == {
        "code": "CONFLICT",
        "step": "each",
        "unit": "lab.fail",
        "item": 1,
        "line": 15,
    }
    assert error["message"].startswith("line 15, step 'each' (lab.fail), item 1: ")
    assert [(told["step"], told["code"]) for told in error["cleanup"]] == [
        ("untidy", "EXECUTION_FAILED")
    ]
    failed = next(told for told in error["undone"] if "error" in told)
    assert failed == {
        "step": "b",
        "unit": "lab.fail",
        "error": {"code": "CONFLICT", "message": "asked to fail with CONFLICT"},
    }


async def test_an_undo_is_not_cancelled_and_the_run_tells_what_it_has_undone(lab: Lab) -> None:
    """Somebody presses Ctrl-C again and again; each undo happens once, to its end."""
    run_id = await lab.start(HELD)
    await lab.board.until_seen("c")
    await lab.runs.cancel(run_id)
    await lab.board.until_seen("undo-b")
    await lab.handle(run_id).cancel()
    await lab.handle(run_id).cancel()
    lab.board.gates["undo-b"].set()
    outcome = await lab.outcome(run_id)
    assert outcome.state == "canceled"
    assert undone(outcome.error) == [("b", None, ""), ("a", None, "")]
    assert lab.board.attempts["undo-b"] == 1
    assert lab.board.cancelled == ["c"]
    assert lab.board.calls == ["a", "b", "undo-a", "tidy canceled"]


async def test_a_cancelled_run_that_could_not_undo_much_tells_all_of_it(lab: Lab) -> None:
    """More than fits into a history, and the error of what tidies up."""
    lab.board.raises["no"] = ExecutionFailed("x" * 3_000)
    text = """
        name: not-undone
        steps:
          - id: each
            for_each: {in: "${range(30)}", max_parallel: 30}
            type: lab.echo
            input: {name: done}
            compensate: {type: lab.raise, retry: {max_attempts: 1}, input: {name: "no"}}
          - {id: h, depends_on: [each], type: lab.hang, input: {name: h}}
        finally: [{id: tidy, raise: {code: UNTIDY, message: it stays as it is}}]
    """
    run_id = await lab.start(text)
    await lab.board.until_seen("h")
    await lab.runs.cancel(run_id)
    outcome = await lab.outcome(run_id)
    error: Any = outcome.error
    assert outcome.state == "canceled"
    assert sorted(undone(error)) == [("each", n, "EXECUTION_FAILED") for n in range(30)]
    assert [told["code"] for told in error["cleanup"]] == ["UNTIDY"]
