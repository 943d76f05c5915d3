"""vLLM and text-embeddings-inference by what they have beside OpenAI's API."""

from __future__ import annotations

import pytest

from aima.adapters.engines.huggingface import TeiEngine
from aima.adapters.engines.vllm import VllmEngine
from aima.errors import ExecutionFailed, ValidationFailed
from aima.ports.engine_lifecycle import Bounded, EngineMetrics
from aima.ports.inference import EmbedRequest, RerankRequest
from aima.routing.pool import Pool
from aima.settings import EngineKind
from tests.unit.adapters.engine_server import EngineServer
from tests.unit.adapters.faked import Faked

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERY = RerankRequest(
    model="fake", query="red apple", documents=["a pear", {"text": "a red apple", "id": 7}, "red"]
)


def vllm(faked: Faked, **told: object) -> VllmEngine:
    """Give a vLLM."""
    engine = faked.engine("vllm", **told)
    assert isinstance(engine, VllmEngine)
    return engine


def tei(faked: Faked) -> TeiEngine:
    """Give a text-embeddings-inference."""
    engine = faked.engine("tei")
    assert isinstance(engine, TeiEngine)
    return engine


async def test_vllm_sleeps_and_wakes(faked: Faked) -> None:
    """Its memory is somebody else's meanwhile."""
    engine = vllm(faked)
    assert not await engine.is_sleeping()
    await engine.sleep()
    assert await engine.is_sleeping()
    await engine.wake()
    assert not await engine.is_sleeping()


async def test_vllm_counts_in_our_words(faked: Faked) -> None:
    """Gauges as they are, counters added up over its processes, the rest left open."""
    assert await vllm(faked).metrics() == EngineMetrics(
        requests_running=2, requests_waiting=1, kv_cache_usage_ratio=0.25, generation_tokens=150
    )


async def test_what_vllm_serves_is_what_its_user_says(faked: Faked) -> None:
    """Its list of models tells names only."""
    engine = vllm(faked, type="embedding")
    assert [(m.name, m.type) for m in await engine.models()] == [("fake", "embedding")]
    assert [m.type for m in await vllm(faked).models()] == [None]
    assert await engine.version() == "0.16.0"


@pytest.mark.parametrize("kind", ["vllm", "tei"])
async def test_documents_come_back_as_they_were_given_the_best_first(
    faked: Faked, kind: str
) -> None:
    """Both shapes of the protocol, one reply."""
    engine = vllm(faked) if kind == "vllm" else tei(faked)
    reply = await engine.rerank(QUERY)
    assert [ranked.index for ranked in reply.results] == [1, 2, 0]
    assert reply.results[0].document == {"text": "a red apple", "id": 7}
    assert [r.score for r in reply.results] == [1.0, 0.5, 0.0]
    best = await engine.rerank(QUERY.model_copy(update={"top_n": 1}))
    assert [ranked.index for ranked in best.results] == [1]
    with pytest.raises(ValidationFailed, match=r"`documents\[0\]` has no `text`"):
        await engine.rerank(RerankRequest(query="x", documents=[{}]))


async def test_tei_is_given_no_more_at_once_than_it_takes(faked: Faked) -> None:
    """More would be refused; the places stay those of the whole list."""
    engine = tei(faked)
    texts = [f"pear {n}" for n in range(40)]
    texts[35] = "apple"
    before = faked.running["tei"].faults.asked
    told = await engine.embed(EmbedRequest(model="fake", input=texts))
    assert len(told.embeddings) == 40
    assert told.embeddings[0] != told.embeddings[35]
    reply = await engine.rerank(RerankRequest(query="apple", documents=list(texts), top_n=1))
    assert reply.results[0].index == 35
    assert faked.running["tei"].faults.asked - before == 4


async def test_tei_tells_its_model(faked: Faked) -> None:
    """Name, type and version come from one door."""
    engine = tei(faked)
    assert [(m.name, m.type, m.loaded) for m in await engine.models()] == [("fake", "rerank", True)]
    assert await engine.version() == "1.9.3"


@pytest.mark.parametrize("wrong", [[], [{"index": 5, "score": 1}], {"results": []}])
async def test_an_order_of_other_documents_is_none(
    faked: Faked, server: EngineServer, wrong: object
) -> None:
    """A place that nobody sent, or too few vectors: something is very wrong there."""
    info = {"model_id": "m", "model_type": {"embedding": {}}, "max_client_batch_size": 9}
    server.answer("info", info)
    server.answer("embed", [])
    server.answer("rerank", wrong)
    engine = TeiEngine("there", f"{server.url}/v1", faked.http, faked.artifacts)
    with pytest.raises(ExecutionFailed, match="'there' gave 0 vectors for 1 texts"):
        await engine.embed(EmbedRequest(model="m", input="x"))
    if wrong:
        with pytest.raises(ExecutionFailed, match="'there'"):
            await engine.rerank(QUERY)


@pytest.mark.parametrize(
    ("kind", "most"), [("tei", 512), ("tgi", 128), ("sglang", 48), ("llamacpp", 1)]
)
async def test_an_engine_tells_how_much_it_works_at_at_once(
    faked: Faked, kind: EngineKind, most: int
) -> None:
    """What is more than that waits, and a plan for a machine must know."""
    engine = faked.engine(kind)
    assert isinstance(engine, Bounded)
    assert await engine.capacity() == most
    assert (await Pool([engine], {}).report("there")).max_concurrent == most
