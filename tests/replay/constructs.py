"""What of the language is recorded: each construct alone, and what cuts across them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from textwrap import dedent
from typing import Any

import httpx2

from aima.dsl.json import Json
from aima.streams.hub import Hub
from aima.streams.publisher import HubClient
from aima.temporal.again import Again
from tests.integration.lab import Lab
from tests.integration.test_constructs import RUNS
from tests.integration.test_follow import STORY, Stage
from tests.unit.streams.hub_server import listen, serving

NESTED = """
    steps:
      - id: pages
        for_each: {in: [1, 2, 3], max_parallel: 2, on_failure: {tolerate: 1}}
        steps:
          - id: tries
            repeat: {until: "${steps.look.n >= 2}", max: 5}
            steps:
              - id: look
                type: lab.echo
                input: {n: "${has(steps.look) ? steps.look.n + 1 : item}"}
          - id: kind
            switch:
              - if: ${item == 3}
                steps: [{id: bad, raise: {code: THREE, message: no three}}]
              - else: [{id: good, type: lab.echo, input: {n: "${steps.look.n}"}}]
      - id: safe
        retry: {max_attempts: 2, delay: 1ms}
        catch: [{codes: [GIVEN_UP], steps: [{id: handled, type: lab.echo, input: {n: 0}}]}]
        steps:
          - {id: one, type: lab.echo, input: {n: "${size(steps.pages.items)}"}}
          - {id: two, depends_on: [one], raise: {code: GIVEN_UP, message: never}}
        finally: [{id: tidy, type: lab.echo, input: {n: 1}}]
    output: {failed: "${steps.pages.failed.map(f, f.index)}", code: "${steps.safe.error.code}"}
"""

UNDONE = """
    steps:
      - id: a
        type: lab.echo
        input: {name: a}
        compensate: {type: lab.echo, input: {name: "undo ${steps.a.name}"}}
      - id: each
        depends_on: [a]
        for_each: {in: [1, 2]}
        type: lab.echo
        input: {name: "e${item}"}
        compensate: {type: lab.echo, input: {name: "undo ${item}"}}
      - {id: last, depends_on: [each], raise: {code: BOOM, message: it broke}}
    on_failure: [{id: told, type: lab.echo, input: {name: "${error.code} ${run.status}"}}]
    finally: [{id: tidy, type: lab.echo, input: {name: "${run.status}"}}]
"""

WAITS = """
    timeout: 1h
    steps:
      - {id: go, wait_for: {signal: go, timeout: 1h}}
      - id: each
        for_each: {in: [x, y]}
        steps: [{id: ok, wait_for: {approval: {message: fine}}}]
      - {id: late, wait_for: {signal: never, timeout: 50ms, on_timeout: continue}}
    output: {n: "${steps.go.data}", late: "${has(steps.late.timed_out)}"}
"""

LOCAL = """
    steps:
      - {id: a, type: template.render, input: {text: "Hello {{ who }}", values: {who: you}}}
      - id: b
        type: template.render
        local: false
        input: {text: "{{ t }}!", values: {t: "${steps.a.text}"}}
"""

DEADLINES = """
    steps:
      - id: each
        deadline: 300ms
        on_failure: continue
        for_each: {in: [1, 2]}
        type: lab.hang
        input: {name: "h${item}"}
      - id: block
        timeout: 100ms
        on_failure: continue
        steps: [{id: slow, wait: 1h}]
"""

SEGMENTS = """
    steps:
      - id: each
        for_each: {in: "${range(1100)}", max_parallel: 200}
        type: lab.echo
        input: {n: "${item}"}
    output: {n: "${size(steps.each.items)}"}
"""

LONG = """
    steps:
      - id: loop
        repeat: {until: "${steps.count.n >= 800}", max: 1000}
        steps:
          - {id: count, type: lab.echo, input: {n: "${has(steps.count) ? steps.count.n + 1 : 1}"}}
    output: {n: "${steps.loop.rounds}"}
"""


async def ran(name: str, text: str, given: dict[str, Any], lab: Lab) -> str:
    """Run a workflow to its end and give the run's id."""
    async with lab.worker():
        run_id = await lab.start(f"name: {name}\n{dedent(text)}", given)
        await lab.outcome(run_id)
    return run_id


async def signals_and_approvals(lab: Lab) -> str:
    """Signals and approvals that come while steps wait, and one that never comes."""
    async with lab.worker():
        run_id = await lab.start(f"name: waits\n{dedent(WAITS)}")
        await lab.runs.send(run_id, "go", 7)
        for index in (1, 0):
            answer: dict[str, Json] = {"step": f"ok[{index}]", "approved": True, "by": "ann"}
            await lab.runs.send(run_id, "aima.approve", answer)
        await lab.outcome(run_id)
    return run_id


async def cancel_with_undo(lab: Lab) -> str:
    """A cancel in the middle of a loop: undone, tidied, Canceled."""
    text = """
        name: cancel-with-undo
        steps:
          - id: each
            for_each: {in: [1, 2]}
            steps:
              - id: a
                type: lab.echo
                input: {name: "a${item}"}
                compensate: {type: lab.echo, input: {name: "undo ${item}"}}
              - {id: hang, depends_on: [a], type: lab.hang, input: {name: "h${item}"}}
        finally: [{id: tidy, type: lab.echo, input: {name: "${run.status}"}}]
    """
    async with lab.worker():
        run_id = await lab.start(text)
        await lab.board.until_seen("h1", "h2")
        await lab.runs.cancel(run_id)
        await lab.outcome(run_id)
    return run_id


async def segment(lab: Lab) -> str:
    """A part of a large loop, which is a child of its own."""
    run_id = await ran("segment", SEGMENTS, {}, lab)
    return f"{run_id}/each[1000..1099]"


async def retried(lab: Lab) -> str:
    """A run that goes on from what another one had finished."""
    text = """
        name: retried
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
          - id: b
            depends_on: [a]
            type: lab.fail
            retry: {max_attempts: 1}
            input: {name: b, times: 1}
    """
    async with lab.worker():
        first = await lab.start(text)
        await lab.outcome(first)
        run_id = await Again(lab.runs).retry(first, start="", config={})
        await lab.outcome(run_id)
    return run_id


async def held_key(lab: Lab) -> str:
    """A run that waits for another one with its concurrency key."""
    text = """
        name: held-key
        concurrency: {key: one}
        steps: [{id: a, type: lab.hang, input: {name: "${input.name}"}}]
    """
    async with lab.worker():
        await lab.start(text, {"name": "first"})
        await lab.board.until_seen("first")
        second = await lab.start(text, {"name": "second"})
        lab.board.gates["second"].set()
        lab.board.gates["first"].set()
        await lab.outcome(second)
    return second


async def follow(lab: Lab) -> str:
    """A step that reads along while another one writes."""
    listener, stage = listen(), Stage()
    async with httpx2.AsyncClient() as http, serving(Hub(), listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        around = replace(lab.around, streams=HubClient(url, "t", http))
        watched = replace(lab, around=around, more=stage.units())
        async with watched.worker():
            run_id = await watched.start(STORY)
            await watched.outcome(run_id)
    return run_id


async def cancelled_long_ago(lab: Lab) -> str:
    """A cancel whose cleaning up takes more than one history: this is the last of them."""
    text = """
        name: cancelled-long-ago
        steps:
          - id: a
            type: lab.echo
            input: {name: a}
            compensate: {type: lab.echo, input: {name: undo}}
          - id: busy
            depends_on: [a]
            steps: [{id: hang, type: lab.hang, input: {name: h}}]
            finally:
              - id: loop
                repeat: {until: "${steps.count.n >= 800}", max: 1000}
                steps:
                  - id: count
                    type: lab.echo
                    input: {n: "${has(steps.count) ? steps.count.n + 1 : 1}"}
    """
    async with lab.worker():
        run_id = await lab.start(text)
        await lab.board.until_seen("h")
        await lab.runs.cancel(run_id)
        await lab.outcome(run_id)
    return run_id


def scenarios() -> dict[str, Callable[[Lab], Awaitable[str]]]:
    """Give all scenarios of the language by name."""
    found: dict[str, Callable[[Lab], Awaitable[str]]] = {}
    for name, (text, given, _) in RUNS.items():
        found[f"construct-{name}"] = partial(ran, name, text, given)
    texts = {"nested": NESTED, "undone": UNDONE, "local": LOCAL, "deadlines": DEADLINES}
    texts |= {"segments": SEGMENTS, "continued-as-new": LONG}
    found |= {name: partial(ran, name, text, {}) for name, text in texts.items()}
    told = (
        *(signals_and_approvals, cancel_with_undo, cancelled_long_ago),
        *(segment, retried, held_key, follow),
    )
    return found | {record.__name__.replace("_", "-"): record for record in told}
