"""The units that look after engines, each asked of fakes of real products."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from activities.engine import (
    EngineRequest,
    EnginesRequest,
    GetRequest,
    LoadRequest,
    ModelOfEngine,
    SleepRequest,
    features,
    get,
    list_,
    load,
    sleep,
    unload,
    wake,
)
from aima.engines import engines_of
from aima.errors import NotFound, ValidationFailed
from aima.settings import Engine, Settings
from aima.testing import FakeContext
from aima.testing.engines import FakeEngine, fake

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[dict[str, FakeEngine]]:
    """Run an Ollama, a vLLM and ears."""
    async with fake("ollama") as ollama, fake("vllm") as vllm, fake("whispercpp") as ears:
        yield {"ollama": ollama, "vllm": vllm, "whispercpp": ears}


@pytest_asyncio.fixture(loop_scope="module")
async def ctx(running: dict[str, FakeEngine]) -> AsyncIterator[FakeContext]:
    """Give a context with those engines, and one that is gone."""
    for engine in running.values():
        engine.heal()
    told = {
        kind: Engine.model_validate({"kind": kind, "url": e.url}) for kind, e in running.items()
    }
    told["gone"] = Engine(kind="tei", url="http://127.0.0.1:9")
    context = FakeContext()
    async with httpx2.AsyncClient(timeout=5) as http:
        settings = Settings(engines=told, data=context.folder)
        context.__dict__["engines"] = engines_of(settings, http, context.artifacts)
        yield context


async def test_engines_are_listed_with_how_they_are(ctx: FakeContext) -> None:
    """One that is silent is stopped, with the reason, and hides nothing of the others."""
    told = (await list_(EnginesRequest(), ctx)).items
    assert [(card.name, card.status, card.version) for card in told] == [
        ("ollama", "running", "0.12.0"),
        ("vllm", "running", "0.16.0"),
        ("whispercpp", "running", None),
        ("gone", "stopped", None),
    ]
    assert "does not answer" in (told[-1].reason or "")
    stopped = await list_(EnginesRequest(status="stopped"), ctx)
    assert [card.name for card in stopped.items] == ["gone"]
    assert [card.name for card in (await list_(EnginesRequest(type="vllm"), ctx)).items] == ["vllm"]


async def test_an_engine_is_told_whole(ctx: FakeContext) -> None:
    """Its models with their memory, measured or estimated, and what it counts."""
    await load(LoadRequest(name="ollama", model="fake-embed"), ctx)
    report = await get(GetRequest(name="ollama"), ctx)
    assert report.capabilities[:3] == ["chat", "complete", "embed"]
    memory = {model.name: (model.loaded, model.memory_bytes) for model in report.models}
    assert memory["fake-embed"] == (True, 1000)
    assert memory["fake"] == (False, 1000 + 2 * 2 * 2 * 8 * 1024 * 2)
    assert (report.metrics, report.readiness) == (None, None)
    vllm = await get(GetRequest(name="vllm"), ctx)
    assert vllm.metrics is not None
    assert vllm.metrics.requests_running == 2
    gone = await get(GetRequest(name="gone", probe=True), ctx)
    assert (gone.status, gone.models, gone.readiness) == ("stopped", [], [])
    assert (gone.installed, gone.process_id, gone.max_concurrent) == (None, None, None)


async def test_a_probe_asks_each_model_for_the_least(
    ctx: FakeContext, running: dict[str, FakeEngine]
) -> None:
    """A list of models proves nothing."""
    for name in ("ollama", "vllm", "whispercpp"):
        report = await get(GetRequest(name=name, probe=True), ctx)
        assert report.readiness
        assert all(one.ready and one.seconds is not None for one in report.readiness)
    running["vllm"].faults.fail_every = 1
    [vllm] = (await get(GetRequest(name="vllm", probe=True), ctx)).readiness or []
    assert (vllm.ready, vllm.reason) == (False, "engine 'vllm': a fault that was asked for")


async def test_what_an_engine_can_do_is_told_without_asking_it(ctx: FakeContext) -> None:
    """Derived from what its class has, so it is also known of one that is gone."""
    ollama = await features(EngineRequest(name="ollama"), ctx)
    assert (ollama.supports_streaming, ollama.supports_batch) == (True, True)
    assert (ollama.max_concurrent, ollama.max_models) == (None, None)
    assert ollama.lifecycle[:3] == ["install", "start", "stop"]
    assert ollama.lifecycle[3:] == ["version", "load", "unload", "estimate_memory", "pull"]
    ears = await features(EngineRequest(name="whispercpp"), ctx)
    assert (ears.supports_streaming, ears.max_concurrent, ears.max_models) == (False, 1, 1)
    assert (await features(EngineRequest(name="gone"), ctx)).types == ["embedding", "rerank"]


async def test_models_come_and_go(ctx: FakeContext) -> None:
    """Fetched first, if that is wished."""

    async def loaded() -> list[str]:
        return [m.name for m in (await get(GetRequest(name="ollama"), ctx)).models if m.loaded]

    await load(LoadRequest(name="ollama", model="brandnew", pull=True), ctx)
    assert "brandnew" in await loaded()
    assert "pulling manifest" in ctx.progressed
    await unload(ModelOfEngine(name="ollama", model="brandnew"), ctx)
    assert "brandnew" not in await loaded()


async def test_an_engine_sleeps_and_wakes(ctx: FakeContext) -> None:
    """And is told as sleeping meanwhile."""
    await sleep(SleepRequest(name="vllm"), ctx)
    assert (await get(GetRequest(name="vllm"), ctx)).status == "sleeping"
    await wake(EngineRequest(name="vllm"), ctx)
    assert (await get(GetRequest(name="vllm"), ctx)).status == "running"


async def test_what_an_engine_cannot_do_is_told_with_what_it_can(ctx: FakeContext) -> None:
    """And which engines there are."""
    with pytest.raises(ValidationFailed, match="'ollama' cannot sleep; beside answering it can: i"):
        await sleep(SleepRequest(name="ollama"), ctx)
    with pytest.raises(ValidationFailed, match="'vllm' cannot unload"):
        await unload(ModelOfEngine(name="vllm", model="fake"), ctx)
    with pytest.raises(NotFound, match="there is no engine 'olama', there is 'ollama', 'vllm'"):
        await wake(EngineRequest(name="olama"), ctx)
