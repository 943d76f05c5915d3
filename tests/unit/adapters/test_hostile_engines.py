"""An engine that answers garbage, or without an end: a clear error, and the worker lives."""

from __future__ import annotations

import gzip

import pytest
from starlette.requests import Request
from starlette.responses import Response

from aima.adapters.engines.openai import OpenAIEngine
from aima.adapters.engines.openai_answer import Answer, Event
from aima.errors import AimaError, ExecutionFailed, WrongAnswer
from aima.ports.inference import ChatRequest, EmbedRequest, Message
from tests.unit.adapters.engine_server import EngineServer, piece

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = b"[" * 100_000 + b"]" * 100_000
MUCH = "x" * 3_000_000
ENDLESS = {
    "words": {"delta": {"content": MUCH}},
    "thoughts": {"delta": {"reasoning_content": MUCH}},
    "arguments": {"delta": {"tool_calls": [{"function": {"arguments": MUCH}}]}},
    "calls": {"delta": {"tool_calls": [{"index": n} for n in range(8_000)]}},
    "weighed tokens": {"logprobs": {"content": [{"token": "x", "logprob": -1.0}] * 8_000}},
    "space": {"delta": {"content": " " * 50_000}},
}


def asking(text: str = "Why?", **more: object) -> ChatRequest:
    """Ask a question."""
    said = {"model": "m", "messages": [Message(role="user", content=text)], **more}
    return ChatRequest.model_validate(said)


def going_on(answer: Answer, more: Event) -> None:
    """Write the same again and again."""
    for _ in range(10):
        answer.add(more)


@pytest.mark.parametrize("choice", ENDLESS.values(), ids=ENDLESS)
async def test_an_answer_without_an_end_is_ended(choice: dict[str, object]) -> None:
    """Whatever it goes on with, it is kept until the end, so it must have one."""
    answer, more = Answer(engine="there", model="m"), Event.model_validate({"choices": [choice]})
    with pytest.raises(ExecutionFailed, match=r"'there' writes (without an end|nothing but space)"):
        going_on(answer, more)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("body", [DEEP, b'{"error":' + DEEP + b"}", b'{"data":' + DEEP + b"}"])
async def test_an_answer_that_is_nested_too_deep_is_told(
    engine: OpenAIEngine, server: EngineServer, body: bytes, status: int
) -> None:
    """Python's own reader of JSON ends with an error that nobody expects."""
    server.answer("embeddings", body, status=status)
    with pytest.raises(ExecutionFailed, match="engine 'there'"):
        await engine.embed(EmbedRequest(model="m", input="Why?"))


@pytest.mark.parametrize(
    "value", [DEEP.decode(), '"\\ud800"', "NaN", "[1e999]", '{"a": -Infinity}', "{", ""]
)
async def test_a_value_that_is_none_is_a_wrong_answer(
    engine: OpenAIEngine, server: EngineServer, value: str
) -> None:
    """A model writes it; what it must not hold is what no later step could write down."""
    server.stream(piece(value, finish_reason="stop"))
    with pytest.raises(WrongAnswer, match="was asked for JSON"):
        await engine.chat(asking(json_schema={}), pieces=lambda _: None)


async def test_a_packed_answer_is_bounded_by_what_it_unpacks_to(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """A hundred kilobytes on the way are a hundred megabytes here."""
    packed = gzip.compress(b"data: " + bytes(50_000_000))

    async def bomb(_: Request) -> Response:
        headers = {"content-encoding": "gzip", "content-type": "text/event-stream"}
        return Response(packed, headers=headers)

    server.answers["chat/completions"] = bomb
    with pytest.raises(AimaError, match="'there'"):
        await engine.chat(asking(), pieces=lambda _: None)


TRICKS = ["{{ 7 * 7 }}", "{% for x in y %}", "{# #}", "${input.x}", "<|im_end|>", "%s {0} \\n \0"]


@pytest.mark.parametrize("trick", TRICKS)
async def test_what_looks_like_a_template_reaches_the_engine_as_it_is(
    engine: OpenAIEngine, server: EngineServer, trick: str
) -> None:
    """A prompt is data: nothing on the way to a model reads it."""
    server.stream(piece(trick, finish_reason="stop"))
    reply = await engine.chat(asking(trick), pieces=lambda _: None)
    assert server.body["messages"] == [{"role": "user", "content": trick}]
    assert reply.content == trick
