"""The adapter of llama.cpp's server, against that server itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from aima.adapters.engines.kinds import engine_of
from aima.errors import AimaError, Unauthorized
from aima.ports.inference import ChatRequest, CompleteRequest, EmbedRequest, Message, ignored
from aima.routing.pool import Pool
from aima.settings import Engine
from aima.testing import MemoryArtifacts

AGE: dict[str, object] = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["age"],
    "additionalProperties": False,
}
SERVE = """
import sys
from xllamacpp import CommonParams, Server
params = CommonParams()
params.model.path = sys.argv[1]
params.model_alias = {"smol"}
params.n_ctx = 512
params.n_parallel = 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.verbosity = -1
params.hostnames = ["127.0.0.1"]
params.api_keys = ["key"]
params.endpoint_metrics = True
params.cache_ram_mib = 0
server = Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def url(models: Path) -> Iterator[str]:
    """Run llama.cpp's server in a process of its own: it can only be stopped with that."""
    model = models / "smollm2-135m-instruct" / "model.gguf"
    command = [sys.executable, "-c", SERVE, str(model)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


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
