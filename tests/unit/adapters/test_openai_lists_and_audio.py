"""An OpenAI-compatible engine: its models and voices, speech in and out."""

import wave
from io import BytesIO

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from aima.adapters.engines.embedded import EmbeddedEngine
from aima.adapters.engines.openai import OpenAIEngine
from aima.errors import EngineNotRunning, ExecutionFailed, Unauthorized
from aima.ports.artifacts import Artifact
from aima.ports.engine import Loads
from aima.ports.inference import EmbedRequest, SynthesizeRequest, TranscribeRequest
from aima.testing import MemoryArtifacts
from tests.unit.adapters.engine_server import CutOff, EngineServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


# --- models and voices ----------------------------------------------------------------------


async def test_models_are_listed_with_what_the_engine_tells(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """The embedded engine tells types; others do not, or use words of their own."""
    server.answer(
        "models",
        {
            "data": [
                {"id": "a", "type": "tts", "present": False, "loaded": False},
                {"id": "b", "object": "model"},
                {"id": "c", "type": "embeddings"},
            ]
        },
    )
    cards = await engine.models()
    assert [(c.name, c.engine, c.type, c.present, c.loaded) for c in cards] == [
        ("a", "there", "tts", False, False),
        ("b", "there", None, True, None),
        ("c", "there", None, True, None),
    ]


async def test_the_embedded_engine_loads_by_request(
    server: EngineServer, http: httpx2.AsyncClient
) -> None:
    """So the router holds requests while a model comes, and tells that it does."""
    server.answer("models/load", {"id": "m", "loaded": True})
    told: list[str] = []
    embedded = EmbeddedEngine("embedded", server.url, http, MemoryArtifacts())
    assert isinstance(embedded, Loads)
    await embedded.load("m", progress=told.append)
    assert (server.body, told) == ({"model": "m"}, ["loading 'm'"])


@pytest.mark.parametrize("body", [{"models": []}, [], {"data": [{"name": "a"}]}, b"<html>", b""])
async def test_a_list_of_models_that_is_none_is_an_error(
    engine: OpenAIEngine, server: EngineServer, body: object
) -> None:
    """The address is probably not that of an API."""
    server.answer("models", body)
    with pytest.raises(ExecutionFailed, match="engine 'there' answered something that is no"):
        await engine.models()


async def test_voices_are_listed_where_the_engine_has_such_a_list(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """It is AIMA's own addition; who does not have it has no voices to tell of."""
    assert await engine.voices() == []
    server.answer("audio/voices", {"voices": [{"name": "ann", "model": "m", "more": 1}]})
    assert [voice.name for voice in await engine.voices()] == ["ann"]
    server.answer("audio/voices", {"error": {"message": "no"}}, status=401)
    with pytest.raises(Unauthorized):
        await engine.voices()


# --- audio ----------------------------------------------------------------------------------


async def recording(engine: OpenAIEngine) -> Artifact:
    """Keep four bytes that pass for a recording."""
    return await engine.artifacts.put(b"RIFF", media_type="audio/wav")


def nobody(_: str | bytes) -> None:
    """Watch no answer as it is made."""


async def test_a_recording_is_sent_as_a_form(engine: OpenAIEngine, server: EngineServer) -> None:
    """With its media type, so that the engine need not guess; silence is an empty text."""
    server.answer("audio/transcriptions", {"text": "", "duration": 1.5})
    request = TranscribeRequest(model="w", audio=await recording(engine), language="en")
    transcript = await engine.transcribe(request, pieces=nobody)
    assert (transcript.text, transcript.language, transcript.model) == ("", "en", "w")
    assert transcript.segments == []
    sent = server.bodies[-1]
    assert b'name="file"; filename="audio.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF' in sent
    assert b'name="response_format"\r\n\r\nverbose_json' in sent
    assert b'name="language"\r\n\r\nen' in sent


@pytest.mark.parametrize("body", [{"segments": []}, {"text": 5}, ["text"], b"just text", b"\xff"])
async def test_a_transcript_that_is_none_is_an_error(
    engine: OpenAIEngine, server: EngineServer, body: object
) -> None:
    """Whatever came, it is not what was said."""
    server.answer("audio/transcriptions", body)
    request = TranscribeRequest(model="w", audio=await recording(engine))
    with pytest.raises(ExecutionFailed, match="is no Transcript"):
        await engine.transcribe(request, pieces=nobody)


async def test_speech_is_given_as_it_is_made(engine: OpenAIEngine, server: EngineServer) -> None:
    """With its type and length, if the engine tells them."""

    async def spoken(_: Request) -> Response:
        headers = {"x-aima-audio-seconds": "2.5", "x-aima-total-ms": "40", "x-aima-load-ms": "?"}
        return Response(b"RIFFRIFF", media_type="audio/x-wav; rate=24000", headers=headers)

    server.answers["audio/speech"] = spoken
    heard: list[str | bytes] = []
    request = SynthesizeRequest(model="k", text="Hi", speed=1.5)
    speech = await engine.synthesize(request, pieces=heard.append)
    assert await engine.artifacts.get(speech.audio) == b"RIFFRIFF"
    assert heard == [b"RIFFRIFF"]
    assert (speech.audio.media_type, speech.format, speech.duration) == ("audio/x-wav", "wav", 2.5)
    assert speech.timings is not None
    assert (speech.timings.total_ms, speech.timings.load_ms) == (40, None)
    assert server.body == {
        "model": "k",
        "input": "Hi",
        "voice": "default",
        "response_format": "wav",
        "speed": 1.5,
    }


async def test_speech_that_breaks_off_is_an_error(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """Half a sentence must not be stored as the whole."""

    async def cut(_: Request) -> Response:
        return CutOff()

    server.answers["audio/speech"] = cut
    with pytest.raises(EngineNotRunning):
        await engine.synthesize(SynthesizeRequest(model="k", text="Hi"), pieces=nobody)


async def test_the_length_of_speech_is_read_where_the_engine_does_not_tell(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """Other engines than AIMA's own do not."""
    server.answer("audio/speech", wav(2))
    speech = await engine.synthesize(SynthesizeRequest(model="k", text="Hi"), pieces=nobody)
    assert speech.duration == pytest.approx(2.0)


def wav(seconds: float) -> bytes:
    """Make a silent recording."""
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
    return out.getvalue()


# --- vectors --------------------------------------------------------------------------------


async def test_vectors_come_in_the_order_of_the_texts(
    engine: OpenAIEngine, server: EngineServer
) -> None:
    """Engines number them, and need not send them in order."""
    vectors = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]
    server.answer("embeddings", {"data": vectors, "usage": {"prompt_tokens": 2}})
    reply = await engine.embed(EmbedRequest(model="e", input=["a", "b"]))
    assert (reply.embeddings, reply.embedding, reply.model) == ([[1.0], [2.0]], [1.0], "e")
    assert reply.usage.prompt_tokens == 2
    assert server.body == {"model": "e", "input": ["a", "b"]}


async def test_a_vector_too_few_is_an_error(engine: OpenAIEngine, server: EngineServer) -> None:
    """Texts and vectors would be matched wrongly from there on."""
    server.answer("embeddings", {"data": [{"index": 0, "embedding": [1.0]}]})
    with pytest.raises(ExecutionFailed, match="1 vectors for 2 texts"):
        await engine.embed(EmbedRequest(model="e", input=["a", "b"]))
