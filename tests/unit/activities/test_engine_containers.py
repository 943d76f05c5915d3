"""Engines that AIMA runs as containers, against a fake of Docker whose containers answer."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from activities.engine import (
    GetRequest,
    InstallRequest,
    StartConfig,
    StartRequest,
    StopRequest,
    get,
    install,
    restart,
    start,
    stop,
)
from aima.engines import engines_of
from aima.errors import (
    AimaError,
    Conflict,
    EngineNotRunning,
    ExecutionFailed,
    InsufficientResources,
    NotFound,
    ValidationFailed,
)
from aima.settings import Settings
from aima.testing import FakeContext
from aima.testing.docker import FakeContainer, FakeDocker, fake_docker
from tests.unit.adapters.tiny_engine import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

VLLM = "vllm/vllm-openai:0.16.0"
START = StartRequest(name="vllm")
REGISTRY = {VLLM: "vllm", "here/llama:b1": "llamacpp", "bad/engine:1": ""}


@pytest_asyncio.fixture(loop_scope="module")
async def docker(tmp_path: Path) -> AsyncIterator[FakeDocker]:
    """Run a fake Docker with nothing in it."""
    async with fake_docker(tmp_path / "docker.sock", REGISTRY) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client."""
    async with httpx2.AsyncClient(timeout=10) as client:
        yield client


@pytest.fixture
def port() -> int:
    """Give a port for the engine."""
    return free_port()


class Workers:
    """Workers of one data folder, that come and go."""

    def __init__(self, data: Path, docker: FakeDocker, http: httpx2.AsyncClient, port: int) -> None:
        """Let them share a data folder, a Docker and a port."""
        self._said = {"data": data, "containers": {"address": docker.address}}
        self._http = http
        self._port = port

    def one(self, key: str = "run/1/step", kind: str = "vllm", **run: Any) -> FakeContext:  # noqa: ANN401 - any setting
        """Give what a unit gets in a worker that has just come up."""
        usual = {"version": "0.16.0", "model": "fake", "stop_seconds": 1}
        told = {"way": "container", **usual, **run}
        url = f"http://127.0.0.1:{self._port}"
        engine = {"kind": kind, "url": url, "api_key": "s3cret-key", "run": told}
        ctx = FakeContext(effect_key=key)
        settings = Settings.model_validate({**self._said, "engines": {"vllm": engine}})
        ctx.__dict__["engines"] = engines_of(settings, self._http, ctx.artifacts)
        return ctx


@pytest.fixture
def workers(tmp_path: Path, docker: FakeDocker, http: httpx2.AsyncClient, port: int) -> Workers:
    """Give workers of a fresh data folder."""
    return Workers(tmp_path, docker, http, port)


def the_one(docker: FakeDocker) -> FakeContainer:
    """Give the only container."""
    [container] = docker.containers.values()
    return container


async def test_a_container_is_started_once_and_found_by_whoever_comes_next(
    workers: Workers, docker: FakeDocker
) -> None:
    """Its image is pulled, it answers, and it outlives its worker."""
    ctx = workers.one()
    started = await start(START, ctx)
    assert the_one(docker).id.startswith(started.process_id)
    assert any("pulling: Downloading" in told for told in ctx.progressed)
    other = workers.one("run/2/step")
    assert await start(START, other) == started
    report = await get(GetRequest(name="vllm"), other)
    assert (report.status, report.process_id) == ("running", started.process_id)
    assert (report.installed, docker.pulls) == (VLLM, 1)
    await stop(StopRequest(name="vllm", timeout=1), other)
    assert docker.containers == {}
    assert (await stop(StopRequest(name="vllm"), other)).success


async def test_a_container_is_open_to_this_machine_alone_and_its_command_tells_no_secret(
    workers: Workers, docker: FakeDocker, port: int
) -> None:
    """Commands can be read by everybody here; a published port by everybody out there."""
    told: dict[str, Any] = {
        "gpus": True,
        "volumes": {"/srv/models": "/models"},
        "arguments": ["--max-model-len", "2048"],
        "environment": {"HF_TOKEN": "hf-secret"},
    }
    await start(START, workers.one(**told))
    made = the_one(docker).made
    assert made["Cmd"][:2] == ["--model", "fake"]
    assert made["Cmd"][-4:] == ["--port", "8000", "--max-model-len", "2048"]
    assert sorted(made["Env"]) == ["HF_TOKEN=hf-secret", "VLLM_API_KEY=s3cret-key"]
    host = made["HostConfig"]
    assert host["PortBindings"] == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["DeviceRequests"][0]["Capabilities"] == [["gpu"]]
    folder, cache = host["Mounts"]
    assert (folder["Source"], folder["Target"], folder["ReadOnly"]) == (
        "/srv/models",
        "/models",
        True,
    )
    assert cache["Type"] == "volume"
    assert cache["Target"].endswith(".cache/huggingface")
    assert "secret" not in str(made["Labels"])


async def test_two_workers_that_start_it_at_once_start_one(
    workers: Workers, docker: FakeDocker
) -> None:
    """The name is the lock."""
    await install(InstallRequest(name="vllm"), workers.one())
    told = await asyncio.gather(*(start(START, workers.one(f"run/{n}/step")) for n in range(3)))
    assert len({one.process_id for one in told}) == 1
    assert len(docker.containers) == 1


async def test_a_container_that_ends_is_told_with_its_last_words(
    workers: Workers, docker: FakeDocker
) -> None:
    """What it wrote is behind frames of eight bytes; nothing of it stays."""
    ctx = workers.one(image="bad/engine:1")
    with pytest.raises(ExecutionFailed, match=r"'vllm' ended .*started with .* no room for the"):
        await start(START, ctx)
    assert docker.containers == {}


async def test_a_cancelled_start_leaves_no_container(workers: Workers, docker: FakeDocker) -> None:
    """Nor does it take one that another step has started."""
    docker.faults.hang = True
    first = asyncio.ensure_future(start(START, workers.one("run/1/step")))
    await _until_running(docker)
    second = asyncio.ensure_future(start(START, workers.one("run/2/step")))
    await asyncio.wait([second], timeout=0.2)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert the_one(docker).running
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert docker.containers == {}


async def test_a_restart_takes_what_the_settings_say_now(
    workers: Workers, docker: FakeDocker
) -> None:
    """And a second attempt of it goes on with what the first has begun."""
    first = await start(START, workers.one())
    other = StartRequest(name="vllm", config=StartConfig(model="other"))
    with pytest.raises(Conflict, match="runs with other settings or another model"):
        await start(other, workers.one("run/2/step"))
    second = await restart(other, workers.one("run/3/step"))
    assert second.process_id != first.process_id
    assert await restart(other, workers.one("run/3/step")) == second
    assert the_one(docker).made["Cmd"][:2] == ["--model", "other"]


@pytest.mark.parametrize(
    ("told", "error", "problem"),
    [
        ({"version": ""}, ValidationFailed, "an image needs a version"),
        ({"image": "vllm/vllm-openai"}, ValidationFailed, "needs a tag or digest"),
        ({"image": "host:5000/vllm"}, ValidationFailed, "needs a tag or digest"),
        ({"image": "--privileged:1"}, ValidationFailed, "needs a tag or digest"),
        ({"kind": "llamacpp"}, ValidationFailed, "is in GitHub's registry; say"),
        ({"version": "0.0.1"}, NotFound, "manifest for vllm/vllm-openai:0.0.1 not found"),
    ],
)
async def test_an_image_is_named_by_who_runs_the_machine(
    workers: Workers, told: dict[str, Any], error: type[AimaError], problem: str
) -> None:
    """Whole and with its version, or nothing is pulled."""
    with pytest.raises(error, match=problem):
        await install(InstallRequest(name="vllm"), workers.one(**told))


async def test_what_docker_cannot_do_is_told(
    tmp_path: Path, workers: Workers, docker: FakeDocker
) -> None:
    """A full disk, an image that nobody pulled, and no Docker at all."""
    docker.full = True
    with pytest.raises(InsufficientResources, match="disk of the containers is full"):
        await install(InstallRequest(name="vllm"), workers.one())
    with pytest.raises(Conflict, match=r"set to version '0.16.0', not '0.17'"):
        await install(InstallRequest(name="vllm", version="0.17"), workers.one())
    docker.address = f"unix://{tmp_path / 'nobody.sock'}"
    nobody = Workers(tmp_path, docker, workers._http, 1)
    with pytest.raises(EngineNotRunning, match="start Docker or Podman"):
        await start(START, nobody.one())
    assert (await get(GetRequest(name="vllm"), nobody.one())).status == "stopped"


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs the program `docker`")
async def test_dockers_own_client_can_talk_to_the_fake(docker: FakeDocker, port: int) -> None:
    """If the official client cannot, the fake is wrong."""

    async def told(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *("docker", "-H", docker.address, *arguments), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, arguments
        return said.decode()

    assert "Downloaded newer image" in await told("pull", VLLM)
    published = f"127.0.0.1:{port}:8000"
    id_ = (await told("run", "-d", "--name", "one", "-p", published, VLLM, "--model", "x")).strip()
    assert docker.containers["one"].id == id_
    assert id_[:12] in await told("ps")
    assert "started with ['--model', 'x']" in await told("logs", "one")
    assert (await told("inspect", "-f", "{{.State.Running}}", "one")).strip() == "true"
    await told("stop", "one")
    await told("rm", "one")
    assert docker.containers == {}


async def _until_running(docker: FakeDocker) -> None:
    while not any(c.running for c in docker.containers.values()):  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.01)
