"""The door that speaks OpenAI's API, by its official client, over HTTP, to fakes with faults."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
import pytest
import pytest_asyncio
from huggingface_hub import AsyncInferenceClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.adapters.engines.embedded import EmbeddedEngine
from aima.adapters.engines.openai import OpenAIEngine
from aima.gateway.openai.routes import OpenAIRoutes
from aima.outbound import Outbound
from aima.routing.router import Router
from aima.settings import Models
from aima.settings import Outbound as Bounds
from aima.testing import MemoryArtifacts
from aima.testing.engines import FakeEngine, Faults, fake
from aima.testing.engines.pixel import PIXEL
from tests.unit.adapters.engine_server import Endless, EngineServer, engine_server, event, piece
from tests.unit.gateway.served import KEY, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "w0 w1 w2 w3 w4"
CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Why?"}]}


@dataclass
class Lab:
    """A door in front of two fakes and a server that answers as it is told.

    Attributes:
        url: where the door's API starts.
        first: the fake that is asked first.
        second: the one that is asked where the first fails.
        told: a server of its own; its models are `told` and, for pictures, sound and ranks, others.
    """

    url: str
    first: FakeEngine
    second: FakeEngine
    told: EngineServer

    def client(self) -> openai.AsyncOpenAI:
        """Make the official client, which must not try again by itself."""
        return openai.AsyncOpenAI(base_url=self.url, api_key=KEY, max_retries=0)


TOLD = [
    {"id": "told"},
    {"id": "sees", "type": "vlm"},
    {"id": "ears", "type": "asr"},
    {"id": "voice", "type": "tts"},
]
TOLD += [{"id": "ranks", "type": "rerank"}, {"id": "paints", "type": "diffusion"}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab() -> AsyncIterator[Lab]:
    """Run the fakes, the door in front of them, and close all of it."""
    async with (
        fake("openai") as first,
        fake("openai") as second,
        engine_server() as told,
        httpx2.AsyncClient() as http,
    ):
        told.answer("models", {"data": TOLD})
        store = MemoryArtifacts()
        engines = (
            OpenAIEngine("first", f"{first.url}/v1", http, store),
            OpenAIEngine("second", f"{second.url}/v1", http, store),
            EmbeddedEngine("told", told.url, http, store),
        )
        router = Router(engines, Models(aliases={"gpt-4o": "fake"}))
        allowed = Outbound(Bounds(allow=[told.url.split("/")[2]]))
        async with served(OpenAIRoutes(router, allowed, store).ways()) as url:
            yield Lab(f"{url}/v1", first, second, told)


@pytest.fixture(autouse=True)
def well(lab: Lab) -> None:
    """Let every fake be well when a test begins."""
    for engine in (lab.first, lab.second):
        for name, value in Faults().model_dump().items():
            setattr(engine.faults, name, value)


async def listen(lab: Lab, chat: dict[str, Any], heard: list[str]) -> None:
    """Read a streamed chat to its end."""
    async with lab.client() as client:
        stream = await client.chat.completions.create(**chat, stream=True)
        async for found in stream:
            heard += [found.choices[0].delta.content or ""]


# --- what works ------------------------------------------------------------------------------


async def test_the_official_client_chats(lab: Lab) -> None:
    """Whole and streamed, by an alias, with the headers that tell who answered."""
    async with lab.client() as client:
        whole = await client.chat.completions.with_raw_response.create(**CHAT)
        reply = whole.parse()
        assert reply.choices[0].message.content == WORDS
        assert reply.usage is not None
        assert reply.usage.completion_tokens == 5
        assert whole.headers["x-aima-engine"] in ("first", "second")
        assert whole.headers["x-aima-model"] == "fake"
        pieces = [p async for p in await client.chat.completions.create(**CHAT, stream=True)]
    assert "".join(p.choices[0].delta.content or "" for p in pieces) == WORDS
    assert all(p.usage is None for p in pieces), "nobody asked what it cost"


async def test_usage_is_told_to_who_asks_and_accounted_for_all(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine is always asked; the event that tells it reaches only who wants it."""
    caplog.set_level(logging.INFO, "aima.access")
    async with lab.client() as client:
        asked = await client.chat.completions.create(
            **CHAT, stream=True, stream_options={"include_usage": True}
        )
        last = [piece async for piece in asked][-1]
        assert last.usage is not None
        assert (last.choices, last.usage.completion_tokens) == ([], 5)
        async for _ in await client.chat.completions.create(**CHAT, stream=True):
            pass
        await client.completions.create(model="fake", prompt="So")
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    assert [(n["model"], n["completion_tokens"]) for n in lines] == [("fake", 5)] * 3


async def test_what_the_door_does_not_know_is_passed_on(lab: Lab) -> None:
    """Tools, schemas and the fields of tomorrow reach the engine; so does its odd answer."""
    odd = {"id": "x", "choices": [{"message": {"content": "{}"}}], "usage": {"odd": 1}, "new": [1]}
    lab.told.answer("chat/completions", odd)
    sent = {
        **CHAT,
        "model": "told",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
        "of_tomorrow": {"deep": [1.5, None]},
    }
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as http:
        answer = await http.post(f"{lab.url}/chat/completions", json=sent)
    assert answer.json() == odd
    assert lab.told.body == sent
    assert KEY not in lab.told.headers[-1].get("authorization", ""), "a key stays at the door"


async def test_an_engine_gets_a_remote_picture_as_bytes(lab: Lab) -> None:
    """The door fetches it; an engine that did could be sent to what only it reaches."""
    lab.told.answer("cat.png", b64decode(PIXEL))
    lab.told.answer("chat/completions", {"choices": [{"message": {"content": "red"}}]})
    async with lab.client() as client:
        await client.chat.completions.create(**looking_at(f"{lab.told.url}/cat.png"))
        part = lab.told.body["messages"][0]["content"][0]
        assert part == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
        before = len(lab.told.bodies)
        for url in (lab.first.url, "http://169.254.169.254/latest/meta-data/"):
            with pytest.raises(openai.PermissionDeniedError, match=r"outbound\.allow"):
                await client.chat.completions.create(**looking_at(url))
        with pytest.raises(openai.BadRequestError, match="begins with http"):
            await client.chat.completions.create(**looking_at("file:///etc/passwd"))
    assert len(lab.told.bodies) == before


def looking_at(url: str) -> dict[str, Any]:
    """Ask about a picture at an address."""
    content = [{"type": "image_url", "image_url": {"url": url}}]
    return {"model": "sees", "messages": [{"role": "user", "content": content}]}


async def test_another_client_chats_too(lab: Lab) -> None:
    """One that shares no code with the official one."""
    async with AsyncInferenceClient(base_url=lab.url, api_key=KEY) as client:
        stream = await client.chat_completion(**CHAT, stream=True)
        words = [p.choices[0].delta.content or "" async for p in stream if p.choices]
    assert "".join(words) == WORDS


async def test_texts_become_vectors(lab: Lab) -> None:
    """The official client asks for base64 and reads it."""
    async with lab.client() as client:
        reply = await client.embeddings.create(model="fake", input=["a", "b"])
    assert [len(data.embedding) for data in reply.data] == [8, 8]


async def test_recordings_are_sent_as_files(lab: Lab) -> None:
    """The form reaches the engine: the file, its name and each field."""

    async def hear(request: Request) -> Response:
        async with request.form() as form:
            sound = form["file"]
            assert not isinstance(sound, str)
            told = {"text": f"{await sound.read()!r} {sound.filename} {form['language']}"}
            return JSONResponse(
                told | {"usage": {"asked": form.getlist("timestamp_granularities[]")}}
            )

    lab.told.answers["audio/transcriptions"] = hear
    async with lab.client() as client:
        heard = await client.audio.transcriptions.create(
            model="ears", file=("a.wav", b"RIFF"), language="en", timestamp_granularities=["word"]
        )
    assert heard.text == "b'RIFF' a.wav en"


async def test_speech_comes_as_it_is_made(lab: Lab) -> None:
    """Bytes, with the engine's own type."""
    lab.told.answer("audio/speech", b"\x00\x01sound")
    async with lab.client() as client:
        spoken = await client.audio.speech.create(model="voice", voice="anna", input="Hello")
        assert spoken.read() == b"\x00\x01sound"
    assert lab.told.body["voice"] == "anna"


async def test_the_embedded_engine_says_that_it_changes_no_pictures(lab: Lab) -> None:
    """In words, where an address that is not there would leave a user guessing."""
    async with lab.client() as client:
        with pytest.raises(openai.BadRequestError, match="name a model of another one"):
            await client.images.edit(model="paints", prompt="a", image=b64decode(PIXEL))


@pytest.mark.parametrize("version", ["/v1", "/v2", ""])
async def test_texts_are_ranked(lab: Lab, version: str) -> None:
    """In the form that most servers of this API have, at the addresses that they have it at."""
    ranked = {"results": [{"index": 1, "relevance_score": 0.9}], "model": "ranks"}
    lab.told.answer("rerank", ranked)
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as http:
        body = {"model": "ranks", "query": "q", "documents": ["a", "b"]}
        way = f"{lab.url.removesuffix('/v1')}{version}/rerank"
        told = (await http.post(way, json=body)).json()
    assert told["results"] == [{"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}]


async def test_the_models_of_all_engines_are_listed(lab: Lab) -> None:
    """Each once; another name of one leads to it."""
    async with lab.client() as client:
        names = [model.id async for model in await client.models.list()]
        assert sorted(names) == ["ears", "fake", "paints", "ranks", "sees", "told", "voice"]
        assert (await client.models.retrieve("gpt-4o")).model_extra == {
            "present": True,
            "root": "fake",
        }
        with pytest.raises(openai.NotFoundError) as caught:
            await client.models.retrieve("nothing/like-it")
    assert caught.value.code == "model_not_found"


# --- what fails ------------------------------------------------------------------------------


async def test_failures_are_the_clients_own_exceptions(lab: Lab) -> None:
    """Programs written for OpenAI's servers catch them as they always did."""
    async with lab.client() as client:
        with pytest.raises(openai.NotFoundError) as missing:
            await client.chat.completions.create(**{**CHAT, "model": "missing"})
        assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
        with pytest.raises(openai.BadRequestError):
            await client.chat.completions.create(**{**CHAT, "model": ""})
    async with openai.AsyncOpenAI(base_url=lab.url, api_key="x", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError) as unknown:
            await stranger.models.list()
        assert unknown.value.code == "invalid_api_key"


async def test_another_engine_answers_before_the_first_byte(lab: Lab) -> None:
    """A refusal of one instance is nobody's business while another is well."""
    lab.first.faults.fail_every = 1
    async with lab.client() as client:
        replies = [await client.chat.completions.with_raw_response.create(**CHAT) for _ in range(3)]
    assert {reply.headers["x-aima-engine"] for reply in replies} == {"second"}
    assert lab.first.faults.asked


async def test_after_the_first_byte_nobody_else_is_asked(lab: Lab) -> None:
    """A stream that breaks off ends with an error, and never looks like a short answer."""
    for engine in (lab.first, lab.second):
        engine.faults.die_after = 2
    heard: list[str] = []
    with pytest.raises(openai.APIError, match=r"engine '(first|second)'"):
        await listen(lab, CHAT, heard)
    assert heard == ["w0", " w1"]
    assert lab.first.faults.asked + lab.second.faults.asked == 1


async def test_events_without_their_end_are_a_failure(lab: Lab) -> None:
    """A server that stops politely in the middle has stopped in the middle."""

    async def half(_: Request) -> Response:
        return Response(event(piece("Half an")), media_type="text/event-stream")

    lab.told.answers["chat/completions"] = half
    with pytest.raises(openai.APIError, match="broke off"):
        await listen(lab, {**CHAT, "model": "told"}, [])


async def test_an_engine_stops_when_the_client_goes(lab: Lab) -> None:
    """Nobody pays for words that nobody reads."""
    endless = Endless()

    async def forever(_: Request) -> Response:
        return endless

    lab.told.answers["chat/completions"] = forever
    async with lab.client() as client:
        stream = await client.chat.completions.create(**{**CHAT, "model": "told"}, stream=True)
        async for _ in stream:
            break
        await stream.close()
        async with asyncio.timeout(5):
            await endless.left.wait()


async def test_an_engine_stops_when_the_client_goes_before_the_first_byte(lab: Lab) -> None:
    """Also a slow answer that is not streamed."""
    asked, stopped = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        asked.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        stopped.set()
        return Response()

    lab.told.answers["chat/completions"] = slow
    async with lab.client() as client:
        asking = asyncio.ensure_future(client.chat.completions.create(**{**CHAT, "model": "told"}))
        await asked.wait()
        asking.cancel()
        async with asyncio.timeout(5):
            await stopped.wait()


async def test_events_cut_anywhere_arrive_whole(lab: Lab) -> None:
    """A network cuts where it likes; the event of the cost is still left out."""
    events = event(piece("ab")) + event({"choices": [], "usage": {"completion_tokens": 2}})
    body = events + b"data: [DONE]\n\n"

    class Sliced(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            del scope, receive
            head = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            for at in range(0, len(body), 7):
                part = body[at : at + 7]
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def sliced(_: Request) -> Response:
        return Sliced()

    lab.told.answers["chat/completions"] = sliced
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as http:
        sent = {**CHAT, "model": "told", "stream": True}
        answer = await http.post(f"{lab.url}/chat/completions", json=sent)
    assert answer.content == event(piece("ab")) + b"data: [DONE]\n\n"
