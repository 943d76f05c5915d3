"""Films take as long as they take: what becomes of the engine's job when its asker goes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from aima.artifacts import FolderArtifacts
from aima.catalog import discover
from aima.engines import engines_of
from aima.runlog import RunLogs
from aima.settings import Engine, Settings
from aima.testing.engines import FakeEngine, Faults, fake
from tests.integration.lab import MOST_BYTES, PATIENCE, Lab, lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILMING = """
name: filming
steps:
  - id: film
    type: inference.generate_video
    timeout: 4s
    input: {model: fake, prompt: the sun}
"""
"""The short timeout tells of a worker's death sooner than its missing heartbeats would."""


@pytest.fixture
def films(local: Client, tmp_path: Path) -> Iterator[Lab]:
    """Give a lab that knows the unit and whose worker does not run."""
    unit = discover(None).units["inference.generate_video"]
    with lab_on(local, tmp_path, more=(unit,)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def engine() -> AsyncIterator[FakeEngine]:
    """Give an engine whose films are never done, until it is healed."""
    async with fake("video", Faults(load_delay=1)) as made:
        yield made


@asynccontextmanager
async def worker_process(
    lab: Lab, engine: FakeEngine, queue: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `aima worker` for a queue of its own while the block lasts."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AIMA_")}
    told = {
        "AIMA_DATA": str(lab.settings.data),
        "AIMA_TEMPORAL_ADDRESS": lab.client.service_client.config.target_host,
        "AIMA_TEMPORAL_TASK_QUEUE": queue,
        "AIMA_EMBEDDED_ENABLED": "false",
        "AIMA_ENGINES": f'{{there = {{kind = "video", url = "{engine.url}"}}}}',
    }
    command = (sys.executable, "-m", "aima", "worker")
    process = await asyncio.create_subprocess_exec(
        *command, env=clean | told, cwd=lab.settings.data, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def worker_inside(lab: Lab, engine: FakeEngine) -> AsyncIterator[None]:
    """Run a worker in this process while the block lasts."""
    artifacts = FolderArtifacts(lab.settings.data / "artifacts", max_bytes=MOST_BYTES)
    settings = Settings(
        data=lab.settings.data, engines={"there": Engine(kind="video", url=engine.url)}
    )
    async with httpx2.AsyncClient() as http:
        engines = engines_of(settings, http, artifacts)
        async with replace(lab, around=replace(lab.around, engines=engines)).worker():
            yield


async def until_filming(lab: Lab, run_id: str) -> None:
    """Wait until the server has a heartbeat that tells of the film."""
    async with asyncio.timeout(PATIENCE):
        while "of the film" not in await said(lab, run_id):  # noqa: ASYNC110 - it rings no bell
            await asyncio.sleep(0.02)


async def said(lab: Lab, run_id: str) -> str:
    """Give what the steps told last."""
    return "".join(step.message for step in await lab.runs.steps(run_id))


async def jobs(engine: FakeEngine) -> list[str]:
    """List the jobs that the engine knows."""
    async with httpx2.AsyncClient() as http:
        told = (await http.get(f"{engine.url}/v1/videos")).json()
    return [job["id"] for job in told["data"]]


async def test_a_film_outlives_a_killed_worker(films: Lab, engine: FakeEngine) -> None:
    """The next worker waits for the same job: an hour of a GPU is not spent twice."""
    queue = f"{films.settings.temporal.task_queue}-films"
    async with films.worker():  # runs the workflow, so that one worker alone has to be replaced
        async with worker_process(films, engine, queue) as first:
            run_id = await films.start(f"{FILMING}    queue: {queue}\n")
            await until_filming(films, run_id)
            first.kill()
        engine.faults.load_delay = 0
        async with worker_process(films, engine, queue):
            outcome = await films.outcome(run_id)
    assert outcome.state == "completed", outcome
    assert attempts(films, run_id)[:2] == [1, 2]
    assert engine.faults.asked == 1


async def test_a_film_outlives_a_worker_that_is_stopped(films: Lab, engine: FakeEngine) -> None:
    """A deployment cancels the attempt and not the film."""
    async with worker_inside(films, engine):
        run_id = await films.start(FILMING)
        await until_filming(films, run_id)
    assert await jobs(engine) == ["video-0"]
    engine.faults.load_delay = 0
    async with worker_inside(films, engine):
        outcome = await films.outcome(run_id)
    assert outcome.state == "completed", outcome
    assert engine.faults.asked == 1


async def test_a_cancelled_film_stops_at_the_engine(films: Lab, engine: FakeEngine) -> None:
    """Nobody waits for it any more, and others want the GPU."""
    async with worker_inside(films, engine):
        run_id = await films.start(FILMING)
        await until_filming(films, run_id)
        await films.runs.cancel(run_id)
        assert (await films.outcome(run_id)).state == "canceled"
    assert await jobs(engine) == []


async def test_a_film_whose_last_attempt_ends_stops_at_the_engine(
    films: Lab, engine: FakeEngine
) -> None:
    """The step's time is over, so that nobody would fetch it."""
    once = FILMING.replace("timeout: 4s", "timeout: 1s\n    retry: {max_attempts: 1}")
    async with worker_inside(films, engine):
        outcome = await films.run(once)
        assert outcome.error is not None
        assert outcome.error["code"] == "TIMEOUT"
        async with asyncio.timeout(PATIENCE):
            while await jobs(engine):  # noqa: ASYNC110 - nor does the engine
                await asyncio.sleep(0.02)
    assert engine.faults.asked == 1


def attempts(lab: Lab, run_id: str) -> list[int]:
    """List the attempts that were begun."""
    log = RunLogs(lab.settings.data / "logs" / "runs").file(run_id).read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    return [line["attempt"] for line in lines if line.get("state") == "started"]
