"""`concurrency` in a workflow, as authors meet the rules of tests/integration/test_slots.py."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def key() -> str:
    """Give a key of a test's own."""
    return uuid4().hex


def alone(key: str, on_conflict: str = "queue") -> str:
    """Write a workflow of which one at a time runs, and that cleans up."""
    return f"""
        name: alone
        inputs: {{type: object, required: [who], properties: {{who: {{type: string}}}}}}
        concurrency: {{key: "{key}/${{input.who.size() > 0}}", on_conflict: {on_conflict}}}
        steps:
          - {{id: work, type: lab.hang, input: {{name: "${{input.who}}"}}}}
        finally:
          - {{id: tidy, type: lab.echo, input: {{name: "${{input.who}} left"}}}}
    """


async def test_runs_of_one_key_take_turns(lab: Lab, key: str) -> None:
    """The second begins when the first has cleaned up, and not before."""
    first = await lab.start(alone(key), {"who": "a"})
    await lab.board.until_seen("a")
    second = await lab.start(alone(key), {"who": "b"})
    lab.board.gates["b"].set()
    lab.board.gates["a"].set()
    assert (await lab.outcome(first)).state == "completed"
    assert (await lab.outcome(second)).state == "completed"
    assert lab.board.began == ["a", "a left", "b", "b left"]


async def test_a_rejected_run_fails_with_conflict(lab: Lab, key: str) -> None:
    """Nothing of it has run; the code tells the caller to come back later."""
    await lab.start(alone(key), {"who": "a"})
    await lab.board.until_seen("a")
    outcome = await lab.run(alone(key, "reject"), {"who": "b"})
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error["code"] == "CONFLICT"
    assert lab.board.began == ["a"]
    lab.board.gates["a"].set()


async def test_a_newcomer_that_cancels_waits_for_the_cleanup(lab: Lab, key: str) -> None:
    """The victim ends Canceled, with its `finally` done."""
    victim = await lab.start(alone(key), {"who": "a"})
    await lab.board.until_seen("a")
    lab.board.gates["b"].set()
    assert (await lab.run(alone(key, "cancel_running"), {"who": "b"})).state == "completed"
    assert (await lab.outcome(victim)).state == "canceled"
    assert lab.board.began == ["a", "a left", "b", "b left"]


async def test_a_run_that_is_cancelled_while_it_waits_leaves_the_queue(lab: Lab, key: str) -> None:
    """It never begins, and the next one's turn comes."""
    first = await lab.start(alone(key), {"who": "a"})
    await lab.board.until_seen("a")
    second = await lab.start(alone(key), {"who": "b"})
    await lab.runs.cancel(second)
    assert (await lab.outcome(second)).state == "canceled"
    third = await lab.start(alone(key), {"who": "c"})
    lab.board.gates["c"].set()
    lab.board.gates["a"].set()
    assert (await lab.outcome(first)).state == "completed"
    assert (await lab.outcome(third)).state == "completed"
    assert "b" not in lab.board.began


async def test_a_worker_that_stops_keeps_the_slot_of_its_run(idle: Lab, key: str) -> None:
    """Leaving a worker's memory is not the end of a run; nobody else may come in."""
    async with idle.worker():
        first = await idle.start(alone(key), {"who": "a"})
        await idle.board.until_seen("a")
    async with idle.worker():
        outcome = await idle.run(alone(key, "reject"), {"who": "b"})
        assert outcome.error is not None
        assert outcome.error["code"] == "CONFLICT"
        idle.board.gates["a"].set()
        assert (await idle.outcome(first)).state == "completed"
