"""The units of `inference`, with fakes around them."""

import wave
from io import BytesIO
from typing import get_args

import pytest
from pydantic import ValidationError

from activities.inference import (
    ModelsRequest,
    VoicesRequest,
    chat,
    models,
    synthesize,
    transcribe,
    voices,
)
from aima.asked import RequestCompleted, RequestFailed, RequestStarted
from aima.errors import EngineNotRunning, ModelNotFound
from aima.ports.inference import (
    ChatRequest,
    Message,
    ModelCard,
    ModelType,
    SayRequest,
    TranscribeRequest,
    Voice,
)
from aima.testing import FakeContext, ScriptedEngine, chat_reply, transcript


def context(*answers: object, **engine: object) -> FakeContext:
    """Make a context whose engine gives these answers."""
    return FakeContext(engine=ScriptedEngine(answers=list(answers), **engine))  # type: ignore[arg-type]


def question(model: str = "default") -> ChatRequest:
    """Ask something."""
    return ChatRequest(model=model, messages=[Message(role="user", content="Why?")])


def wav(seconds: float) -> bytes:
    """Make a silent recording."""
    out = BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
    return out.getvalue()


async def test_a_chat_asks_the_engine_that_serves_the_model() -> None:
    """Under the model's own name there, whatever the caller called it."""
    ctx = context(chat_reply("Because."))
    reply = await chat(question(), ctx)
    assert reply.content == "Because."
    [asked] = ctx.engine.requests
    assert asked.model == "scripted-llm"
    assert ctx.shown == ["Because."]


async def test_a_chat_tells_what_it_cost() -> None:
    """Meters and bills are made of these events."""
    ctx = context(chat_reply("one two three"))
    await chat(question(), ctx)
    assert ctx.emitted == [
        RequestStarted(unit="inference.chat", model="default"),
        RequestCompleted(unit="inference.chat", model="scripted-llm", tokens=3),
    ]


async def test_a_model_that_nobody_serves_is_not_found() -> None:
    """And nothing was asked, nothing told."""
    ctx = context(chat_reply("never"))
    with pytest.raises(ModelNotFound, match="'scripted-llm'"):
        await chat(question("gpt-9"), ctx)
    assert ctx.engine.requests == []
    assert [event.TYPE.rpartition("_")[2] for event in ctx.emitted] == ["started", "failed"]


async def test_an_engines_failure_passes_through() -> None:
    """The unit has nothing to add, and hides nothing."""
    ctx = context(EngineNotRunning("engine 'scripted' fell over"))
    with pytest.raises(EngineNotRunning, match="fell over"):
        await chat(question(), ctx)
    assert ctx.emitted[1:] == [
        RequestFailed(
            unit="inference.chat",
            model="default",
            code="ENGINE_NOT_RUNNING",
            message="engine 'scripted' fell over",
        )
    ]


async def test_a_recording_is_written_down_from_a_file() -> None:
    """By the engine that listens, whatever it is called there."""
    ctx = context(transcript("What time is it?"))
    audio = await ctx.artifacts.put(wav(1), media_type="audio/wav")
    reply = await transcribe(TranscribeRequest(audio=audio, language="en"), ctx)
    assert reply.text == "What time is it?"
    [asked] = ctx.engine.requests
    assert asked.model == "scripted-asr"
    assert [event.model for event in ctx.emitted if isinstance(event, RequestCompleted)] == [
        "scripted-asr"
    ]


async def test_speech_goes_into_the_store_and_comes_back_as_a_reference() -> None:
    """Bytes never travel through Temporal."""
    ctx = context(wav(2))
    reply = await synthesize(SayRequest(text="Hello", voice="someone"), ctx)
    assert await ctx.artifacts.get(reply.audio) == wav(2)
    assert (reply.audio.media_type, reply.format, reply.model) == (
        "audio/wav",
        "wav",
        "scripted-tts",
    )
    assert reply.duration == 1.0


async def test_models_are_listed_all_or_of_one_type() -> None:
    """What `aima models` shows."""
    ctx = context()
    assert len((await models(ModelsRequest(), ctx)).models) == len(get_args(ModelType))
    [only] = (await models(ModelsRequest(type="tts"), ctx)).models
    assert only == ModelCard(name="scripted-tts", engine="scripted", type="tts")


async def test_voices_are_listed_all_or_of_one_model() -> None:
    """A voice belongs to a model."""
    both = [Voice(name="ann", model="m"), Voice(name="bob", model="n")]
    ctx = context(speakers=both)
    assert (await voices(VoicesRequest(), ctx)).voices == both
    assert (await voices(VoicesRequest(model="n"), ctx)).voices == both[1:]
    assert (await voices(VoicesRequest(model="x"), ctx)).voices == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x"}], "temperature": 3},
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": 0},
        {"messages": [{"role": "user", "content": "x"}], "temprature": 1},
    ],
)
def test_a_request_that_makes_no_sense_is_refused_at_the_door(wrong: dict[str, object]) -> None:
    """A misspelt option that is ignored would be believed to work."""
    with pytest.raises(ValidationError):
        ChatRequest.model_validate(wrong)
