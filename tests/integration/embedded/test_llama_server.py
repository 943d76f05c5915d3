"""llama.cpp's own server: installed as a package, started, asked and stopped by AIMA."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import AsyncIterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from activities.engine import (
    InstallRequest,
    StartRequest,
    StopRequest,
    install,
    start,
    stop,
)
from aima.adapters.engines.kinds import engine_of
from aima.engines import engines_of
from aima.errors import AimaError, Unauthorized
from aima.ports.inference import ChatRequest, CompleteRequest, EmbedRequest, Message, ignored
from aima.routing.pool import Pool
from aima.settings import Engine, Settings
from aima.testing import FakeContext, MemoryArtifacts
from tests.unit.adapters.tiny_engine import free_port

AGE: dict[str, object] = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["age"],
    "additionalProperties": False,
}


def wheel_again(name: str, folder: Path) -> None:
    """Put an installed package back into a wheel, so that it is installed without a network."""
    installed = distribution(name)
    files = [f for f in installed.files or () if ".." not in f.parts and f.suffix != ".pyc"]
    info = f"{name}-{installed.version}.dist-info"
    made = folder / f"{name}-{installed.version}-py3-none-any.whl"
    listed = []
    with zipfile.ZipFile(made, "w") as archive:
        for file in files:
            data = Path(str(file.locate())).read_bytes()
            if file.name not in ("RECORD", "INSTALLER", "REQUESTED"):
                archive.writestr(str(file), data)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()
                listed.append(f"{file},sha256={digest.rstrip('=')},{len(data)}")
        archive.writestr(f"{info}/RECORD", "\n".join([*listed, f"{info}/RECORD,,", ""]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(models: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Have AIMA install and start llama.cpp's server, and stop it when it was asked enough."""
    wheels = tmp_path_factory.mktemp("wheels")
    wheel_again("xllamacpp", wheels)
    address = f"http://127.0.0.1:{free_port()}"
    small = ["--alias", "smol", "--ctx-size", "512", "--parallel", "1", "--threads", "1"]
    file = models / "smollm2-135m-instruct" / "model.gguf"
    told = {
        "kind": "llamacpp",
        "url": address,
        "api_key": "key",
        "run": {
            "way": "package",
            "version": distribution("xllamacpp").version,
            "model": str(file),
            "arguments": small,
        },
    }
    data = tmp_path_factory.mktemp("data")
    said = {"data": data, "engines": {"llama": told}, "models": {"mirror": wheels}}
    async with httpx2.AsyncClient(timeout=60) as http:
        ctx = FakeContext()
        ctx.__dict__["engines"] = engines_of(Settings.model_validate(said), http, ctx.artifacts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PIP_NO_INDEX", "1")
            installed = await install(InstallRequest(name="llama"), ctx)
        assert installed.version == distribution("xllamacpp").version
        started = await start(StartRequest(name="llama"), ctx)
        assert await start(StartRequest(name="llama"), ctx) == started
        report = await ctx.engines.pool.report("llama")
        assert report.max_concurrent == 1
        [card] = report.models
        keys_and_values = 30 * 3 * (64 + 64) * 512 * 2  # layers, heads, lengths, tokens, bytes
        weights = file.stat().st_size
        assert card.memory_bytes == weights + keys_and_values
        yield address
        await stop(StopRequest(name="llama"), ctx)
        cards = await ctx.engines.pool.cards()
        assert [card.status for card in cards] == ["stopped"]


async def asked(url: str, key: str = "key") -> tuple[Any, httpx2.AsyncClient]:
    """Make AIMA's client, as the settings would."""
    told = Engine.model_validate({"kind": "llamacpp", "url": url, "api_key": key})
    http = httpx2.AsyncClient(timeout=60)
    return engine_of("llama", told, http, MemoryArtifacts()), http


async def test_the_real_server_answers_as_its_fake_does(url: str) -> None:
    """Chats with a schema, continued texts, log probabilities, its name, its build, its counts."""
    llama, http = await asked(url)
    async with http:
        assert [card.name for card in await llama.models()] == ["smol"]
        shown: list[str | bytes] = []
        request = ChatRequest(
            model="smol",
            messages=[Message(role="user", content="How old is Bob? He is 30.")],
            json_schema=AGE,
            max_tokens=48,
            temperature=0,
            logprobs=1,
        )
        reply = await llama.chat(request, pieces=shown.append)
        assert isinstance(reply.data, dict)
        assert "".join(map(str, shown)) == reply.content
        assert reply.usage.completion_tokens > 0
        assert reply.logprobs
        once = CompleteRequest(model="smol", prompt="Once upon a", max_tokens=4, temperature=0)
        assert (await llama.complete(once, pieces=ignored)).usage.completion_tokens == 4
        report = await Pool([llama], {}).report("llama", prove=MemoryArtifacts())
    assert report.version
    assert [(one.model, one.ready) for one in report.readiness or ()] == [("smol", True)]
    assert report.metrics is not None
    assert (report.metrics.requests_running, report.metrics.requests_waiting) == (0, 0)
    assert report.metrics.generation_tokens
    assert report.metrics.generation_tokens > 4


async def test_the_real_servers_refusals_are_typed(url: str) -> None:
    """A wrong key, and vectors of a server that was not started for them."""
    llama, http = await asked(url, "wrong")
    async with http:
        with pytest.raises(Unauthorized, match="engine 'llama'"):
            await llama.chat(
                ChatRequest(model="smol", messages=[Message(role="user", content="x")]),
                pieces=ignored,
            )
    llama, http = await asked(url)
    async with http:
        with pytest.raises(AimaError, match="embedding"):
            await llama.embed(EmbedRequest(model="smol", input="x"))
