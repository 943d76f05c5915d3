"""Many items in one step."""

from __future__ import annotations

import pytest

from activities.inference import batch, batch_describe
from aima.errors import EngineNotRunning, UnsupportedMedia
from aima.ports.artifacts import Artifact
from aima.ports.inference import (
    BatchDescribeRequest,
    BatchRequest,
    ChatRequest,
    DescribeReply,
    Frame,
)
from aima.testing import FakeContext, ScriptedEngine, chat_reply


def context(*answers: object) -> FakeContext:
    """Make a context whose engine gives these answers."""
    return FakeContext(engine=ScriptedEngine(answers=list(answers)))  # type: ignore[arg-type]


def seen(description: str) -> DescribeReply:
    """Make a description."""
    return DescribeReply(description=description, kind="perception", model="scripted-vlm")


async def picture(ctx: FakeContext, data: bytes) -> Artifact:
    """Keep a picture."""
    return await ctx.artifacts.put(data, media_type="image/png")


async def test_texts_and_chats_are_answered_in_their_order() -> None:
    """What an item asks wins over what the batch says."""
    ctx = context(chat_reply("one"), chat_reply("two"))
    chat = {"messages": [{"role": "user", "content": "whole"}], "max_tokens": 5}
    request = BatchRequest(
        items=["text", chat], system="Be brief.", prompt="Translate:", batch_size=1, max_tokens=9
    )
    reply = await batch(request, ctx)
    assert [result.content for result in reply.results] == ["one", "two"]
    assert (reply.succeeded, reply.failed, reply.usage.completion_tokens) == (2, 0, 2)
    text, whole = ctx.engine.requests
    assert isinstance(text, ChatRequest)
    assert isinstance(whole, ChatRequest)
    assert [message.text for message in text.messages] == ["Be brief.", "Translate:\n\ntext"]
    assert (text.max_tokens, whole.max_tokens) == (9, 5)
    assert [message.text for message in whole.messages] == ["whole"]


async def test_an_item_that_is_wrong_stops_no_other() -> None:
    """Ten thousand lines have one bad one."""
    ctx = context(chat_reply("fine"))
    reply = await batch(BatchRequest(items=[{"mesages": []}, "good"], batch_size=1), ctx)
    bad, good = reply.results
    assert bad.error is not None
    assert bad.error.code == "VALIDATION_ERROR"
    assert "item 0 is no chat" in bad.error.message
    assert good.content == "fine"
    assert (reply.succeeded, reply.failed) == (1, 1)


async def test_the_next_attempt_goes_on_where_the_last_one_ended() -> None:
    """Answers cost time; what is there is not asked for again."""
    ctx = context(chat_reply("one"), chat_reply("two"), EngineNotRunning("gone"))
    request = BatchRequest(items=["a", "b", "c"], batch_size=1)
    with pytest.raises(EngineNotRunning, match="gone"):
        await batch(request, ctx)
    ctx.engine.answers = [chat_reply("three")]
    asked = len(ctx.engine.requests)
    reply = await batch(request, ctx)
    assert [result.content for result in reply.results] == ["one", "two", "three"]
    assert len(ctx.engine.requests) == asked + 1
    assert ctx.progressed[-1] == "3 of 3"


async def test_answers_that_were_lost_are_asked_for_again() -> None:
    """The store may have been emptied between two attempts."""
    ctx = context(chat_reply("one"), EngineNotRunning("gone"))
    request = BatchRequest(items=["a", "b"], batch_size=1)
    with pytest.raises(EngineNotRunning):
        await batch(request, ctx)
    ctx.artifacts.kept.clear()
    ctx.engine.answers = [chat_reply("again"), chat_reply("two")]
    reply = await batch(request, ctx)
    assert [result.content for result in reply.results] == ["again", "two"]


async def test_an_empty_batch_has_an_empty_answer() -> None:
    """A folder may be empty."""
    reply = await batch(BatchRequest(items=[]), context())
    assert (reply.results, reply.succeeded, reply.failed) == ([], 0, 0)


async def test_pictures_and_frames_are_described_in_their_order() -> None:
    """A frame keeps its time; a broken picture leaves its place empty."""
    ctx = context(seen("a cup"), UnsupportedMedia("no picture"), seen("a dog"))
    images = [await picture(ctx, data) for data in (b"1", b"2", b"3")]
    frame = Frame(image=images[2], index=60, time=2.0, width=4, height=3)
    request = BatchDescribeRequest(images=[*images[:2], frame], batch_size=1, prompt="What?")
    reply = await batch_describe(request, ctx)
    assert reply.descriptions == ["a cup", "", "a dog"]
    assert (reply.succeeded, reply.failed) == (2, 1)
    first, broken, last = reply.results
    assert (first.kind, first.time) == ("perception", None)
    assert broken.error is not None
    assert broken.error.code == "UNSUPPORTED_MEDIA_TYPE"
    assert last.time == 2.0
