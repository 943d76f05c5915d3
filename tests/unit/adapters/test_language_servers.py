"""SGLang, Transformers, TGI, llama.cpp, and servers that only rerank."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from aima.adapters.engines.kinds import KINDS
from aima.errors import ExecutionFailed, ModelNotFound
from aima.ports.engine_lifecycle import EngineMetrics
from aima.ports.inference import ChatRequest, DescribeRequest, Message, RerankRequest, ignored
from aima.settings import EngineKind
from aima.testing.engines import DIALECTS
from tests.unit.adapters.engine_server import EngineServer
from tests.unit.adapters.faked import Faked

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK = ChatRequest(model="fake", messages=[Message(role="user", content="Why?")])
QUERY = RerankRequest(model="fake", query="red apple", documents=["a pear", "a red apple", "red"])


def engine(faked: Faked, kind: EngineKind, **told: object) -> Any:  # noqa: ANN401 - any of them
    """Give AIMA's client of a fake."""
    return faked.engine(kind, **told)


@pytest.mark.parametrize("kind", ["sglang", "transformers", "tgi", "llamacpp"])
async def test_each_chats(faked: Faked, kind: EngineKind) -> None:
    """By the protocol they share, whether or not they mark the end."""
    reply = await engine(faked, kind).chat(TALK, pieces=ignored)
    assert (reply.content, reply.usage.completion_tokens) == ("w0 w1 w2 w3 w4", 5)


SEES: list[EngineKind] = [
    "openai",
    "vllm",
    "sglang",
    "ollama",
    "llamacpp",
    "tgi",
    "transformers",
    "hf_endpoint",
]


@pytest.mark.parametrize("kind", SEES)
async def test_each_describes_pictures(faked: Faked, kind: EngineKind) -> None:
    """By a chat about the picture, shown as it comes."""
    image = await faked.artifacts.put(b"png", media_type="image/png")
    shown: list[str | bytes] = []
    request = DescribeRequest(model="fake", image=image, max_tokens=2)
    reply = await engine(faked, kind).describe(request, pieces=shown.append)
    assert (reply.description, reply.kind, reply.model) == ("w0 w1", "vlm", "fake")
    assert "".join(map(str, shown)) == "w0 w1"


async def test_what_is_asked_about_a_picture_goes_with_it(
    faked: Faked, server: EngineServer
) -> None:
    """The request's own question, or that it be described."""
    openai = engine(faked, "openai")
    object.__setattr__(openai, "url", server.url)
    server.answer("chat/completions", {"error": {"message": "blind"}}, status=500)
    image = await faked.artifacts.put(b"png", media_type="image/png")
    request = DescribeRequest(model="fake", image=image, prompt="How many cats?")
    with pytest.raises(ExecutionFailed, match="blind"):
        await openai.describe(request, pieces=ignored)
    picture, question = server.body["messages"][0]["content"]
    assert picture == {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}}
    assert question == {"type": "text", "text": "How many cats?"}


@pytest.mark.parametrize("kind", ["sglang", "llamacpp", "rerank"])
async def test_each_reranks(faked: Faked, kind: EngineKind) -> None:
    """SGLang's bare list is out of order, and told in order."""
    reply = await engine(faked, kind).rerank(QUERY)
    assert [(ranked.index, ranked.score) for ranked in reply.results] == [
        (1, 1.0),
        (2, 0.5),
        (0, 0),
    ]


@pytest.mark.parametrize(
    ("kind", "told", "types"),
    [
        ("sglang", {}, {"llm"}),
        ("sglang", {"type": "vlm"}, {"vlm"}),
        ("tgi", {}, {"llm"}),
        ("rerank", {}, {"rerank"}),
        ("transformers", {}, {None}),
        ("llamacpp", {"type": "embedding"}, {"embedding"}),
    ],
)
async def test_the_type_is_what_the_user_or_the_server_says(
    faked: Faked, kind: EngineKind, told: dict[str, object], types: set[str | None]
) -> None:
    """So that nothing is asked of a model that it cannot do."""
    assert {card.type for card in await engine(faked, kind, **told).models()} == types


@pytest.mark.parametrize(
    ("kind", "version"), [("sglang", "0.5.12"), ("tgi", "3.3.5"), ("llamacpp", "b7000-fake")]
)
async def test_versions_are_told(faked: Faked, kind: EngineKind, version: str) -> None:
    """As the products write them."""
    assert await engine(faked, kind).version() == version


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        (
            "sglang",
            {
                "requests_running": 3,
                "requests_waiting": 0,
                "kv_cache_usage_ratio": 0.5,
                "generation_tokens": 7,
            },
        ),
        ("tgi", {"requests_running": 2, "requests_waiting": 4, "requests_succeeded": 9}),
        (
            "llamacpp",
            {
                "requests_running": 1,
                "requests_waiting": 2,
                "prompt_tokens": 30,
                "generation_tokens": 40,
            },
        ),
    ],
)
async def test_metrics_have_one_vocabulary(
    faked: Faked, kind: EngineKind, counted: dict[str, float]
) -> None:
    """Whatever the product calls them."""
    assert await engine(faked, kind).metrics() == EngineMetrics.model_validate(counted)


async def test_sglang_gives_its_memory_back(faked: Faked) -> None:
    """Of its caches, and of its weights where they need not stay."""
    sglang = engine(faked, "sglang")

    async def held() -> list[str]:
        answer = await faked.http.get(faked.running["sglang"].url + "/server_info")
        parts: list[str] = answer.json()["held"]
        return parts

    await sglang.sleep()
    assert await held() == ["weights"]
    await sglang.sleep(keep_weights=False)
    assert await held() == []
    await sglang.wake()
    assert await held() == ["kv_cache", "weights"]
    assert await sglang.is_sleeping() is None


async def test_transformers_tells_how_far_a_model_is(faked: Faked) -> None:
    """Step by step, until it is there or cannot be."""
    transformers, told = engine(faked, "transformers"), list[str]()
    await transformers.load("org/m", progress=told.append)
    assert told == ["loading: config", "loading: weights, 50 %"]
    faked.running["transformers"].faults.memory_short = True
    with pytest.raises(ExecutionFailed, match="cannot load 'org/m': CUDA out of memory"):
        await transformers.load("org/m", progress=ignored)


async def test_a_router_of_llama_cpp_moves_models(faked: Faked) -> None:
    """In and out; one that is not there is told."""
    llama = engine(faked, "llamacpp")

    async def status() -> str:
        answer = await faked.http.get(faked.running["llamacpp"].url + "/models")
        value: str = answer.json()["data"][0]["status"]["value"]
        return value

    await llama.load("fake", progress=ignored)
    assert await status() == "loaded"
    await llama.unload("fake")
    assert await status() == "unloaded"
    with pytest.raises(ModelNotFound, match="model 'other' not found"):
        await llama.load("other", progress=ignored)


async def test_every_kind_is_called_what_its_class_says() -> None:
    """And has a fake to be tested against."""
    assert {kind: cls.PRODUCT.kind for kind, cls in KINDS.items()} == {kind: kind for kind in KINDS}
    assert set(KINDS) == set(DIALECTS) == set(get_args(EngineKind))
