"""Record the histories that every later version of the interpreter must be able to replay.

    python tests/replay/record.py [NAME ...]

Each scenario is one construct or one way to end. Record a scenario once, when it is new; a
history that no longer replays shows a change that would break the runs in flight, and recording
it again hides that.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment

from activities.template import template
from aima.shipped import shipped
from aima.temporal.server import server_command
from tests.integration.lab import SERVER, Lab, lab_on
from tests.integration.stand_ins import stand_ins
from tests.replay import constructs

HISTORIES = Path(__file__).parent / "histories"
PACKED_BYTES = 100_000
"""A larger history is kept packed."""
INLINE_BYTES = 1_900_000
"""Everything stays in the history: a replay has no artifact store."""

Scenario = Callable[[Lab], Awaitable[str]]
SCENARIOS: dict[str, Scenario] = dict(constructs.scenarios())


def scenario(record: Scenario) -> Scenario:
    """Name a scenario by its function; the docstring tells what it holds."""
    SCENARIOS[record.__name__.replace("_", "-")] = record
    return record


async def ran(lab: Lab, text: str, given: dict[str, Any] | None = None) -> str:
    """Run a workflow to its end and give the run's id."""
    async with lab.worker():
        run_id = await lab.start(text, given)
        await lab.outcome(run_id)
    return run_id


@scenario
async def chain(lab: Lab) -> str:
    """Steps that read each other, an output, config and input."""
    return await ran(
        lab,
        """
        name: chain
        config: {greeting: hello}
        steps:
          - {id: a, type: lab.echo, input: {text: "${config.greeting} ${input.who}"}}
          - {id: b, type: lab.echo, input: {text: "${steps.a.text}!"}}
          - {id: c, type: lab.echo, input: {text: "${steps.b.text}"}, depends_on: [a]}
        output: {text: "${steps.c.text}"}
        """,
        {"who": "world"},
    )


@scenario
async def parallel(lab: Lab) -> str:
    """A diamond whose sides run at once."""
    return await ran(
        lab,
        """
        name: parallel
        steps:
          - {id: top, type: lab.echo, input: {name: top}}
          - {id: left, type: lab.meet, input: {name: left, parties: 2, after: "${steps.top}"}}
          - {id: right, type: lab.meet, input: {name: right, parties: 2, after: "${steps.top}"}}
          - {id: join, type: lab.echo, input: {of: ["${steps.left}", "${steps.right}"]}}
        """,
    )


@scenario
async def retry(lab: Lab) -> str:
    """Two failed attempts and a good one."""
    return await ran(
        lab,
        """
        name: retry
        steps:
          - {id: a, type: lab.fail, retry: {max_attempts: 4}, input: {name: a, times: 2}}
        """,
    )


@scenario
async def retry_exhausted(lab: Lab) -> str:
    """As many attempts as allowed, all failed."""
    return await ran(
        lab,
        """
        name: retry-exhausted
        steps:
          - {id: a, type: lab.fail, input: {name: a}}
        """,
    )


@scenario
async def timeout(lab: Lab) -> str:
    """Attempts over their time."""
    return await ran(
        lab,
        """
        name: timeout
        config: {time: 500ms}
        steps:
          - id: a
            type: lab.hang
            timeout: ${config.time}
            retry: {max_attempts: 2}
            input: {name: a}
        """,
    )


@scenario
async def deadline(lab: Lab) -> str:
    """A step over its time."""
    return await ran(
        lab,
        """
        name: deadline
        steps:
          - {id: a, type: lab.hang, deadline: 600ms, input: {name: a}}
        """,
    )


@scenario
async def heartbeat(lab: Lab) -> str:
    """A unit without progress."""
    return await ran(
        lab,
        """
        name: heartbeat
        steps:
          - id: a
            type: lab.hang
            heartbeat: 500ms
            retry: {max_attempts: 1}
            input: {name: a}
        """,
    )


@scenario
async def on_failure_continue(lab: Lab) -> str:
    """A failure that a later step reads."""
    return await ran(
        lab,
        """
        name: on-failure-continue
        steps:
          - {id: bad, type: lab.fail, input: {name: bad, code: CONFLICT}, on_failure: continue}
          - {id: after, type: lab.echo, input: {code: "${steps.bad.error.code}"}}
        """,
    )


@scenario
async def abort_with_siblings(lab: Lab) -> str:
    """A failure that cancels what runs beside it."""
    return await ran(
        lab,
        """
        name: abort-with-siblings
        steps:
          - {id: long, type: lab.hang, input: {name: long}}
          - {id: other, type: lab.slow_to_stop, input: {name: other}}
          - {id: first, type: lab.echo, input: {name: first}}
          - {id: bad, type: lab.fail, input: {name: bad, code: CONFLICT}, depends_on: [first]}
        """,
    )


@scenario
async def cancel(lab: Lab) -> str:
    """Two running steps, one of which will not hear."""
    async with lab.worker():
        run_id = await lab.start("""
            name: cancel
            steps:
              - {id: a, type: lab.hang, input: {name: a}}
              - {id: b, type: lab.stubborn, input: {name: b}, on_failure: continue}
              - {id: c, type: lab.echo, input: {name: c}, depends_on: [a, b]}
        """)
        await lab.board.until_seen("a", "b")
        await lab.runs.cancel(run_id)
        await lab.outcome(run_id)
    return run_id


@scenario
async def cancel_before_start(lab: Lab) -> str:
    """Cancelled in the queue."""
    run_id = await lab.start("""
        name: cancel-before-start
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
    """)
    await lab.runs.cancel(run_id)
    async with lab.worker():
        await lab.outcome(run_id)
    return run_id


@scenario
async def cancel_between_attempts(lab: Lab) -> str:
    """Cancelled while nothing runs."""
    async with lab.worker():
        run_id = await lab.start("""
            name: cancel-between-attempts
            steps:
              - {id: a, type: lab.fail, retry: {delay: 1h}, input: {name: a}}
        """)
        await lab.board.until_seen("a")
        await lab.runs.cancel(run_id)
        await lab.outcome(run_id)
    return run_id


@scenario
async def fan_out(lab: Lab) -> str:
    """More steps at once than may be in flight."""
    steps = [{"id": f"s{n}", "type": "lab.echo", "input": {"n": n}} for n in range(520)]
    return await ran(lab, json.dumps({"name": "fan-out", "steps": steps, "output": "done"}))


@scenario
async def large_inputs(lab: Lab) -> str:
    """More bytes at once than one workflow task may carry."""
    steps = [
        {"id": f"s{n}", "type": "lab.sized", "input": {"text": "${input.text}"}} for n in range(60)
    ]
    text = json.dumps({"name": "large-inputs", "steps": steps, "output": "done"})
    return await ran(lab, text, {"text": "x" * 60_000})


@scenario
async def expression_failure(lab: Lab) -> str:
    """A step whose input cannot be computed, beside one that runs."""
    return await ran(
        lab,
        """
        name: expression-failure
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
          - {id: b, type: lab.echo, input: {n: "${steps.a.missing}"}}
        """,
    )


@scenario
async def output_failure(lab: Lab) -> str:
    """An output that cannot be computed."""
    return await ran(
        lab,
        """
        name: output-failure
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
        output: ${steps.a.missing}
        """,
    )


@scenario
async def unknown_unit(lab: Lab) -> str:
    """A unit that the worker does not have."""
    run_id = await lab.start("""
        name: unknown-unit
        steps:
          - {id: a, type: lab.echo, input: {name: a}}
    """)
    async with lab.worker([unit for unit in lab.catalog if unit.name != "lab.echo"]):
        await lab.outcome(run_id)
    return run_id


@scenario
async def refused_plan(lab: Lab) -> str:
    """Arguments that are no run of AIMA."""
    queue = lab.settings.temporal.task_queue
    async with lab.worker():
        await lab.client.start_workflow("refused", args=[{}, {}], id="refused", task_queue=queue)
        await lab.outcome("refused")
    return "refused"


@scenario
async def voice_assistant(lab: Lab) -> str:
    """The shipped workflow, with units that answer at once."""
    file = shipped("workflows") / "voice-assistant.yaml"
    audio = await lab.around.artifacts.put(b"a question", media_type="audio/wav")
    return await ran(lab, file.read_text("utf-8"), {"audio": audio.model_dump()})


@scenario
async def worker_restarted(lab: Lab) -> str:
    """A run that one worker begins and another ends."""
    async with lab.worker():
        run_id = await lab.start("""
            name: worker-restarted
            steps:
              - {id: first, type: lab.echo, input: {name: first}}
              - {id: second, type: lab.hang, input: {name: second, after: "${steps.first}"}}
              - {id: third, type: lab.echo, input: {name: third, after: "${steps.second}"}}
        """)
        await lab.board.until_seen("second")
    lab.board.gates["second"].set()
    async with lab.worker():
        await lab.outcome(run_id)
    return run_id


def readable(history: str) -> str:
    """Take from a history what tells of this machine: stack traces; the rest names none."""

    def without_traces(value: object) -> object:
        if isinstance(value, dict):
            return {k: without_traces(v) for k, v in value.items() if k != "stackTrace"}
        return [without_traces(v) for v in value] if isinstance(value, list) else value

    return json.dumps(without_traces(json.loads(history)), indent=1) + "\n"


def write(name: str, history: str) -> Path:
    """Keep a history, packed when it is large."""
    for suffix in (".json", ".json.gz"):
        with suppress(FileNotFoundError):
            (HISTORIES / (name + suffix)).unlink()
    text = readable(history).encode()
    packed = len(text) > PACKED_BYTES
    file = HISTORIES / (name + (".json.gz" if packed else ".json"))
    file.write_bytes(gzip.compress(text, mtime=0) if packed else text)
    return file


def read(file: Path) -> str:
    """Read a kept history."""
    data = file.read_bytes()
    return (gzip.decompress(data) if file.suffix == ".gz" else data).decode()


async def main(names: list[str]) -> None:
    """Record the scenarios named, or all."""
    command = server_command(Path("unused"), port=0, ui_port=0)
    settings = command[command.index("--dynamic-config-value") :]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=SERVER, dev_server_extra_args=settings, identity="recorder"
    ) as server:
        units = (*stand_ins(), *template.units.values())
        for name in names or SCENARIOS:
            with (
                tempfile.TemporaryDirectory() as folder,
                lab_on(server.client, Path(folder), more=units, inline_bytes=INLINE_BYTES) as lab,
            ):
                run_id = await SCENARIOS[name](lab)
                history = (await lab.history(run_id)).to_json()
            print(write(name, history))  # noqa: T201 - a script


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
