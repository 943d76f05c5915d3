"""A run as a tree, looked up on a real server: with a worker that answers, and without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from aima.temporal.client import ensure_search_attributes
from aima.temporal.server import server_command
from aima.temporal.watch import Tree
from tests.integration.lab import SERVER, Lab, lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 30.0


def rows_of(tree: Tree) -> dict[str, dict[str, Any]]:
    """Give the rows of a tree by their step."""
    rows = tree["rows"]
    assert isinstance(rows, list)
    return {str(row["step"]): row for row in rows if isinstance(row, dict)}


async def until(lab: Lab, run_id: str, holds: Callable[[Tree], object]) -> Tree:
    """Follow a run until its tree is as wanted."""
    async with asyncio.timeout(PATIENCE), aclosing(lab.runs.follow(run_id, trees=True)) as told:
        async for change in told:
            if isinstance(change, dict) and "rows" in change and holds(change):
                return change
    raise AssertionError("the run ended first")


LOOPS = """
    name: loops
    steps:
      - id: each
        for_each: {in: [0, 1, 2], max_parallel: 3, on_failure: continue}
        steps:
          - {id: odd, if: "${item == 1}", raise: {code: BAD, message: bad}}
          - id: ask
            if: "${item != 1}"
            wait_for: {approval: {message: "Is ${item} fine?"}}
      - id: way
        switch:
          - {if: "${input.n == 1}", steps: [{id: taken, type: lab.hang, input: {name: taken}}]}
          - else: [{id: other, type: lab.echo, input: {}}]
"""


async def test_a_tree_tells_loops_branches_and_waits(lab: Lab) -> None:
    """All that no event of the history tells."""
    run_id = await lab.start(LOOPS, {"n": 1})

    def there(tree: Tree) -> bool:
        waits = tree["waits"]
        return isinstance(waits, list) and len(waits) == 2 and "busy" in rows_of(tree)["taken"]

    tree = await until(lab, run_id, there)
    rows = rows_of(tree)
    assert rows["each"]["loop"] == {"all": 3, "failed": 1}
    assert rows["odd"]["times"] == {"failed": 1, "skipped": 2}
    assert rows["taken"]["busy"][0]["attempt"] == 1
    assert "other" not in rows
    assert isinstance(tree["waits"], list)
    told = [(w["run"], w["step"], w["what"]) for w in tree["waits"] if isinstance(w, dict)]
    assert told == [(run_id, "ask[0]", "Is 0 fine?"), (run_id, "ask[2]", "Is 2 fine?")]
    await lab.runs.cancel(run_id)


async def test_the_children_of_a_loop_count_for_it(lab: Lab) -> None:
    """A loop that is split into segments is one loop to whoever looks."""
    sets = "\n".join(f"              - {{id: s{i}, set: {{n: 1}}}}" for i in range(60))
    run_id = await lab.start(f"""
        name: split
        steps:
          - id: each
            for_each: {{in: "${{range(20)}}", max_parallel: 2}}
            steps:
{sets}
              - {{id: h, if: "${{item == 17}}", type: lab.hang, input: {{name: h}}}}
    """)
    tree = await until(lab, run_id, lambda tree: "busy" in rows_of(tree).get("h", {}))
    row = rows_of(tree)
    assert row["each"]["loop"]["all"] == 20
    assert row["each"]["loop"]["done"] >= 16, "those of the segment before, and of this one"
    assert row["h"]["busy"][0]["step"] == "each[17].h"
    lab.board.gates["h"].set()
    assert (await lab.outcome(run_id)).state == "completed"


async def test_without_a_worker_the_history_tells_what_it_knows(idle: Lab) -> None:
    """Nobody must run for somebody to look."""
    async with idle.worker():
        run_id = await idle.start("""
            name: alone
            steps:
              - {id: a, type: lab.echo, input: {name: a}}
              - {id: go, depends_on: [a], wait_for: {signal: go, timeout: 1h}}
        """)
        await until(idle, run_id, lambda tree: tree["waits"])
    tree = await idle.runs.tree(run_id)
    assert tree["silent"] is True
    assert rows_of(tree)["a"]["state"] == "done"
    assert isinstance(tree["waits"], list)
    assert [(w["step"], w["for"], w["what"]) for w in tree["waits"] if isinstance(w, dict)] == [
        ("go", "signal", "go")
    ]


async def test_a_run_that_goes_on_in_a_new_history_is_followed_there(tmp_path: Path) -> None:
    """Long runs do so again and again, and nobody who looks shall notice."""
    often = ["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40"]
    ours = server_command(tmp_path, port=0, ui_port=0)
    settings = ours[ours.index("--dynamic-config-value") :]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=SERVER, dev_server_extra_args=[*settings, *often]
    ) as server:
        await ensure_search_attributes(server.client)
        with lab_on(server.client, tmp_path) as lab:
            async with lab.worker():
                run_id = await lab.start("""
                    name: rounds
                    steps:
                      - id: loop
                        repeat: {until: "${steps.n.n >= 30}", max: 100}
                        steps:
                          - {id: a, type: lab.echo, input: {name: a}}
                          - id: n
                            depends_on: [a]
                            set: {n: "${has(steps.n.n) ? steps.n.n + 1 : 1}"}
                """)
                steps, trees = 0, []
                async with aclosing(lab.runs.follow(run_id, trees=True)) as told:
                    async for change in told:
                        if not isinstance(change, dict):
                            steps += change.state == "done"
                        elif "rows" in change:
                            trees.append(change)
    assert steps == 30
    assert rows_of(trees[-1])["loop"]["rounds"] == 30
    assert rows_of(trees[-1])["a"]["times"] == {"done": 30}


async def test_a_step_that_ran_no_unit_says_where_its_output_is_from(lab: Lab) -> None:
    """Else a reader wonders why a minute's work took no time, or what was asked of whom."""
    text = """
        name: cached
        steps:
          - {id: once, type: lab.echo, input: {name: a}, cache: {key: only}}
          - id: each
            for_each: {in: [0, 1, 0], max_parallel: 1}
            type: lab.echo
            input: {name: b}
            cache: {key: "item ${item}"}
    """
    cached: list[dict[str, object]] = []
    for _ in range(2):
        run_id = await lab.start(text)
        assert (await lab.outcome(run_id)).state == "completed"
        rows = rows_of((await lab.runs.look(run_id))[1])
        cached.append({step: row.get("cached") for step, row in rows.items()})
    assert cached == [{"once": None, "each": 1}, {"once": 1, "each": 3}]
    assert sorted(lab.board.calls) == ["a", "b", "b"]
