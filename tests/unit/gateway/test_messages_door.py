"""Anthropic's Messages API at the door, by its official client, over HTTP."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import Response

from aima.adapters.engines.embedded import EmbeddedEngine
from aima.adapters.engines.openai import OpenAIEngine
from aima.gateway.messages.routes import MessagesRoutes
from aima.gateway.openai.translation.translated import Translated
from aima.outbound import Outbound
from aima.routing.router import Router
from aima.settings import Models
from aima.settings import Outbound as Bounds
from aima.testing import MemoryArtifacts
from aima.testing.engines import FakeEngine, Faults, fake
from aima.testing.engines.pixel import PIXEL
from tests.unit.adapters.engine_server import Endless, EngineServer, engine_server
from tests.unit.gateway.served import KEY, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "w0 w1 w2 w3 w4"
ASKED: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Why?"}],
}
WEATHER: dict[str, Any] = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"n": {"type": "integer"}}},
}


@dataclass
class Lab:
    """The door before a fake, and before a server that answers as it is told.

    Attributes:
        told: its models are `told` and, for pictures, `sees`.
    """

    url: str
    engine: FakeEngine
    told: EngineServer

    def client(self, key: str = KEY) -> anthropic.AsyncAnthropic:
        """Make the official client, which must not try again by itself."""
        return anthropic.AsyncAnthropic(base_url=self.url, api_key=key, max_retries=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab() -> AsyncIterator[Lab]:
    """Run the engines and the door before them, and close all of it."""
    async with fake("openai") as engine, engine_server() as told, httpx2.AsyncClient() as http:
        told.answer("models", {"data": [{"id": "told"}, {"id": "sees", "type": "vlm"}]})
        store = MemoryArtifacts()
        engines = (
            OpenAIEngine("first", f"{engine.url}/v1", http, store),
            EmbeddedEngine("told", told.url, http, store),
        )
        router = Router(engines, Models(aliases={"claude": "fake"}))
        asked = MessagesRoutes(Translated(router, store), Outbound(Bounds()))
        async with served(asked.ways()) as url:
            yield Lab(url, engine, told)


async def listen(client: anthropic.AsyncAnthropic, heard: list[str]) -> None:
    """Read an answer's words to its end."""
    async with client.messages.stream(**ASKED) as stream:
        async for text in stream.text_stream:
            heard += [text]


@pytest.fixture(autouse=True)
def well(lab: Lab) -> None:
    """Let the fake be well when a test begins."""
    for name, value in Faults().model_dump().items():
        setattr(lab.engine.faults, name, value)


async def test_the_official_client_gets_an_answer(lab: Lab) -> None:
    """Whole, under the name that was asked for, with what it cost."""
    async with lab.client() as client:
        answer = await client.messages.create(**ASKED)
    [block] = answer.content
    assert block.type == "text"
    assert (block.text, answer.stop_reason, answer.model) == (WORDS, "end_turn", "claude")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (1, 5)


async def test_the_official_client_reads_a_stream(lab: Lab) -> None:
    """Its own accumulator makes the same message of the events."""
    async with lab.client() as client, client.messages.stream(**ASKED) as stream:
        texts = [text async for text in stream.text_stream]
        answer = await stream.get_final_message()
    assert "".join(texts) == WORDS
    assert len(texts) > 1, "words come one by one"
    assert (answer.stop_reason, answer.usage.output_tokens) == ("end_turn", 5)


async def test_a_tool_is_called_whole_and_in_a_stream(lab: Lab) -> None:
    """Text and call are blocks of their own, the call's input is JSON."""
    asked = ASKED | {"tools": [WEATHER]}
    async with lab.client() as client:
        whole = await client.messages.create(**asked)
        async with client.messages.stream(**asked) as stream:
            streamed = await stream.get_final_message()
    for answer in (whole, streamed):
        said, use = answer.content
        assert said.type == "text"
        assert use.type == "tool_use"
        assert (use.name, use.input, answer.stop_reason) == ("weather", {"n": 1}, "tool_use")


async def test_a_conversation_is_asked_as_a_chat(lab: Lab) -> None:
    """System, calls and their results, pictures and choices, in the words that engines know."""
    lab.told.answer("chat/completions", {"choices": [{"message": {"content": "ok"}}], "usage": {}})
    picture = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    turns: list[Any] = [
        {"role": "user", "content": [{"type": "image", "source": picture}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"n": 2}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "none", "is_error": True},
                {"type": "text", "text": "So?"},
            ],
        },
    ]
    asked: dict[str, Any] = {
        "model": "sees",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": turns,
        "stop_sequences": ["END"],
        "tools": [WEATHER],
        "tool_choice": {"type": "tool", "name": "weather"},
        "extra_body": {"temperature": 0.5, "top_k": 3},
    }
    async with lab.client() as client:
        await client.messages.create(**asked)
    call = {"name": "weather", "arguments": '{"n": 2}'}
    assert lab.told.body == {
        "model": "sees",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
                ],
            },
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [{"id": "t1", "type": "function", "function": call}],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "error: none"},
            {"role": "user", "content": [{"type": "text", "text": "So?"}]},
        ],
        "max_tokens": 9,
        "temperature": 0.5,
        "top_k": 3,
        "stop": ["END"],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Tells the weather.",
                    "parameters": WEATHER["input_schema"],
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
    }
    assert b64decode(PIXEL).startswith(b"\x89PNG")


async def test_tokens_are_counted_by_the_engine(lab: Lab) -> None:
    """It reads the conversation and writes one token."""
    async with lab.client() as client:
        counted = await client.messages.count_tokens(model="fake", messages=ASKED["messages"])
    assert counted.input_tokens == 1


async def test_errors_are_those_that_the_client_knows(lab: Lab) -> None:
    """Each in the class that the official client has for it."""
    async with lab.client() as client:
        with pytest.raises(anthropic.NotFoundError, match="claude-none"):
            await client.messages.create(**ASKED | {"model": "claude-none"})
        with pytest.raises(anthropic.BadRequestError) as mistaken:
            await client.messages.create(**ASKED | {"messages": []})
    assert "'invalid_request_error'" in str(mistaken.value.body)
    async with lab.client("wrong") as stranger:
        with pytest.raises(anthropic.AuthenticationError):
            await stranger.messages.create(**ASKED)


@pytest.mark.parametrize("fault", [{"die_after": 3}, {"error_after": 3}])
async def test_an_answer_that_breaks_off_is_no_whole_one(lab: Lab, fault: dict[str, int]) -> None:
    """The status is sent, so an event tells; the words before it were read."""
    for name, value in fault.items():
        setattr(lab.engine.faults, name, value)
    heard: list[str] = []
    async with lab.client() as client:
        with pytest.raises(anthropic.APIError):
            await listen(client, heard)
    assert "".join(heard) == "w0 w1 w2"


async def test_a_client_that_leaves_stops_the_engine(lab: Lab) -> None:
    """Nobody pays for words that nobody reads."""
    endless = Endless()

    async def forever(_: Request) -> Response:
        return endless

    lab.told.answers["chat/completions"] = forever
    asked = ASKED | {"model": "told"}
    async with lab.client() as client, client.messages.stream(**asked) as stream:
        await anext(aiter(stream.text_stream))
    async with asyncio.timeout(30):
        await endless.left.wait()
