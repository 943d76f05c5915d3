"""The public fakes keep the promises of what they stand for."""

import gc
from collections.abc import AsyncIterator

import pytest

from aima.errors import InternalError, ModelNotFound, NotFound, RateLimited, TooLarge
from aima.ports.artifacts import Artifact, Artifacts
from aima.ports.engine import Engine
from aima.ports.inference import ChatRequest, Message
from aima.testing import FakeContext, MemoryArtifacts, ScriptedEngine, chat_reply, transcript
from aima.unit import Context

QUESTION = ChatRequest(messages=[Message(role="user", content="Why?")])


def test_a_fake_context_is_a_context() -> None:
    """The type checker holds it; this line is what it checks."""
    context: Context = FakeContext()
    engine: Engine = ScriptedEngine()
    artifacts: Artifacts = MemoryArtifacts()
    assert [type(fake).__name__ for fake in (context, engine, artifacts)] == [
        *("FakeContext", "ScriptedEngine", "MemoryArtifacts")
    ]


async def test_bytes_come_back_under_the_name_of_their_content() -> None:
    """From memory, as a stream, and as a file."""
    artifacts = MemoryArtifacts()

    async def parts() -> AsyncIterator[bytes]:
        yield b"he"
        yield b"llo"

    kept = await artifacts.put(parts(), media_type="text/plain")
    assert kept == await artifacts.put(b"hello", media_type="text/plain")
    assert kept.bytes == 5
    assert await artifacts.get(kept) == b"hello"
    assert [chunk async for chunk in artifacts.stream(kept)] == [b"hello"]
    assert (await artifacts.path(kept)).read_bytes() == b"hello"


async def test_files_vanish_with_the_store() -> None:
    """A test leaves nothing behind."""
    artifacts = MemoryArtifacts()
    file = await artifacts.path(await artifacts.put(b"x", media_type="a/b"))
    folder = file.parent
    del artifacts
    gc.collect()
    assert not folder.exists()


async def test_what_is_not_kept_is_not_found_and_what_is_too_much_refused() -> None:
    """As in the real store."""
    artifacts = MemoryArtifacts(max_bytes=3)
    with pytest.raises(TooLarge):
        await artifacts.put(b"four", media_type="a/b")
    absent = Artifact(artifact=f"sha256:{'0' * 64}", media_type="a/b", bytes=1)
    for ask in (artifacts.get, artifacts.path):
        with pytest.raises(NotFound):
            await ask(absent)


async def test_a_script_is_followed_in_order_and_ends() -> None:
    """An answer too few shows a call too many."""
    engine = ScriptedEngine(answers=[chat_reply("a"), RateLimited("busy"), transcript("x")])
    assert (await engine.chat(QUESTION, pieces=lambda _: None)).content == "a"
    with pytest.raises(RateLimited):
        await engine.chat(QUESTION, pieces=lambda _: None)
    with pytest.raises(InternalError, match="where ChatReply is asked for"):
        await engine.chat(QUESTION, pieces=lambda _: None)
    with pytest.raises(InternalError, match="no further answer"):
        await engine.chat(QUESTION, pieces=lambda _: None)
    assert len(engine.requests) == 4


async def test_names_are_found_by_the_rules_of_the_real_engines() -> None:
    """So that a unit's test sees `default` and wrong names as a run does."""
    ctx = FakeContext(engine=ScriptedEngine(answers=[chat_reply("a")]))
    await ctx.engines.chat(QUESTION, pieces=ctx.pieces)
    assert [request.model for request in ctx.engine.requests] == ["scripted-llm"]
    assert ctx.shown == ["a"]
    with pytest.raises(ModelNotFound):
        await ctx.engines.chat(QUESTION.model_copy(update={"model": "no"}), pieces=ctx.pieces)
