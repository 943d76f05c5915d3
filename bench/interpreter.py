"""The interpreter against hand-written Temporal workflows of the same activities.

Two worker processes, one with the interpreter and one with workflows written by hand, serve two
queues of one server. Batches alternate between them, so that both see the same machine. What is
compared is the CPU time of the worker for each run, and the time a client waits.

    python bench/interpreter.py [pairs]
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.workflow import ActivityCancellationType

from aima.catalog import Catalog, catalog_of
from aima.dsl.plan import Plan
from aima.gateway.definitions import Definitions
from aima.settings import Settings
from aima.stack.ports import free_port
from aima.stores import artifacts_of, converter_of, logs_of
from aima.temporal.activity_context import Surroundings
from aima.temporal.as_activity import BEAT_SECONDS, as_activity
from aima.temporal.client import connect, wait_for_namespace
from aima.temporal.runs import RunRequest, Runs, new_run_id
from aima.temporal.server import server_command
from aima.temporal.worker import make_worker
from aima.unit import Context, Domain
from bench._ratios import Ratio, ratio_of_means, spread

PAIRS = 40
RUNS_IN_BATCH = 5
WIDTH = 100


class Anything(BaseModel):
    """Whatever a stand-in is given, it gives back."""

    model_config = ConfigDict(extra="allow")

    text: str = ""


inference = Domain("inference")


@inference.query()
async def transcribe(request: Anything, ctx: Context) -> Anything:
    """Stand in for a transcription, at once."""
    del ctx
    return request


@inference.query()
async def chat(request: Anything, ctx: Context) -> Anything:
    """Stand in for an answer, at once."""
    del ctx
    return request


@inference.query()
async def synthesize(request: Anything, ctx: Context) -> Anything:
    """Stand in for speech, at once."""
    del ctx
    return request


THREE = ("transcribe", "chat", "synthesize")

ASSISTANT = """
name: voice-assistant
steps:
  - {id: transcribe, type: inference.transcribe, input: {text: "${input.text}"}}
  - {id: chat, type: inference.chat, input: {text: "${steps.transcribe.text}"}}
  - {id: synthesize, type: inference.synthesize, input: {text: "${steps.chat.text}"}}
output: {text: "${steps.synthesize.text}"}
"""


def chain_of(length: int) -> str:
    """Write a workflow in which each step reads the one before."""
    lines = [f"name: chain-{length}", "steps:"]
    for n in range(length):
        text = "${input.text}" if n == 0 else f"${{steps.s{n - 1}.text}}"
        lines.append(f'  - {{id: s{n}, type: inference.chat, input: {{text: "{text}"}}}}')
    return "\n".join([*lines, f'output: {{text: "${{steps.s{length - 1}.text}}"}}'])


def fan_of(width: int) -> str:
    """Write a workflow whose steps all run at once."""
    lines = [f"name: fan-{width}", "steps:"]
    lines += [
        f'  - {{id: s{n}, type: inference.chat, input: {{text: "${{input.text}}"}}}}'
        for n in range(width)
    ]
    return "\n".join([*lines, f'output: {{text: "${{steps.s{width - 1}.text}}"}}'])


async def step(unit: str, step_id: str, text: str) -> str:
    """Run an activity as somebody would write it by hand, with the same promises."""
    info = workflow.info()
    output: dict[str, str] = await workflow.execute_activity(
        f"inference.{unit}",
        args=[{"text": text}, {"effect": f"{info.workflow_id}/{info.run_id}/{step_id}"}],
        activity_id=step_id,
        summary=step_id,
        start_to_close_timeout=timedelta(minutes=1),
        schedule_to_close_timeout=timedelta(days=1),
        heartbeat_timeout=timedelta(seconds=10),
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    return output["text"]


@workflow.defn(name="voice-assistant")
class HandWrittenAssistant:
    """Three steps in a row."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, str]:
        """Run them."""
        text = given["input"]["text"]
        for unit in THREE:
            text = await step(unit, unit, text)
        return {"text": text}


@workflow.defn(name=f"chain-{WIDTH}")
class HandWrittenChain:
    """Many steps in a row."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, str]:
        """Run them."""
        text = given["input"]["text"]
        for n in range(WIDTH):
            text = await step("chat", f"s{n}", text)
        return {"text": text}


@workflow.defn(name=f"fan-{WIDTH}")
class HandWrittenFan:
    """Many steps at once."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, str]:
        """Run them."""
        text = given["input"]["text"]
        texts = await asyncio.gather(*(step("chat", f"s{n}", text) for n in range(WIDTH)))
        return {"text": texts[-1]}


@dataclass
class Samples:
    """What was measured of one kind of worker."""

    cpu_ms: list[float] = field(default_factory=list)
    wait_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """A server with two workers."""

    client: Client
    workers: dict[str, psutil.Process]

    async def compare(self, plan: Plan, *, pairs: int, runs: int) -> dict[str, Samples]:
        """Run batches in turn and measure each."""
        measured = {"hand": Samples(), "interpreter": Samples()}
        for name in measured:
            await self._batch(name, plan, runs=3)  # warm
        for pair in range(pairs):
            order = ("hand", "interpreter") if pair % 2 else ("interpreter", "hand")
            for name in order:
                cpu, waits = await self._batch(name, plan, runs=runs)
                measured[name].cpu_ms.append(cpu / runs)
                measured[name].wait_ms += waits
        return measured

    async def _batch(self, name: str, plan: Plan, *, runs: int) -> tuple[float, list[float]]:
        started = _cpu_ms(self.workers[name])
        waits = []
        for _ in range(runs):
            begun = time.perf_counter()
            await self._run(name, plan)
            waits.append((time.perf_counter() - begun) * 1000)
        return _cpu_ms(self.workers[name]) - started, waits

    async def _run(self, name: str, plan: Plan) -> None:
        """Start a run the way its author would and wait for it."""
        run_id = new_run_id(plan.name)
        if name == "hand":
            given = {"input": {"text": "hello"}}
            result = self.client.execute_workflow(plan.name, given, id=run_id, task_queue=name)
            output: Any = await asyncio.wait_for(result, timeout=60)
        else:
            runs = Runs(self.client, name)
            await runs.start(plan, RunRequest({"text": "hello"}, id=run_id))
            output = (await asyncio.wait_for(runs.outcome(run_id), timeout=60)).output
        if output != {"text": "hello"}:
            raise RuntimeError(f"{name}: {output}")


def report(title: str, measured: dict[str, Samples]) -> Ratio:
    """Print one comparison."""
    hand, ours = measured["hand"], measured["interpreter"]
    cpu = ratio_of_means(hand.cpu_ms, ours.cpu_ms)
    wait = ratio_of_means(hand.wait_ms, ours.wait_ms)
    print(f"{title}, n = {len(hand.cpu_ms)} pairs")
    print(f"  worker CPU ms/run  hand {spread(hand.cpu_ms)}  interpreter {spread(ours.cpu_ms)}")
    print(f"  CPU ratio          {cpu}")
    print(f"  latency ms         hand {spread(hand.wait_ms)}  interpreter {spread(ours.wait_ms)}")
    print(f"  latency ratio      {wait}")
    return cpu


def _cpu_ms(process: psutil.Process) -> float:
    used = process.cpu_times()
    return (used.user + used.system) * 1000


def _catalog() -> Catalog:
    return catalog_of(inference)


def _surroundings(settings: Settings) -> Surroundings:
    nothing: Any = None  # stand-ins ask for no engine, effect record, event or cache
    log = logs_of(settings)
    return Surroundings(nothing, artifacts_of(settings), nothing, log, nothing, nothing)


async def serve(kind: str, address: str, data: Path) -> None:
    """Be one of the two workers until killed."""
    settings = Settings.model_validate({"data": data, "temporal": {"task_queue": kind}})
    client = await connect(settings.temporal, address, converter_of(settings))
    around = _surroundings(settings)
    if kind == "interpreter":
        worker = make_worker(client, settings, _catalog(), around)
    else:
        beat = timedelta(seconds=BEAT_SECONDS)
        worker = Worker(
            client,
            task_queue=kind,
            workflows=[HandWrittenAssistant, HandWrittenChain, HandWrittenFan],
            activities=[as_activity(unit, around) for unit in _catalog()],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_concurrent_workflow_tasks=settings.worker.workflows,
            max_concurrent_activities=settings.worker.activities,
            max_heartbeat_throttle_interval=beat,
            default_heartbeat_throttle_interval=beat,
        )
    await worker.run()


async def measure(pairs: int) -> None:
    """Start everything, compare three shapes, print."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        port, ui = (free_port(0, what="a server", setting="nothing") for _ in range(2))
        address = f"127.0.0.1:{port}"
        settings = Settings(data=data)
        processes = [_start(server_command(data / "temporal.db", port=port, ui_port=ui))]
        try:
            client = await _client(settings, address)
            workers = {}
            for kind in ("hand", "interpreter"):
                command = [sys.executable, __file__, "--serve", kind, address, folder]
                processes.append(_start(command))
                workers[kind] = psutil.Process(processes[-1].pid)
            bench = Bench(client, workers)
            compile_ = _compiler()
            shapes = ((ASSISTANT, RUNS_IN_BATCH), (chain_of(WIDTH), 1), (fan_of(WIDTH), 1))
            for text, runs in shapes:
                plan = compile_(text)
                report(plan.name, await bench.compare(plan, pairs=pairs, runs=runs))
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait()


def _compiler() -> Callable[[str], Plan]:
    definitions = Definitions(_catalog())

    def compile_(text: str) -> Plan:
        checked = definitions.check(text, "bench.yaml")
        if not checked.ok:
            raise RuntimeError(str(checked.diagnostics))
        return definitions.plan(checked)

    return compile_


async def _client(settings: Settings, address: str) -> Client:
    while True:
        try:
            client = await connect(settings.temporal, address, converter_of(settings))
        except Exception:  # noqa: BLE001 - the server is starting
            await asyncio.sleep(0.1)
        else:
            await wait_for_namespace(client, seconds=30)
            return client


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(sys.argv[2], sys.argv[3], Path(sys.argv[4])))
    else:
        asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS))
