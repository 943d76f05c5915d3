"""Engines that do not speak OpenAI's API, behind the door, asked by its official client."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import openai
import pytest
import pytest_asyncio

from aima.adapters.engines.kinds import engine_of
from aima.gateway.messages.routes import MessagesRoutes
from aima.gateway.openai.routes import OpenAIRoutes
from aima.gateway.openai.translation.translated import Translated
from aima.outbound import Outbound
from aima.routing.router import Router
from aima.settings import Engine, EngineKind, Models
from aima.settings import Outbound as Bounds
from aima.testing import MemoryArtifacts
from aima.testing.engines import FakeEngine, fake
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.sounds import silence
from tests.unit.gateway.served import KEY, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVES = {
    "talks": "llm",
    "means": "embedding",
    "hears": "asr",
    "speaks": "tts",
    "draws": "diffusion",
}
KINDS: dict[EngineKind, dict[str, Any]] = {
    "piper": {},
    "whispercpp": {},
    "sdcpp": {},
    "a1111": {},
    "hf_inference": {"serves": SERVES},
    "hf_endpoint": {"serves": {"whole": "llm"}},
    "ollama": {"context_tokens": 4096},
}
"""Those whose own API is another one, each the engine of that name."""

WORDS = "w0 w1 w2 w3 w4"
SAID: list[Any] = [{"role": "user", "content": "Why?"}]
RECORDING = ("a.wav", silence())
HEARD = f"{len(silence())} bytes"
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


@dataclass
class Lab:
    """A door in front of the fakes."""

    url: str
    fakes: dict[str, FakeEngine]

    def client(self) -> openai.AsyncOpenAI:
        """Make the official client, which must not try again by itself."""
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", api_key=KEY, max_retries=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab() -> AsyncIterator[Lab]:
    """Run the fakes and the door, and close all of it."""
    async with AsyncExitStack() as open_, httpx2.AsyncClient() as http:
        fakes: dict[str, FakeEngine] = {}
        for kind in KINDS:
            fakes[kind] = await open_.enter_async_context(fake(kind))
        store = MemoryArtifacts()
        engines = tuple(
            engine_of(kind, Engine(kind=kind, url=fakes[kind].url, **told), http, store)
            for kind, told in KINDS.items()
        )
        router = Router(engines, Models())
        routes = OpenAIRoutes(router, Outbound(Bounds()), store)
        messages = MessagesRoutes(Translated(router, store), Outbound(Bounds()))
        async with served([*routes.ways(), *messages.ways()]) as url:
            yield Lab(url, fakes)
        for one in fakes.values():  # all at once: each needs a moment
            one.stop()


@pytest.fixture(autouse=True)
def well(lab: Lab) -> None:
    """Let every fake be well when a test begins."""
    for one in lab.fakes.values():
        one.heal()


# --- recordings ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["whispercpp", "hears"])
async def test_a_recording_is_written_down_in_each_form(lab: Lab, model: str) -> None:
    """Whatever the engine itself can write, subtitles included."""
    async with lab.client() as client:
        ask = client.audio.transcriptions.create
        plain = await ask(model=model, file=RECORDING)
        text = await ask(model=model, file=RECORDING, response_format="text")
        srt = await ask(model=model, file=RECORDING, response_format="srt", language="en")
        vtt = await ask(model=model, file=RECORDING, response_format="vtt")
        whole = await ask(
            model=model,
            file=RECORDING,
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
    assert (plain.text, str(text).strip()) == (HEARD, HEARD)
    assert str(srt).splitlines() == ["1", "00:00:00,000 --> 00:00:00,100", HEARD]
    assert str(vtt).splitlines() == ["WEBVTT", "", "00:00:00.000 --> 00:00:00.100", HEARD]
    assert (whole.text, round(whole.duration, 3)) == (HEARD, 0.1)
    assert [word.word for word in whole.words or ()] == HEARD.split()
    assert [line.text for line in whole.segments or ()] == [HEARD]


@pytest.mark.filterwarnings("ignore:deprecated")  # the client says so of its own method
async def test_a_recording_is_translated(lab: Lab) -> None:
    """English comes out, whatever went in."""
    async with lab.client() as client:
        told = await client.audio.translations.create(
            model="whispercpp", file=RECORDING, response_format="verbose_json"
        )
    assert (told.text, told.language) == (HEARD, "en")


async def test_a_transcript_is_streamed(lab: Lab) -> None:
    """The client reads its own events, the last of which has all."""
    async with lab.client() as client:
        stream = await client.audio.transcriptions.create(
            model="hears", file=RECORDING, stream=True
        )
        events = [event async for event in stream]
    assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]
    assert events[-1].type == "transcript.text.done"
    assert events[-1].text == HEARD


async def test_what_is_no_recording_is_refused(lab: Lab) -> None:
    """In OpenAI's form, whoever finds it: the engine, or the door before it."""
    async with lab.client() as client:
        ask = client.audio.transcriptions.create
        with pytest.raises(openai.APIStatusError, match="16-bit WAV") as engines:
            await ask(model="whispercpp", file=("a.wav", b"noise"))
        assert engines.value.status_code == 415
        with pytest.raises(openai.BadRequestError, match="is empty"):
            await ask(model="whispercpp", file=("a.wav", b""))
        with pytest.raises(openai.BadRequestError) as form:
            await ask(model="whispercpp", file=RECORDING, response_format="diarized_json")
    assert form.value.param == "response_format"


# --- speech ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["piper", "speaks"])
async def test_speech_comes_in_each_format(lab: Lab, model: str) -> None:
    """Of an engine that makes WAV alone; nobody has the voice that every client must name."""
    starts = {"wav": b"RIFF", "flac": b"fLaC", "opus": b"OggS", "pcm": bytes(4)}
    async with lab.client() as client:
        for form, start in starts.items():
            said = await client.audio.speech.create(
                model=model,
                voice="alloy",
                input="Hello",
                response_format=form,  # type: ignore[arg-type] # it is one of them
            )
            assert said.read()[:4] == start
        usual = await client.audio.speech.create(model=model, voice="alloy", input="Hello")
    assert usual.response.headers["content-type"] == "audio/mpeg", "as of OpenAI's own servers"
    assert usual.response.headers["x-aima-engine"] in lab.fakes


async def test_voices_and_formats_that_are_not_there_are_refused(lab: Lab) -> None:
    """A voice of somebody's own is not replaced by another one."""
    async with lab.client() as client:
        say = client.audio.speech.create
        with pytest.raises(openai.NotFoundError, match="no voice 'anna'"):
            await say(model="piper", voice="anna", input="Hello")
        with pytest.raises(openai.BadRequestError) as form:
            await say(model="piper", voice="alloy", input="Hello", response_format="aac")
    assert form.value.param == "response_format"


# --- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sdcpp", "a1111", "draws"])
async def test_pictures_are_made_and_changed(lab: Lab, engine: str) -> None:
    """By a line of jobs, a web UI, and a hosted model."""
    model = {"sdcpp": "fake", "a1111": "other"}.get(engine, engine)
    async with lab.client() as client:
        made = await client.images.generate(
            model=model, prompt="a cup", n=2, size="1024x1024", extra_body={"seed": 7}
        )
        changed = await client.images.edit(
            model=model, prompt="a red cup", image=("a.png", base64.b64decode(PIXEL))
        )
    assert [picture.b64_json for picture in made.data or ()] == [PIXEL, PIXEL]
    assert [picture.b64_json for picture in changed.data or ()] == [PIXEL]
    assert made.output_format == "png"


async def test_pictures_that_nobody_can_make_are_refused(lab: Lab) -> None:
    """An address to fetch them from, a form that the engine has not, a mask."""
    async with lab.client() as client:
        with pytest.raises(openai.BadRequestError) as address:
            await client.images.generate(model="other", prompt="a", response_format="url")
        assert address.value.param == "response_format"
        with pytest.raises(openai.APIStatusError, match="makes png"):
            await client.images.generate(model="other", prompt="a", output_format="webp")
        pixel = ("a.png", base64.b64decode(PIXEL))
        with pytest.raises(openai.BadRequestError, match="mask"):
            await client.images.edit(model="other", prompt="a", image=pixel, mask=pixel)


# --- words -----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["talks", "whole"])
async def test_a_chat_is_answered_whole_and_streamed(lab: Lab, model: str) -> None:
    """With what it cost, and its tools."""
    asked: dict[str, Any] = {"model": model, "messages": SAID, "tools": [TOOL]}
    async with lab.client() as client:
        whole = await client.chat.completions.create(**asked)
        async with client.chat.completions.stream(
            **asked, stream_options={"include_usage": True}
        ) as stream:
            deltas = [e.delta async for e in stream if e.type == "content.delta"]
            streamed = await stream.get_final_completion()
    assert len(deltas) > 1, "words come one by one"
    for answer in (whole, streamed):
        [choice] = answer.choices
        [call] = choice.message.tool_calls or []
        assert (choice.message.content, choice.finish_reason) == (WORDS, "tool_calls")
        assert call.type == "function"
        assert (call.function.name, call.function.arguments) == ("weather", '{"n": 1}')
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 5


async def test_a_context_of_a_length_of_its_own_is_kept(lab: Lab) -> None:
    """OpenAI's API has no word for it, so Ollama is asked by its own, which this fake has alone."""
    async with lab.client() as client:
        answer = await client.chat.completions.with_raw_response.create(model="fake", messages=SAID)
    assert answer.parse().choices[0].message.content == WORDS
    assert answer.headers["x-aima-engine"] == "ollama"


async def test_a_picture_of_a_chat_is_passed_on(lab: Lab) -> None:
    """With a system's turn under its new name, and calls of before."""
    turns: list[Any] = [
        {"role": "developer", "content": "Be short."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "a cup"},
    ]
    async with lab.client() as client:
        answer = await client.chat.completions.create(model="talks", messages=turns)
    assert answer.choices[0].message.content == WORDS


async def test_a_text_is_continued(lab: Lab) -> None:
    """Whole and streamed, by the engine that can."""
    async with lab.client() as client:
        whole = await client.completions.create(model="whole", prompt="So")
        parts = [
            p
            async for p in await client.completions.create(
                model="whole", prompt=["So"], stream=True
            )
        ]
        with pytest.raises(openai.BadRequestError, match="it can: chat"):
            await client.completions.create(model="talks", prompt="So")
    assert whole.choices[0].text == WORDS
    assert "".join(part.choices[0].text for part in parts) == WORDS


async def test_texts_become_vectors(lab: Lab) -> None:
    """The client asks for base64 by itself; numbers are the same."""
    async with lab.client() as client:
        packed = await client.embeddings.create(model="means", input=["a", "b"])
        plain = await client.embeddings.create(
            model="means", input=["a", "b"], encoding_format="float"
        )
        with pytest.raises(openai.BadRequestError):
            await client.embeddings.create(model="means", input=[1, 2, 3])
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
    assert len(plain.data) == 2


async def test_the_messages_api_reaches_such_an_engine_too(lab: Lab) -> None:
    """It asks chats of OpenAI's API, whoever answers them."""
    async with anthropic.AsyncAnthropic(base_url=lab.url, api_key=KEY, max_retries=0) as client:
        answer = await client.messages.create(model="talks", max_tokens=9, messages=SAID)
    assert [block.type == "text" and block.text for block in answer.content] == [WORDS]


async def test_what_makes_no_sense_is_refused_with_its_field(lab: Lab) -> None:
    """Two answers at once, a tool that is not there, arguments that are no JSON."""
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"n": 2}, "n"),
        ({"tool_choice": {"type": "function", "function": {"name": "fly"}}}, "no tool 'fly'"),
        ({"temperature": 9}, "temperature"),
        ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "content"),
    ]
    async with lab.client() as client:
        for told, hint in wrong:
            with pytest.raises(openai.BadRequestError, match=hint):
                await client.chat.completions.create(**{"model": "talks", "messages": SAID, **told})


async def test_a_stream_that_breaks_off_ends_with_an_error(lab: Lab) -> None:
    """And what fails before the first word has a status."""
    lab.fakes["hf_inference"].faults.die_after = 2
    heard: list[str] = []
    async with lab.client() as client:
        with pytest.raises(openai.APIError, match="engine 'hf_inference'"):
            await listen(client, heard)
        lab.fakes["hf_inference"].heal()
        lab.fakes["hf_inference"].faults.fail_every = 1
        with pytest.raises(openai.APIStatusError) as refused:
            await client.chat.completions.create(model="talks", messages=SAID, stream=True)
    assert heard == ["w0", " w1"]
    assert refused.value.status_code >= 500


async def test_an_engine_stops_when_the_client_goes(lab: Lab) -> None:
    """The web UI is told to stop a picture that nobody waits for."""
    lab.fakes["a1111"].faults.token_seconds = 60
    async with lab.client() as client, httpx2.AsyncClient() as http:
        asking = asyncio.ensure_future(client.images.generate(model="other", prompt="a"))
        fakes = lab.fakes["a1111"]
        async with asyncio.timeout(20):
            while not fakes.faults.asked:  # noqa: ASYNC110 - it rings no bell
                await asyncio.sleep(0.01)
            asking.cancel()
            while not await interrupted(http, fakes):  # noqa: ASYNC110 - nor now
                await asyncio.sleep(0.01)


async def interrupted(http: httpx2.AsyncClient, web_ui: FakeEngine) -> bool:
    """Tell whether a web UI was told to stop."""
    told = (await http.get(f"{web_ui.url}/sdapi/v1/progress")).json()
    return bool(told["state"]["interrupted"])


async def listen(client: openai.AsyncOpenAI, heard: list[str]) -> None:
    """Read a streamed chat to its end."""
    stream = await client.chat.completions.create(model="talks", messages=SAID, stream=True)
    async for part in stream:
        heard += [part.choices[0].delta.content or ""]
