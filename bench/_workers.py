"""A Temporal server and two workers: one with the interpreter, one with workflows by hand."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from aima.catalog import Catalog, catalog_of
from aima.dsl.plan import Plan
from aima.errors import TemporalUnreachable
from aima.gateway.workflows.definitions import Definitions
from aima.settings import Settings
from aima.stack.ports import free_port
from aima.stores import artifacts_of, converter_of, logs_of
from aima.temporal.activity_context import Surroundings
from aima.temporal.as_activity import BEAT_SECONDS, as_activity
from aima.temporal.client import connect, wait_for_namespace
from aima.temporal.runs import RunRequest, Runs, new_run_id
from aima.temporal.server import server_command
from aima.temporal.worker import be_patient, make_worker
from bench import _shapes
from bench._shapes import HAND_WRITTEN, Json, Shape

HAND, AIMA = "hand", "aima"
PATIENCE = 600.0
_GIVEN: dict[str, Json] = {"text": "hello"}


def catalog() -> Catalog:
    """Give the units of the benchmark."""
    return catalog_of(_shapes.bench)


def compiled(name: str, text: str) -> Plan:
    """Compile a workflow, as `aima run` does."""
    definitions = Definitions(catalog())
    checked = definitions.check(f"name: {name}\n{text}", "bench.yaml")
    if not checked.ok:
        raise RuntimeError(str(checked.diagnostics))
    return definitions.plan(checked)


@dataclass(frozen=True)
class Machine:
    """What runs while something is measured."""

    client: Client
    server: psutil.Process
    workers: dict[str, psutil.Process]

    async def by_hand(self, shape: Shape) -> str:
        """Run the workflow written by hand to its end; give the run's id."""
        given = {**_GIVEN, "size": shape.size, "depth": shape.depth}
        run_id = new_run_id(shape.kind)
        handle = await self.client.start_workflow(
            shape.kind, given, id=run_id, task_queue=HAND, task_timeout=timedelta(seconds=10)
        )
        _expect(await asyncio.wait_for(handle.result(), PATIENCE), shape.output)
        return run_id

    async def by_aima(self, plan: Plan, output: Json) -> str:
        """Run a plan to its end; give the run's id."""
        runs = Runs(self.client, AIMA)
        run_id = await runs.start(plan, RunRequest(_GIVEN, id=new_run_id(plan.name)))
        _expect((await asyncio.wait_for(runs.outcome(run_id), PATIENCE)).output, output)
        return run_id


def _expect(output: Json, expected: Json) -> None:
    if output != expected:
        raise RuntimeError(f"{output!r} is not {expected!r}")


@asynccontextmanager
async def machine() -> AsyncIterator[Machine]:
    """Start a server and the two workers; end them afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        port, ui = (free_port(0, what="a server", setting="nothing") for _ in range(2))
        address = f"127.0.0.1:{port}"
        processes = [_start(server_command(data / "temporal.db", port=port, ui_port=ui))]
        try:
            client = await _client(Settings(data=data), address)
            processes += [
                _start([sys.executable, __file__, kind, address, folder]) for kind in (HAND, AIMA)
            ]
            server, *workers = (psutil.Process(process.pid) for process in processes)
            yield Machine(client, server, dict(zip((HAND, AIMA), workers, strict=True)))
        finally:
            for process in reversed(processes):
                process.kill()
                process.wait()


async def _client(settings: Settings, address: str) -> Client:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            client = await connect(settings.temporal, address, converter_of(settings))
        except TemporalUnreachable:  # it is starting
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)
        else:
            await wait_for_namespace(client, seconds=30)
            return client


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def _serve(kind: str, address: str, data: Path) -> None:
    """Be one of the two workers until killed."""
    settings = Settings.model_validate({"data": data, "temporal": {"task_queue": kind}})
    client = await connect(settings.temporal, address, converter_of(settings))
    nothing: Any = None  # stand-ins ask for no engine, effect record, event or cache
    log = logs_of(settings)
    around = Surroundings(
        engines=nothing,
        artifacts=artifacts_of(settings),
        vectors=nothing,
        files=nothing,
        frames=nothing,
        effects=nothing,
        log=log,
        events=nothing,
        cache=nothing,
    )
    if kind == AIMA:
        worker = make_worker(client, settings, catalog(), around)
    else:
        beat = timedelta(seconds=BEAT_SECONDS)
        worker = Worker(
            client,
            task_queue=kind,
            workflows=HAND_WRITTEN,
            activities=[as_activity(unit, around) for unit in catalog()],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=settings.worker.cached_runs,
            max_concurrent_workflow_tasks=settings.worker.workflows,
            max_concurrent_activities=settings.worker.activities,
            max_heartbeat_throttle_interval=beat,
            default_heartbeat_throttle_interval=beat,
        )
        be_patient(worker)
    await worker.run()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
