"""An OpenAI-compatible engine: its models and voices, speech in and out."""

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from aima.adapters.engines.openai import OpenAIEngine
from aima.errors import EngineNotRunning, ExecutionFailed, Unauthorized
from aima.ports.artifacts import Artifact
from aima.ports.engine import SynthesizeRequest, TranscribeRequest
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
                {"id": "a", "type": "tts", "licence": "Apache-2.0", "present": False},
                {"id": "b", "object": "model"},
                {"id": "c", "type": "embeddings"},
            ]
        },
    )
    cards = await engine.models()
    assert [(c.name, c.engine, c.type, c.present) for c in cards] == [
        ("a", "there", "tts", False),
        ("b", "there", None, True),
        ("c", "there", None, True),
    ]


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

AUDIO = Artifact(artifact=f"sha256:{'a' * 64}", media_type="audio/wav", bytes=4)


async def test_a_recording_is_sent_as_a_form(
    engine: OpenAIEngine, server: EngineServer, tmp_path: Path
) -> None:
    """With its media type, so that the engine need not guess; silence is an empty text."""
    recording = tmp_path / "q"
    recording.write_bytes(b"RIFF")
    server.answer("audio/transcriptions", {"text": "", "duration": 1.5})
    request = TranscribeRequest(model="w", audio=AUDIO, language="en")
    transcript = await engine.transcribe(request, recording=recording)
    assert (transcript.text, transcript.language, transcript.model) == ("", "en", "w")
    assert transcript.segments == []
    sent = server.bodies[-1]
    assert b'name="file"; filename="audio.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF' in sent
    assert b'name="response_format"\r\n\r\nverbose_json' in sent
    assert b'name="language"\r\n\r\nen' in sent


@pytest.mark.parametrize("body", [{"segments": []}, {"text": 5}, ["text"], b"just text", b"\xff"])
async def test_a_transcript_that_is_none_is_an_error(
    engine: OpenAIEngine, server: EngineServer, tmp_path: Path, body: object
) -> None:
    """Whatever came, it is not what was said."""
    recording = tmp_path / "q"
    recording.write_bytes(b"RIFF")
    server.answer("audio/transcriptions", body)
    with pytest.raises(ExecutionFailed, match="is no Transcript"):
        await engine.transcribe(TranscribeRequest(model="w", audio=AUDIO), recording=recording)


async def test_speech_is_given_as_it_is_made(engine: OpenAIEngine, server: EngineServer) -> None:
    """With its type and length, if the engine tells them."""

    async def spoken(_: Request) -> Response:
        headers = {"x-aima-audio-seconds": "2.5", "x-aima-total-ms": "40", "x-aima-load-ms": "?"}
        return Response(b"RIFFRIFF", media_type="audio/x-wav; rate=24000", headers=headers)

    server.answers["audio/speech"] = spoken
    async with engine.synthesize(SynthesizeRequest(model="k", text="Hi", speed=1.5)) as speech:
        assert b"".join([chunk async for chunk in speech.chunks]) == b"RIFFRIFF"
    assert (speech.media_type, speech.seconds) == ("audio/x-wav", 2.5)
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
    async with engine.synthesize(SynthesizeRequest(model="k", text="Hi")) as speech:
        with pytest.raises(EngineNotRunning):
            [chunk async for chunk in speech.chunks]
