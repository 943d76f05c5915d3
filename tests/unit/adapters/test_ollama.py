"""Ollama by its own protocol."""

from __future__ import annotations

import pytest

from aima.adapters.engines.ollama import OllamaEngine
from aima.errors import InsufficientResources, ModelNotFound, UnsupportedMedia, ValidationFailed
from aima.ports.engine import Loads
from aima.ports.inference import (
    AudioPart,
    ChatRequest,
    EmbedRequest,
    ImagePart,
    Message,
    Tool,
    ToolCall,
    ignored,
)
from aima.settings import Engine
from tests.unit.adapters.engine_server import EngineServer
from tests.unit.adapters.faked import Faked

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOOL = Tool(name="count", parameters={"type": "object"})


@pytest.fixture
def ollama(faked: Faked) -> OllamaEngine:
    """Give an Ollama with nothing in memory."""
    engine = faked.engine("ollama")
    assert isinstance(engine, OllamaEngine)
    return engine


def question(**more: object) -> ChatRequest:
    """Ask something."""
    said = [{"role": "user", "content": "Why?"}]
    return ChatRequest.model_validate({"model": "fake", "messages": said, **more})


async def test_an_answer_is_put_together_from_its_lines(ollama: OllamaEngine) -> None:
    """With what it cost, and how long the model took to come."""
    shown: list[str | bytes] = []
    reply = await ollama.chat(question(max_tokens=3), pieces=shown.append)
    assert (reply.content, reply.finish_reason, reply.model) == ("w0 w1 w2", "stop", "fake")
    assert shown == ["w0", " w1", " w2"]
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (1, 3)
    assert reply.timings is not None
    assert (reply.timings.total_ms, reply.timings.load_ms) == (12, 2)


async def test_a_tool_is_called(ollama: OllamaEngine) -> None:
    """Here a call comes whole and often without an id; ours has one."""
    reply = await ollama.chat(question(tools=[TOOL], tool_choice="auto"), pieces=ignored)
    assert reply.tool_calls == [ToolCall(id="call_0", name="count", arguments={"n": 1})]
    assert reply.finish_reason == "tool_calls"
    without = await ollama.chat(question(tools=[TOOL], tool_choice="none"), pieces=ignored)
    assert without.tool_calls is None


@pytest.mark.parametrize("choice", ["required", "count"])
async def test_a_tool_cannot_be_forced(ollama: OllamaEngine, choice: str) -> None:
    """Silently not doing it would look like a model that does not obey."""
    with pytest.raises(ValidationFailed, match="Ollama cannot be made to use"):
        await ollama.chat(question(tools=[TOOL], tool_choice=choice), pieces=ignored)


async def test_models_are_told_with_what_they_are_and_whether_they_are_in(
    ollama: OllamaEngine,
) -> None:
    """So that the router loads those that are not."""
    assert isinstance(ollama, Loads)
    await ollama.load("fake", progress=ignored)
    loaded = {(m.name, m.type, m.loaded, m.memory_bytes) for m in await ollama.models()}
    assert loaded == {("fake", "llm", True, 1000), ("fake-embed", "embedding", False, None)}
    await ollama.unload("fake")
    await ollama.load("fake-embed:latest", progress=ignored)
    assert [m.name for m in await ollama.models() if m.loaded] == ["fake-embed"]
    await ollama.unload("fake-embed")
    await ollama.unload("fake-embed")


async def test_no_room_is_told_as_such(ollama: OllamaEngine, faked: Faked) -> None:
    """The router then asks another instance."""
    faked.running["ollama"].faults.memory_short = True
    with pytest.raises(InsufficientResources, match=r"requires more system memory \(9.9 GiB\)"):
        await ollama.load("fake", progress=ignored)


async def test_what_is_not_there_is_not_found(ollama: OllamaEngine) -> None:
    """Whatever it is asked for."""
    for asking in (
        ollama.chat(question(model="other"), pieces=ignored),
        ollama.load("other", progress=ignored),
        ollama.estimate_memory("other"),
        ollama.pull("missing", progress=ignored),
    ):
        with pytest.raises(ModelNotFound, match="engine 'there'"):
            await asking


async def test_a_model_is_pulled(ollama: OllamaEngine) -> None:
    """Told on the way, and there afterwards."""
    told: list[str] = []
    await ollama.pull("new", progress=told.append)
    assert told[0] == "pulling manifest"
    assert "pulling 000000000000: 0 of 0 MB" in told
    assert "new" in [model.name for model in await ollama.models()]


async def test_memory_is_weights_and_context(faked: Faked) -> None:
    """Two layers, keys and values of two heads of eight numbers of two bytes, each token."""
    engine = faked.engine("ollama", context_tokens=100)
    assert isinstance(engine, OllamaEngine)
    assert await engine.estimate_memory("fake") == 1000 + 2 * 2 * 2 * 8 * 100 * 2


async def test_vectors_come_in_the_order_of_the_texts(ollama: OllamaEngine) -> None:
    """Equal texts have equal ones."""
    told = await ollama.embed(EmbedRequest(model="fake-embed", input=["a", "b", "a"]))
    assert told.embeddings[0] == told.embeddings[2] == told.embedding
    assert told.embeddings[0] != told.embeddings[1]
    assert told.usage.prompt_tokens == 3


async def test_a_chat_is_written_as_ollama_wants_it(server: EngineServer, faked: Faked) -> None:
    """Pictures beside the words, a tool's turn by its name, the context's length as told."""
    server.answer("api/chat", b'{"message": {"content": "x"}, "done": true}\n')
    picture = await faked.artifacts.put(b"png", media_type="image/png")
    sound = await faked.artifacts.put(b"wav", media_type="audio/wav")
    url = f"{server.url}/v1"  # the test's server has no doors outside of /v1
    engine = OllamaEngine("there", url, faked.http, faked.artifacts, context_tokens=9)
    call = ToolCall(id="a", name="count", arguments={"n": 2})
    request = question(seed=7, stop=["."], temperature=0.0)
    request.messages = [
        Message(role="user", content=[ImagePart(image=picture)]),
        Message(role="assistant", tool_calls=[call]),
        Message(role="tool", tool_call_id="a", content="2"),
    ]
    await engine.chat(request, pieces=ignored)
    assert server.body == {
        "model": "fake",
        "messages": [
            {"role": "user", "content": "", "images": ["cG5n"]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "count", "arguments": {"n": 2}}}],
            },
            {"role": "tool", "content": "2", "tool_name": "count"},
        ],
        "options": {"num_ctx": 9, "temperature": 0.0, "seed": 7, "stop": ["."]},
        "stream": True,
    }
    request.messages = [Message(role="user", content=[AudioPart(audio=sound)])]
    with pytest.raises(UnsupportedMedia, match="hears nothing"):
        await engine.chat(request, pieces=ignored)


async def test_its_version_is_told(ollama: OllamaEngine) -> None:
    """As the product writes it."""
    assert await ollama.version() == "0.12.0"


async def test_a_setting_without_a_meaning_is_refused(faked: Faked) -> None:
    """Who sets a context's length for TEI believes something that is not so."""
    with pytest.raises(ValidationFailed, match="context_tokens means nothing to an engine of"):
        faked.engine("tei", context_tokens=9)
    assert Engine(url="x").kind == "openai"
