"""OpenAI's Responses API at the door, by its official client, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from aima.adapters.engines.embedded import EmbeddedEngine
from aima.adapters.engines.openai import OpenAIEngine
from aima.adapters.engines.vllm import VllmEngine
from aima.gateway.openai.translation.translated import Translated
from aima.gateway.responses.kept import MOST_BYTES, Kept
from aima.gateway.responses.routes import ResponsesRoutes
from aima.outbound import Outbound
from aima.routing.router import Router
from aima.settings import Models
from aima.settings import Outbound as Bounds
from aima.store import open_store
from aima.testing import MemoryArtifacts
from aima.testing.engines import FakeEngine, Faults, fake
from aima.testing.engines.pixel import PIXEL
from tests.unit.adapters.engine_server import Endless, EngineServer, engine_server, event
from tests.unit.gateway.served import KEY, OTHER_KEY, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "w0 w1 w2 w3 w4"
ASKED: dict[str, Any] = {"model": "gpt", "input": "Why?"}
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "strict": False,
}


@dataclass
class Lab:
    """The door before a fake, and before two servers that answer as they are told.

    Attributes:
        told: answers chats; its models are `told` and, for pictures, `sees`.
        has: has the Responses API; its model is `has`.
    """

    url: str
    engine: FakeEngine
    told: EngineServer
    has: EngineServer

    def client(self, key: str = KEY) -> openai.AsyncOpenAI:
        """Make the official client, which must not try again by itself."""
        return openai.AsyncOpenAI(base_url=self.url, api_key=key, max_retries=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """Run the engines and the door before them, and close all of it."""
    async with (
        fake("openai") as engine,
        engine_server() as told,
        engine_server() as has,
        httpx2.AsyncClient() as http,
    ):
        told.answer("models", {"data": [{"id": "told"}, {"id": "sees", "type": "vlm"}]})
        has.answer("models", {"data": [{"id": "has"}]})
        artifacts = MemoryArtifacts()
        engines = (
            OpenAIEngine("first", f"{engine.url}/v1", http, artifacts),
            EmbeddedEngine("told", told.url, http, artifacts),
            VllmEngine("has", has.url, http, artifacts),
        )
        router = Router(engines, Models(aliases={"gpt": "fake"}))
        file: Path = tmp_path_factory.mktemp("responses") / "aima.db"
        kept = Kept(partial(open_store, file), timedelta(hours=1))
        chats = Translated(router, artifacts)
        async with served(ResponsesRoutes(router, chats, Outbound(Bounds()), kept).ways()) as url:
            yield Lab(f"{url}/v1", engine, told, has)


@pytest.fixture(autouse=True)
def well(lab: Lab) -> None:
    """Let the fake be well when a test begins, and the servers answer as they do."""
    for name, value in Faults().model_dump().items():
        setattr(lab.engine.faults, name, value)
    lab.told.answer("chat/completions", chat("ok"))


def chat(text: str | None, **more: object) -> dict[str, object]:
    """Write the answer to a chat."""
    message = {"content": text, **more}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}


def streams(lab: Lab, *deltas: dict[str, object], reason: str = "stop") -> None:
    """Let the server stream these pieces of a chat."""
    pieces = [event({"choices": [{"delta": delta, "finish_reason": None}]}) for delta in deltas]
    end = event({"choices": [{"delta": {}, "finish_reason": reason}]})
    body = b"".join((*pieces, end, b"data: [DONE]\n\n"))

    async def reply(_: Request) -> Response:
        return Response(body, media_type="text/event-stream")

    lab.told.answers["chat/completions"] = reply


# --- answers ---------------------------------------------------------------------------------


async def test_the_official_client_gets_an_answer(lab: Lab) -> None:
    """Whole, under the name that was asked for, with what it cost."""
    async with lab.client() as client:
        answer = await client.responses.create(
            **ASKED, metadata={"a": "b"}, temperature=0.5, max_output_tokens=50
        )
    assert (answer.output_text, answer.status, answer.model) == (WORDS, "completed", "gpt")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (1, 5)
    assert (answer.metadata, answer.temperature, answer.max_output_tokens) == ({"a": "b"}, 0.5, 50)


async def test_the_official_client_reads_a_stream(lab: Lab) -> None:
    """Its own accumulator, which is strict about their order, makes the same of the events."""
    async with lab.client() as client, client.responses.stream(**ASKED) as stream:
        events = [event async for event in stream]
        answer = await stream.get_final_response()
    words = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(words) == answer.output_text == WORDS
    assert len(words) > 1, "words come one by one"
    assert [e.sequence_number for e in events] == list(range(len(events)))
    kinds = [e.type.removeprefix("response.") for e in events if ".delta" not in e.type]
    assert kinds == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    assert answer.usage is not None
    assert answer.usage.output_tokens == 5


async def test_a_function_is_called_whole_and_in_a_stream(lab: Lab) -> None:
    """Words and call are items of their own; the call has what clients answer to."""
    async with lab.client() as client:
        whole = await client.responses.create(**ASKED, tools=[WEATHER])
        async with client.responses.stream(**ASKED, tools=[WEATHER]) as stream:
            events = [event async for event in stream]
            streamed = await stream.get_final_response()
    answers: list[openai.types.responses.Response] = [whole, streamed]
    for answer in answers:
        said, call = answer.output
        assert said.type == "message"
        assert call.type == "function_call"
        assert (call.name, json.loads(call.arguments), call.call_id) == (
            "weather",
            {"n": 1},
            "call_0",
        )
    assert "response.function_call_arguments.done" in [event.type for event in events]


async def test_calls_that_are_written_side_by_side_stay_apart(lab: Lab) -> None:
    """Each piece reaches its own call; thoughts are no part of the answer's words."""
    streams(
        lab,
        {"reasoning_content": "Hm"},
        {"reasoning_content": "m."},
        {"content": "I look."},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}]},
        {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
        reason="tool_calls",
    )
    asked = ASKED | {"model": "told"}
    async with lab.client() as client, client.responses.stream(**asked) as stream:
        answer = await stream.get_final_response()
    thought, said, first, second = answer.output
    assert thought.type == "reasoning"
    assert thought.content is not None
    assert thought.content[0].text == "Hmm."
    assert said.type == "message"
    assert answer.output_text == "I look."
    assert first.type == second.type == "function_call"
    assert (first.call_id, first.arguments) == ("a", "{}")
    assert (second.call_id, second.arguments) == ("b", "{}")


class Colour(BaseModel):
    """What is asked for."""

    name: str
    dark: bool


async def test_an_answer_has_the_shape_that_was_asked_for(lab: Lab) -> None:
    """The engine gets the schema, the client a checked object, whole and streamed."""
    lab.told.answer("chat/completions", chat('{"name": "red", "dark": false}'))
    async with lab.client() as client:
        answer = await client.responses.parse(model="told", input="A", text_format=Colour)
        assert answer.output_parsed == Colour(name="red", dark=False)
        sent = lab.told.body["response_format"]
        assert (sent["type"], sent["json_schema"]["name"]) == ("json_schema", "Colour")
        assert sent["json_schema"]["schema"]["required"] == ["name", "dark"]
        streams(lab, {"content": '{"name": "blue", '}, {"content": '"dark": true}'})
        asked: dict[str, Any] = {"model": "told", "input": "A", "text_format": Colour}
        async with client.responses.stream(**asked) as stream:
            streamed = await stream.get_final_response()
    assert streamed.output_parsed == Colour(name="blue", dark=True)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_cut_off_says_so(lab: Lab, stream: bool) -> None:  # noqa: FBT001
    """It is incomplete, and why."""
    cut = {"choices": [{"message": {"content": "So"}, "finish_reason": "length"}]}
    lab.told.answer("chat/completions", cut)
    asked: dict[str, Any] = {"model": "told", "input": "A", "max_output_tokens": 1}
    async with lab.client() as client:
        if stream:
            streams(lab, {"content": "So"}, reason="length")
            *_, last = [e async for e in await client.responses.create(**asked, stream=True)]
            assert last.type == "response.incomplete"
            answer = last.response
        else:
            answer = await client.responses.create(**asked)
    assert (answer.status, answer.output_text) == ("incomplete", "So")
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert lab.told.body["max_tokens"] == 1


# --- requests --------------------------------------------------------------------------------


async def test_a_conversation_is_asked_as_a_chat(lab: Lab) -> None:
    """Items of every kind, functions and choices, in the words that engines know."""
    sound = {"data": "UklGRg==", "format": "wav"}
    items: list[Any] = [
        {"role": "developer", "content": "Be kind."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look."},
                {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"},
                {"type": "input_audio", "input_audio": sound},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
        },
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"n": 2}'},
        {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "none"},
        {"type": "function_call_output", "call_id": "c2", "output": "rain"},
        {"role": "user", "content": "So?"},
    ]
    asked: dict[str, Any] = {
        "model": "sees",
        "instructions": "Be brief.",
        "input": items,
        "max_output_tokens": 9,
        "top_p": 0.5,
        "tools": [WEATHER],
        "tool_choice": {"type": "function", "name": "weather"},
        "reasoning": {"effort": "low"},
        "extra_body": {"top_k": 3, "of_tomorrow": {"deep": [1]}},
    }
    async with lab.client() as client:
        await client.responses.create(**asked)
    calls = [
        {"id": name, "type": "function", "function": {"name": "weather", "arguments": given}}
        for name, given in (("c1", '{"n": 2}'), ("c2", "{}"))
    ]
    function = {key: WEATHER[key] for key in ("name", "description", "parameters", "strict")}
    url = f"data:image/png;base64,{PIXEL}"
    assert lab.told.body == {
        "model": "sees",
        "messages": [
            {"role": "system", "content": "Be brief.\n\nBe kind."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look."},
                    {"type": "image_url", "image_url": {"url": url}},
                    {"type": "input_audio", "input_audio": sound},
                ],
            },
            {"role": "assistant", "content": "I look.", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "none"},
            {"role": "tool", "tool_call_id": "c2", "content": "rain"},
            {"role": "user", "content": "So?"},
        ],
        "max_tokens": 9,
        "top_p": 0.5,
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "reasoning_effort": "low",
        "top_k": 3,
        "of_tomorrow": {"deep": [1]},
    }


async def test_only_some_functions_may_be_allowed(lab: Lab) -> None:
    """The engine hears of no other."""
    allowed = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "weather"}],
    }
    other = WEATHER | {"name": "other"}
    async with lab.client() as client:
        choice: Any = allowed
        await client.responses.create(
            model="told", input="A", tools=[other, WEATHER], tool_choice=choice
        )
    assert [tool["function"]["name"] for tool in lab.told.body["tools"]] == ["weather"]
    assert lab.told.body["tool_choice"] == "required"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"input": []}, "at least 1"),
        ({"input": 7}, "valid list"),
        ({"input": [{"type": "web_search_call", "id": "w"}]}, "answers chats"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "image_url"),
        ({"tools": [{"type": "web_search"}]}, "'function'"),
        ({"conversation": "conv_1"}, "previous_response_id"),
        ({"background": True}, "start a workflow"),
        ({"prompt": {"id": "p"}}, "instructions"),
        ({"previous_response_id": "resp_none"}, "send the whole conversation"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_way_out(
    lab: Lab, wrong: dict[str, Any], said: str
) -> None:
    """Nothing that was asked for is left out in silence."""
    async with lab.client() as client:
        with pytest.raises(openai.BadRequestError, match=said):
            await client.responses.create(**ASKED | wrong)
    assert lab.engine.faults.asked == 0


async def test_errors_are_those_that_the_client_knows(lab: Lab) -> None:
    """Each in the class that the official client has for it."""
    async with lab.client() as client:
        with pytest.raises(openai.NotFoundError) as missing:
            await client.responses.create(**ASKED | {"model": "none"})
    assert missing.value.code == "model_not_found"
    async with lab.client("wrong") as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.responses.create(**ASKED)


@pytest.mark.parametrize("fault", [{"die_after": 3}, {"error_after": 3}])
async def test_an_answer_that_breaks_off_is_no_whole_one(lab: Lab, fault: dict[str, int]) -> None:
    """The status is sent, so an event tells, with the words before it."""
    for name, value in fault.items():
        setattr(lab.engine.faults, name, value)
    async with lab.client() as client:
        events = [event async for event in await client.responses.create(**ASKED, stream=True)]
        last = events[-1]
        assert last.type == "response.failed"
        assert last.response.status == "failed"
        assert last.response.error is not None
        assert "engine 'first'" in last.response.error.message
        assert last.response.output_text == "w0 w1 w2"
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(last.response.id)


async def test_a_client_that_leaves_stops_the_engine(lab: Lab) -> None:
    """Nobody pays for words that nobody reads."""
    endless = Endless()

    async def forever(_: Request) -> Response:
        return endless

    lab.told.answers["chat/completions"] = forever
    async with lab.client() as client:
        stream = await client.responses.create(model="told", input="A", stream=True)
        async for heard in stream:
            if heard.type == "response.output_text.delta":
                break
        await stream.close()
    async with asyncio.timeout(30):
        await endless.left.wait()


# --- what was said before --------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_a_later_request_goes_on_from_an_answer(lab: Lab, stream: bool) -> None:  # noqa: FBT001
    """The engine gets all that was said; instructions are those of the request alone."""
    asked: dict[str, Any] = {"model": "told", "input": "One?", "instructions": "Be brief."}
    async with lab.client() as client:
        if stream:
            streams(lab, {"content": "ok"})
            async with client.responses.stream(**asked) as events:
                first = await events.get_final_response()
            lab.told.answer("chat/completions", chat("ok"))
        else:
            first = await client.responses.create(**asked)
        second = await client.responses.create(
            model="told", input="Two?", previous_response_id=first.id
        )
        await client.responses.create(model="told", input="Three?", previous_response_id=second.id)
    said = [(message["role"], message["content"]) for message in lab.told.body["messages"]]
    assert said == [
        *(("user", "One?"), ("assistant", "ok"), ("user", "Two?"), ("assistant", "ok")),
        ("user", "Three?"),
    ]
    assert second.previous_response_id == first.id


async def test_an_answer_is_looked_up_and_forgotten(lab: Lab) -> None:
    """With what was said before it; gone is gone."""
    async with lab.client() as client:
        made = await client.responses.create(**ASKED)
        again = await client.responses.retrieve(made.id)
        assert again.output == made.output
        [said] = (await client.responses.input_items.list(made.id)).data
        assert said.type == "message"
        assert said.to_dict()["content"] == [{"type": "input_text", "text": "Why?"}]
        await client.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError, match="kept for 1 h"):
            await client.responses.retrieve(made.id)


async def test_nobody_else_goes_on_from_an_answer(lab: Lab) -> None:
    """Another key neither reads, continues nor deletes it."""
    async with lab.client() as client, lab.client(OTHER_KEY) as other:
        made = await client.responses.create(**ASKED)
        with pytest.raises(openai.NotFoundError):
            await other.responses.retrieve(made.id)
        with pytest.raises(openai.NotFoundError):
            await other.responses.delete(made.id)
        with pytest.raises(openai.BadRequestError) as refused:
            await other.responses.create(**ASKED, previous_response_id=made.id)
        assert refused.value.param == "previous_response_id"
        assert (await client.responses.retrieve(made.id)).id == made.id


@pytest.mark.parametrize("more", [{"store": False}, {"input": "a" * MOST_BYTES}])
async def test_an_answer_that_is_not_kept_says_so(lab: Lab, more: dict[str, Any]) -> None:
    """Because nobody wants it kept, or it is too large."""
    async with lab.client() as client:
        made = await client.responses.create(**ASKED | more)
        assert made.model_extra == {"store": False}
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(made.id)


# --- engines that have this API --------------------------------------------------------------

OWN = {
    "id": "resp_own",
    "object": "response",
    "model": "has",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_own",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "own", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3},
    "odd": 1,
}


async def test_an_engine_that_has_this_api_is_asked_as_it_is(lab: Lab) -> None:
    """With tools of its own and the fields of tomorrow; AIMA remembers in its place."""
    lab.has.answer("responses", OWN)
    async with lab.client() as client:
        asked: dict[str, Any] = {"tools": [{"type": "web_search"}], "extra_body": {"odd": [1]}}
        first = await client.responses.create(model="has", input="One?", **asked)
        assert lab.has.body["tools"] == [{"type": "web_search"}]
        assert lab.has.body["odd"] == [1]
        assert first.model_extra == {"odd": 1}
        assert (await client.responses.retrieve(first.id)).output_text == "own"
        await client.responses.create(model="has", input="Two?", previous_response_id=first.id)
    sent = lab.has.body
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    assert sent["store"] is False
    assert "previous_response_id" not in sent


async def test_its_events_are_passed_on_and_its_answer_kept(lab: Lab) -> None:
    """Who hears of the end can go on at once."""
    begun = {"type": "response.created", "response": OWN | {"output": [], "id": "resp_streamed"}}
    ended = {"type": "response.completed", "response": OWN | {"id": "resp_streamed"}}
    told = b"".join(event(one) for one in (begun, ended))

    async def reply(_: Request) -> Response:
        return Response(told, media_type="text/event-stream")

    lab.has.answers["responses"] = reply
    async with lab.client() as client:
        stream = await client.responses.create(model="has", input="One?", stream=True)
        kinds = [heard.type async for heard in stream]
        assert kinds == ["response.created", "response.completed"]
        assert (await client.responses.retrieve("resp_streamed")).output_text == "own"


async def test_its_events_without_their_end_are_a_failure(lab: Lab) -> None:
    """A server that stops politely in the middle has stopped in the middle."""
    begun = event({"type": "response.created", "response": OWN | {"output": []}})

    async def reply(_: Request) -> Response:
        return Response(begun, media_type="text/event-stream")

    lab.has.answers["responses"] = reply
    async with lab.client() as client:
        stream = await client.responses.create(model="has", input="One?", stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            _ = [heard async for heard in stream]


@pytest.mark.parametrize("model", ["told", "has"])
async def test_a_number_that_no_engine_could_be_told_is_refused(lab: Lab, model: str) -> None:
    """It is the client's mistake, and no failure of AIMA's."""
    body = f'{{"model": "{model}", "input": "A", "top_k": 1e400}}'
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as http:
        told = await http.post(f"{lab.url}/responses", content=body.encode())
    assert (told.status_code, told.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "too large" in told.json()["error"]["message"]
