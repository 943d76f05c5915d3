"""whisper.cpp, speaches, Kokoro and Piper."""

from __future__ import annotations

from typing import Any

import pytest

from aima.errors import EngineNotRunning, ModelNotFound, UnsupportedMedia
from aima.ports.inference import SynthesizeRequest, TranscribeRequest, ignored
from aima.settings import EngineKind
from aima.testing.engines.sounds import silence
from tests.unit.adapters.engine_server import EngineServer
from tests.unit.adapters.faked import Faked

pytestmark = pytest.mark.asyncio(loop_scope="module")

EARS, MOUTH = "fake/ears", "fake/mouth"


def engine(faked: Faked, kind: EngineKind) -> Any:  # noqa: ANN401 - any of them
    """Give AIMA's client of a fake."""
    return faked.engine(kind)


async def recording(faked: Faked, data: bytes | None = None, **more: object) -> TranscribeRequest:
    """Ask for a transcript of a short silence, or of something else."""
    audio = await faked.artifacts.put(data or silence(), media_type="audio/wav")
    return TranscribeRequest.model_validate({"model": "m", "audio": audio, **more})


@pytest.mark.parametrize("kind", ["whispercpp", "speaches"])
async def test_each_hears(faked: Faked, kind: EngineKind) -> None:
    """With stretches, and words where they are asked for, wherever the server puts them."""
    size = len(silence())
    told = await engine(faked, kind).transcribe(await recording(faked, words=True), pieces=ignored)
    assert (told.text, told.language, told.duration) == (f"{size} bytes", "en", 0.1)
    assert [(s.start, s.end, s.text) for s in told.segments] == [(0, 0.1, f"{size} bytes")]
    assert [word.word for word in told.words] == [str(size), "bytes"]
    plain = await engine(faked, kind).transcribe(await recording(faked), pieces=ignored)
    assert plain.words is None


async def test_what_whisper_cpp_cannot_read_is_told_with_the_way_out(faked: Faked) -> None:
    """It says so with status 200."""
    with pytest.raises(UnsupportedMedia, match="failed to read audio data; it reads 16-bit WAV"):
        await engine(faked, "whispercpp").transcribe(await recording(faked, b"ID3"), pieces=ignored)


async def test_whisper_cpp_serves_one_model_once_it_is_there(faked: Faked) -> None:
    """Under the name that the configuration gives the server; while it loads, it is not running."""
    whisper = engine(faked, "whispercpp")
    assert [(card.name, card.type) for card in await whisper.models()] == [("there", "asr")]
    assert whisper.AT_ONCE == 1
    faked.running["whispercpp"].faults.load_delay = 1
    with pytest.raises(EngineNotRunning):
        await whisper.models()


async def test_speaches_moves_models(faked: Faked) -> None:
    """In and out, twice without harm, and from the hub; tasks are our types."""
    speaches = engine(faked, "speaches")

    async def served() -> dict[str, tuple[str | None, bool | None]]:
        return {card.name: (card.type, card.loaded) for card in await speaches.models()}

    assert await served() == {EARS: ("asr", False), MOUTH: ("tts", False)}
    await speaches.load(EARS, progress=ignored)
    await speaches.load(EARS, progress=ignored)
    assert (await served())[EARS] == ("asr", True)
    await speaches.unload(EARS)
    await speaches.unload(EARS)
    assert (await served())[EARS] == ("asr", False)
    with pytest.raises(ModelNotFound, match="'other' is not installed"):
        await speaches.load("other", progress=ignored)
    await speaches.pull("org/new", progress=ignored)
    assert "org/new" in await served()


@pytest.mark.parametrize("kind", ["kokoro", "piper", "speaches"])
async def test_each_speaks(faked: Faked, kind: EngineKind) -> None:
    """The sound is shown as it comes, kept, and measured."""
    shown: list[str | bytes] = []
    reply = await engine(faked, kind).synthesize(
        SynthesizeRequest(model="m", text="Hello."), pieces=shown.append
    )
    assert (reply.format, reply.duration) == ("wav", pytest.approx(0.1))
    assert await faked.artifacts.get(reply.audio) == silence()
    assert b"".join(part for part in shown if isinstance(part, bytes)) == silence()


@pytest.mark.parametrize(
    ("kind", "voices"),
    [
        ("kokoro", [("af_bella", "kokoro", None), ("af_sky", "kokoro", None)]),
        ("piper", [("en_US-fake-low", "there", "en_US")]),
        ("speaches", []),
    ],
)
async def test_voices_are_told_in_one_shape(
    faked: Faked, kind: EngineKind, voices: list[tuple[str, str, str | None]]
) -> None:
    """Each product lists them in a way of its own, or not at all."""
    told = await engine(faked, kind).voices()
    assert [(voice.name, voice.model, voice.language) for voice in told] == voices


@pytest.mark.parametrize(
    "body", [["a", "b"], {"voices": ["a", "b"]}, [{"id": "a"}, {"id": "b", "name": "B"}]]
)
async def test_other_shapes_of_a_list_of_voices_are_read(
    faked: Faked, server: EngineServer, body: object
) -> None:
    """Older and newer servers of the same product differ."""
    server.answer("models", {"data": [{"id": "k"}]})
    server.answer("audio/voices", body)
    kokoro = engine(faked, "kokoro")
    object.__setattr__(kokoro, "url", server.url)
    assert [voice.name for voice in await kokoro.voices()] == ["a", "b"]
    server.answer("audio/speech", silence())
    await kokoro.synthesize(SynthesizeRequest(model="k", text="x"), pieces=ignored)
    assert server.body["voice"] == "a"


async def test_piper_says_what_it_cannot_do(faked: Faked) -> None:
    """Other formats, and voices that are not there."""
    piper = engine(faked, "piper")
    with pytest.raises(UnsupportedMedia, match="makes wav, not mp3"):
        await piper.synthesize(
            SynthesizeRequest(model="there", text="x", format="mp3"), pieces=ignored
        )
    with pytest.raises(ModelNotFound, match="no voice 'bob'"):
        await piper.synthesize(
            SynthesizeRequest(model="there", text="x", voice="bob"), pieces=ignored
        )
