"""Engines that AIMA starts on this machine, each of them a real process."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import psutil
import pytest
import pytest_asyncio

from activities.engine import (
    EngineRequest,
    GetRequest,
    InstallRequest,
    StartConfig,
    StartRequest,
    StopRequest,
    features,
    get,
    install,
    restart,
    start,
    stop,
)
from aima.engine_events import EngineError, EngineStarted, EngineStartProgress, EngineStopped
from aima.errors import Conflict, ExecutionFailed, NotFound, TimedOut, ValidationFailed
from aima.testing import FakeContext
from tests.unit.activities.machine import Machine
from tests.unit.adapters.tiny_engine import program

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = EngineRequest(name="tiny")
START = StartRequest(name="tiny")


async def until(holds: Callable[[], object]) -> None:
    """Look until something holds; the test's own timeout ends a wait in vain."""
    while not holds():  # noqa: ASYNC110 - processes set no event
        await asyncio.sleep(0.01)


@pytest_asyncio.fixture(loop_scope="module")
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    """Give a machine on which nothing runs, and leave none on which something does."""
    async with httpx2.AsyncClient(timeout=30) as http:
        machine = Machine(tmp_path, http, program(tmp_path))
        yield machine
        for process in machine.living():
            process.kill()


async def test_an_engine_is_started_once_and_found_by_whoever_comes_next(machine: Machine) -> None:
    """It outlives its worker, and a second start or stop changes nothing."""
    ctx = machine.worker()
    started = await start(START, ctx)
    assert [p.pid for p in machine.living()] == [int(started.process_id)]
    assert [event.phase for event in ctx.emitted if isinstance(event, EngineStartProgress)] == [
        "pulling",
        "starting",
        "loading",
        "ready",
    ]
    assert ctx.emitted[-1] == EngineStarted(name="tiny", process_id=started.process_id)
    other = machine.worker("run/2/step")
    assert await start(START, other) == started
    report = await get(GetRequest(name="tiny"), other)
    assert (report.status, report.process_id) == ("running", started.process_id)
    assert report.models[0].name == "tiny"
    assert (await stop(StopRequest(name="tiny"), other)).success
    assert machine.living() == []
    assert other.emitted[-1] == EngineStopped(name="tiny")
    told = len(other.emitted)
    assert (await stop(StopRequest(name="tiny"), other)).success
    assert len(other.emitted) == told, "what did not run was not stopped"


async def test_two_workers_that_start_it_at_once_start_one(machine: Machine) -> None:
    """Each effect happens once, whoever is first."""
    ctxs = [machine.worker(f"run/{number}/step") for number in range(3)]
    told = await asyncio.gather(*(start(START, ctx) for ctx in ctxs))
    assert len({one.process_id for one in told}) == 1
    assert len(machine.living()) == 1


WORKER = """
import asyncio, pathlib, sys, httpx2
from activities.engine import StartRequest, start
from tests.unit.activities.machine import Machine

async def main():
    data, program, port, wait = sys.argv[1:]
    async with httpx2.AsyncClient() as http:
        machine = Machine(pathlib.Path(data), http, pathlib.Path(program), int(port))
        await start(StartRequest(name="tiny"), machine.worker(environment={"TINY_WAITS": wait}))

asyncio.run(main())
"""


async def test_a_worker_killed_while_it_starts_an_engine_finds_it_again(machine: Machine) -> None:
    """The next attempt of the step neither starts a second one nor loads the model anew."""
    loaded = machine.data / "loaded"
    told = [str(machine.data), str(machine.program), str(machine.port), str(loaded)]
    record = machine.data / "engines" / "tiny" / "process.json"
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, *told)
    await until(record.exists)
    worker.kill()
    await worker.wait()
    [process] = machine.living()
    ctx = machine.worker(environment={"TINY_WAITS": str(loaded)})
    report = await get(GetRequest(name="tiny"), ctx)
    assert (report.status, report.process_id) == ("starting", str(process.pid))
    loaded.touch()
    assert (await start(START, ctx)).process_id == str(process.pid)
    assert len(machine.living()) == 1


async def test_an_engine_that_ends_is_told_with_its_last_words(machine: Machine) -> None:
    """Without its secrets: what is told goes into the history of the run."""
    secret = {"TINY_DIES": "1", "TINY_TELLS": "1", "TINY_KEY": "s3cret-key"}
    ctx = machine.worker(environment=secret)
    with pytest.raises(ExecutionFailed, match=r"'tiny' ended .* no room for the model") as failed:
        await start(START, ctx)
    assert "key *** ours None" in failed.value.message
    assert "s3cret" in machine.log
    assert isinstance(ctx.emitted[-1], EngineError)
    assert (await get(GetRequest(name="tiny"), ctx)).status == "stopped"


async def test_an_engine_that_never_answers_is_given_up_and_ended(machine: Machine) -> None:
    """A model half loaded would hold the memory that the next attempt needs."""
    ctx = machine.worker(environment={"TINY_SILENT": "1"}, start_seconds=0.3)
    with pytest.raises(TimedOut, match=r"does not answer after 0.3 s: .*; it wrote: "):
        await start(START, ctx)
    assert machine.living() == []


async def test_a_cancelled_start_leaves_nothing_half_started(machine: Machine) -> None:
    """At whatever moment the cancel comes."""
    ctx = machine.worker(environment={"TINY_SILENT": "1"})
    starting = asyncio.ensure_future(start(START, ctx))
    await until(lambda: "starting" in ctx.progressed)  # its program is being launched
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert machine.living() == []


async def test_a_cancelled_start_leaves_what_another_step_has_started(machine: Machine) -> None:
    """A step that only waits for an engine has no right to end it."""
    silent = {"TINY_SILENT": "1"}
    first = asyncio.ensure_future(start(START, machine.worker("run/1/step", environment=silent)))
    await until(machine.living)
    second = machine.worker("run/2/step", environment=silent)
    joining = asyncio.ensure_future(start(START, second))
    await until(lambda: any("loading for" in told for told in second.progressed))
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
    assert len(machine.living()) == 1
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_engine_that_does_not_want_to_end_is_killed_with_its_children(
    machine: Machine,
) -> None:
    """A process left behind keeps the port, and the memory of the GPU."""
    ctx = machine.worker(environment={"TINY_STUBBORN": "1"})
    await start(START, ctx)
    assert len(machine.living()) == 2
    await stop(StopRequest(name="tiny", timeout=0.2), ctx)
    assert machine.living() == []


async def test_what_an_engine_that_died_left_behind_is_ended_before_the_next_start(
    machine: Machine,
) -> None:
    """Its children would still have the port."""
    ctx = machine.worker(environment={"TINY_STUBBORN": "1"})
    died = int((await start(START, ctx)).process_id)
    os.kill(died, 9)
    await until(lambda: died not in [p.pid for p in machine.living()])
    [child] = machine.living()
    await start(START, ctx)
    assert not {died, child.pid} & {p.pid for p in machine.living()}
    await stop(StopRequest(name="tiny", force=True), ctx)


async def test_another_program_at_its_port_is_left_alone(machine: Machine) -> None:
    """It would be taken for the engine, and ended in its place."""
    ctx = machine.worker()
    with socket.create_server(("127.0.0.1", machine.port)):
        with pytest.raises(Conflict, match="another program listens at port"):
            await start(START, ctx)
        with pytest.raises(Conflict, match="has not started what listens at port"):
            await stop(StopRequest(name="tiny"), ctx)
    assert machine.living() == []


async def test_a_record_of_a_process_whose_number_another_has_now_is_not_believed(
    machine: Machine,
) -> None:
    """After a restart of the machine any number may be anybody's."""
    folder = machine.data / "engines" / "tiny"
    folder.mkdir(parents=True)
    record = {"pid": os.getpid(), "started": 1.0, "by": "", "model": "", "digest": ""}
    (folder / "process.json").write_text(json.dumps(record))
    ctx = machine.worker()
    assert (await get(GetRequest(name="tiny"), ctx)).process_id is None
    await stop(StopRequest(name="tiny", force=True), ctx)
    assert psutil.Process().is_running(), "and this process was not killed for it"
    (folder / "process.json").write_text("half of a rec")
    assert (await start(START, ctx)).process_id
    await stop(StopRequest(name="tiny"), ctx)


async def test_another_model_is_a_conflict_until_the_engine_is_restarted(machine: Machine) -> None:
    """One step's engine is not ended under it by another's start; a restart says that it may be."""
    first = await start(START, machine.worker())
    other = StartRequest(name="tiny", config=StartConfig(model="other"))
    with pytest.raises(Conflict, match=r"runs with other settings or another model"):
        await start(other, machine.worker("run/2/step"))
    second = await restart(other, machine.worker("run/3/step"))
    assert second.process_id != first.process_id
    ctx = machine.worker("run/3/step")
    assert await restart(other, ctx) == second, "a second attempt goes on with what the first began"
    assert (await get(GetRequest(name="tiny"), ctx)).models[0].name == "other"
    await stop(StopRequest(name="tiny"), ctx)


async def test_nothing_of_a_command_is_read_by_a_shell_or_as_an_option(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model's name comes from a workflow; secrets are neither in commands nor given away."""
    monkeypatch.setenv("AIMA_SECRET", "of-the-stack")
    hostile = "x; touch /tmp/owned $(id) {port} 'y"
    ctx = machine.worker(environment={"TINY_TELLS": "1"})
    told = await start(StartRequest(name="tiny", config=StartConfig(model=hostile)), ctx)
    command = psutil.Process(int(told.process_id)).cmdline()
    assert command[-1] == hostile
    assert not [part for part in command if "s3cret" in part]
    assert "ours None" in machine.log
    await stop(StopRequest(name="tiny"), ctx)
    for model in ("--trust-remote-code", "two\nlines"):
        with pytest.raises(ValidationFailed, match="is no name of a model"):
            await start(StartRequest(name="tiny", config=StartConfig(model=model)), ctx)


async def test_what_cannot_be_started_says_why(machine: Machine) -> None:
    """The way out is a setting, a program, or another unit."""
    with pytest.raises(NotFound, match=r"no-such-engine: No such file .*; install it"):
        await start(START, machine.worker(command=["no-such-engine", "{model}"]))
    with pytest.raises(ValidationFailed, match=r"started without a model; engine.load brings"):
        await start(START, machine.worker(command=[sys.executable]))
    ctx = machine.worker(model="")
    with pytest.raises(ValidationFailed, match=r"say \[engines.tiny.run\] model = …"):
        await start(START, ctx)
    with pytest.raises(ValidationFailed, match="'tiny' cannot be installed by AIMA"):
        await install(InstallRequest(name="tiny"), ctx)
    assert (await features(NAME, ctx)).lifecycle == ["start", "stop"]
    with pytest.raises(ValidationFailed, match="'scripted' cannot be started from here"):
        await start(StartRequest(name="scripted"), FakeContext())
